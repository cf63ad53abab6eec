-- browser, id, the walk (7), someone, has_op, sealed, sub, sid, by_sid, by_sub, entries: writes a new walk down.
local browser, id, walk = ARGV[1], ARGV[2], walk_at(3, ARGV[1])
local epoch = tonumber(walk.epoch)
local life = touch()
raise_epoch(browser, epoch)
-- A logout of everything was planned with the doubt in sight, and owes each app that it visits: nothing is lacking now.
local out = call('HMGET', BROWSER, 'signed_out_epoch', 'signed_out_life')
if out[1] == walk.epoch and out[2] == life then call('HDEL', BROWSER, 'doubt') end
if ARGV[11] == '1' then
  local stands = tonumber(call('HGET', BROWSER, 'op_epoch') or -1)
  if epoch > stands or (epoch == stands and call('HEXISTS', BROWSER, 'sealed') == 1) then
    forget_words(browser)
    call('HSET', BROWSER, 'op_epoch', walk.epoch, 'sealed', ARGV[12], 'sub', ARGV[13], 'sid', ARGV[14])
    for at, name in pairs({[15] = 'by_sid', [16] = 'by_sub'}) do
      if ARGV[at] ~= '' then
        call('HSET', BROWSER, name, ARGV[at])
        call('ZADD', SIGN_INS, 0, ARGV[at])
      end
    end
    sign_in(browser)
  end
end
take(browser, 17, ARGV[10])
if call('HEXISTS', WALKS, id) == 0 then put(id, walk) end
local surplus = call('ZCARD', OPEN) - OPEN_WALKS
if surplus > 0 then
  for _, old in ipairs(call('ZRANGE', OPEN, 0, surplus - 1)) do
    stop(old, parse_walk(call('HGET', WALKS, old)))
  end
end
return 1
