-- browser, now_ms, logout, since_ms (empty unless a login asks): the epoch, or nothing where a logout outran the login.
local browser, now_ms, logout, since_ms = ARGV[1], tonumber(ARGV[2]), ARGV[3] == '1', tonumber(ARGV[4])
local stands = call('HMGET', BROWSER, 'epoch', 'signed_out_ms')
local signed_out_ms = tonumber(stands[2] or -1)
if since_ms and stands[2] and signed_out_ms >= since_ms then return false end
local life = touch()
local epoch = math.max(tonumber(stands[1] or 0) + 1, now_ms)
raise_epoch(browser, epoch)
if logout then
  call('HSET', BROWSER, 'signed_out_ms', text(math.max(signed_out_ms, now_ms)),
    'signed_out_epoch', text(epoch), 'signed_out_life', life)
end
return text(epoch)
