-- until, limit: what is due by then, in its order; pairs of owing and its record.
local found = {}
for _, member in ipairs(call('ZRANGEBYSCORE', OWED, '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])) do
  local owing = string.match(member, '^%d+:(.*)$')
  found[#found + 1] = owing
  found[#found + 1] = call('HGET', OWING, owing)
end
return found
