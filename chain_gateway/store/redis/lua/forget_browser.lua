-- browser, now: forgets it with everything of it, if its time has passed.
local browser, now = ARGV[1], tonumber(ARGV[2])
local until_ = tonumber(call('ZSCORE', KNOWN, browser) or now)
if until_ >= now then return 0 end
local open = call('ZRANGE', OPEN, 0, -1)
if #open > 0 and call('HEXISTS', BROWSER, 'someone') == 0 then
  call('ZADD', KNOWN, ARGV[2], browser)
  return 0
end
for _, id in ipairs(open) do
  call('HDEL', WALKS, id)
  call('ZREM', DEADLINES, id)
  call('ZREM', EXPIRIES, id)
end
forget_words(browser)
local fields = call('HGETALL', BROWSER)
for at = 1, #fields, 2 do
  local app = string.match(fields[at], '^app:(.*)$')
  local entry = app and parse_entry(fields[at + 1])
  if entry and entry.owed then dequeue(browser .. ':' .. app, entry.since) end
end
call('DEL', BROWSER, OPEN)
call('ZREM', KNOWN, browser)
return 1
