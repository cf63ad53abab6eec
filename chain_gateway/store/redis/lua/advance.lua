-- browser, id, the walk (7), spent, someone, entries: {'advanced'}, {'replayed', walk} or {'superseded', epoch}.
local browser, id, walk, spent = ARGV[1], ARGV[2], walk_at(3, ARGV[1]), ARGV[10]
local value = call('HGET', WALKS, id)
local stored = parse_walk(value)
-- The same call again, whose first answer was lost on the way.
if stored and stored.by == walk.by then return {'advanced'} end
if stored and stored.status == '1' then return {'replayed', value} end
touch()
local newest = raise_epoch(browser, tonumber(walk.epoch))
if tonumber(walk.epoch) < newest then
  take(browser, 12, ARGV[11], newest)
  if stored and stored.status == '0' then stop(id, stored) end
  return {'superseded', text(newest)}
end
if stored and (stored.status == '2' or stored.nonce ~= spent) then return {'replayed', value} end
take(browser, 12, ARGV[11], newest)
put(id, walk, stored)
return {'advanced'}
