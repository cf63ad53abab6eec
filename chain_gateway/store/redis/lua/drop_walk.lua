-- id, by: stops a walk; 0 if it is not open, unless it was this very call that stopped it.
local walk = parse_walk(call('HGET', WALKS, ARGV[1]))
if not walk then return 0 end
if walk.status == '0' then
  walk.by = ARGV[2]
  stop(ARGV[1], walk)
end
return walk.by == ARGV[2] and 1 or 0
