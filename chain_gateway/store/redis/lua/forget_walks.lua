-- before, limit: forgets walks that are over and expired before; how many.
local past = call('ZRANGEBYSCORE', OVER, '-inf', '(' .. ARGV[1], 'LIMIT', 0, ARGV[2])
for _, id in ipairs(past) do
  call('HDEL', WALKS, id)
  call('ZREM', OVER, id)
end
return #past
