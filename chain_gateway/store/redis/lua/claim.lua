-- now, lease_until, limit: what is due, and leased from now on; pairs of owing and its record as it was before.
local found = {}
for _, member in ipairs(call('ZRANGEBYSCORE', OWED, '-inf', ARGV[1], 'LIMIT', 0, ARGV[3])) do
  local owing = string.match(member, '^%d+:(.*)$')
  found[#found + 1] = owing
  found[#found + 1] = call('HGET', OWING, owing)
  local turn = parse_owing(found[#found])
  enqueue(owing, turn.epoch, ARGV[2], turn.attempts, turn.since, turn.entry)
end
return found
