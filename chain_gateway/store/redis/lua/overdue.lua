-- now: the open walks whose hop deadline or expiry has come; pairs of id and record.
local found, seen = {}, {}
for _, index in ipairs({DEADLINES, EXPIRIES}) do
  for _, id in ipairs(call('ZRANGEBYSCORE', index, '-inf', ARGV[1])) do
    if not seen[id] then
      seen[id] = true
      found[#found + 1] = id
      found[#found + 1] = call('HGET', WALKS, id)
    end
  end
end
return found
