-- KEYS[1] alone; until, now, by, seconds: 1 the first time, and for the same call again, whose answer was lost.
local stands = redis.call('GET', KEYS[1])
if stands then
  local last, by = string.match(stands, '^(%-?%d+)|(%x+)$')
  if by == ARGV[3] then return 1 end
  if tonumber(last) >= tonumber(ARGV[2]) then return 0 end
end
redis.call('SET', KEYS[1], ARGV[1] .. '|' .. ARGV[3], 'EX', ARGV[4])
return 1
