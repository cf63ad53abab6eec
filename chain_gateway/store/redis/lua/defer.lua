-- owing, epoch, due, attempts: 0 if it is not owed any more with that epoch.
local value = call('HGET', OWING, ARGV[1])
local turn = value and parse_owing(value)
if not turn or turn.epoch ~= tonumber(ARGV[2]) then return 0 end
enqueue(ARGV[1], turn.epoch, ARGV[3], ARGV[4], turn.since, turn.entry)
return 1
