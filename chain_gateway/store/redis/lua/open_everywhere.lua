-- limit: open walks by their deadlines; pairs of id and record.
local found = {}
for _, id in ipairs(call('ZRANGEBYSCORE', DEADLINES, '-inf', '+inf', 'LIMIT', 0, ARGV[1])) do
  found[#found + 1] = id
  found[#found + 1] = call('HGET', WALKS, id)
end
return found
