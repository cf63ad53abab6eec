-- now, lease_until, limit: what is due, now leased; pairs of owing and its record.
local found = {}
for _, member in ipairs(call('ZRANGEBYSCORE', OWED, '-inf', ARGV[1], 'LIMIT', 0, ARGV[3])) do
  local owing = string.match(member, '^%d+:(.*)$')
  local turn = parse_owing(call('HGET', OWING, owing))
  enqueue(owing, turn.epoch, ARGV[2], turn.attempts, turn.since, turn.entry)
  found[#found + 1] = owing
  found[#found + 1] = call('HGET', OWING, owing)
end
return found
