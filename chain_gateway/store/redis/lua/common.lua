-- What every script begins with. Ids are hexadecimal, times and epochs decimal; see records.py for what is kept where.
local WALKS, DEADLINES, EXPIRIES, OVER, OWED, OWING, SIGN_INS, KNOWN, LIFE, BROWSER, OPEN = unpack(KEYS)
local call = redis.call

-- Lua 5.1 writes large numbers as 1.8e+12 on its own.
local function text(number)
  return string.format('%.0f', number)
end

-- The number of this life of the data. It rises when another server answers for it, or the same one after a restart, as
-- either may have forgotten what was written last: then the id under which Redis replicates is another one.
local function this_life()
  local id = string.match(call('INFO', 'replication'), 'master_replid:(%x+)')
  local number, of = string.match(call('GET', LIFE) or '0|', '^(%d+)|(%x*)$')
  if of == id then return number end
  number = text(number + 1)
  call('SET', LIFE, number .. '|' .. id)
  return number
end

-- Begins each change of a browser: a record from an earlier life may lack what was written last, and is in doubt.
local function touch()
  local life, stands = this_life(), call('HGET', BROWSER, 'life')
  if stands ~= life then
    call('HSET', BROWSER, 'life', life)
    if stands then call('HSET', BROWSER, 'doubt', '1') end
  end
  return life
end

-- Until when a browser is kept, as far as is known now.
local function schedule(browser, epoch)
  local seconds = call('HEXISTS', BROWSER, 'someone') == 1 and BROWSER_SECONDS or NOBODY_SECONDS
  call('ZADD', KNOWN, text(math.floor(epoch / 1000) + seconds), browser)
end

-- Sees to it that a browser has at least this epoch; the one that it has.
local function raise_epoch(browser, epoch)
  local stands = tonumber(call('HGET', BROWSER, 'epoch') or -1)
  if stands >= epoch then return stands end
  call('HSET', BROWSER, 'epoch', text(epoch))
  schedule(browser, epoch)
  return epoch
end

-- Remembers that somebody has signed in with this browser, which is known.
local function sign_in(browser)
  if call('HSETNX', BROWSER, 'someone', '1') == 1 then
    schedule(browser, tonumber(call('HGET', BROWSER, 'epoch')))
  end
end

-- A place in the queue: of what is due in the same second, the one that is owed longest comes first.
local function place(since, owing)
  return string.format('%016.0f', since) .. ':' .. owing
end

local function parse_entry(value)
  if not value then return nil end
  local epoch, owed, since = string.match(value, '^(%-?%d+)|(%d)|(%-?%d+)|')
  return {epoch = tonumber(epoch), owed = owed == '1', since = tonumber(since)}
end

-- What an owed logout has in the queue beside its place: epoch, due, attempts, since, and the entry as the ledger has it.
local function parse_owing(value)
  local epoch, due, attempts, since, at = string.match(value, '^(%-?%d+)|(%-?%d+)|(%d+)|(%-?%d+)|()')
  return {epoch = tonumber(epoch), due = due, attempts = attempts, since = tonumber(since), entry = string.sub(value, at)}
end

local function enqueue(owing, epoch, due, attempts, since, entry)
  call('ZADD', OWED, due, place(since, owing))
  call('HSET', OWING, owing, table.concat({text(epoch), due, attempts, text(since), entry}, '|'))
end

local function dequeue(owing, since)
  call('ZREM', OWED, place(since, owing))
  call('HDEL', OWING, owing)
end

-- Takes the entries that are newer than what stands, from ARGV[first] on: app, epoch, owed, due, since, rest of each.
-- The browser has the epoch ``newest``, where that is known.
local function take(browser, first, someone, newest)
  local highest = -1
  for at = first, #ARGV, 6 do
    highest = math.max(highest, tonumber(ARGV[at + 1]))
  end
  if highest > (newest or -1) then raise_epoch(browser, highest) end
  if someone == '1' then sign_in(browser) end
  for at = first, #ARGV, 6 do
    local app, epoch, owed, due, since = ARGV[at], tonumber(ARGV[at + 1]), ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]
    local stands = parse_entry(call('HGET', BROWSER, 'app:' .. app))
    if not stands or epoch >= stands.epoch then
      local owing, attempts = browser .. ':' .. app, '0'
      if stands and stands.owed then
        if owed == '1' and stands.epoch == epoch then
          local turn = parse_owing(call('HGET', OWING, owing))
          due, attempts = turn.due, turn.attempts
        end
        dequeue(owing, stands.since)
      end
      local entry = table.concat({text(epoch), owed, since, ARGV[at + 5]}, '|')
      call('HSET', BROWSER, 'app:' .. app, entry)
      if owed == '1' then enqueue(owing, epoch, due, attempts, tonumber(since), entry) end
    end
  end
end

local function parse_walk(value)
  if not value then return nil end
  local browser, epoch, status, deadline, expires, nonce, by, at =
    string.match(value, '^(%x+)|(%d+)|(%d)|(%-?%d+)|(%-?%d+)|(%x*)|(%x*)|()')
  return {browser = browser, epoch = epoch, status = status, deadline = deadline, expires = expires,
          nonce = nonce, by = by, value = value, at = at}
end

-- Puts a walk where it belongs: among the open ones, or among those that wait to be forgotten. As an open one that
-- ``was`` there it has most of its places already.
local function put(id, walk, was)
  call('HSET', WALKS, id, table.concat(
    {walk.browser, walk.epoch, walk.status, walk.deadline, walk.expires, walk.nonce, walk.by, walk.state}, '|'))
  if walk.status == '0' then
    call('ZADD', DEADLINES, walk.deadline, id)
    if not was or was.expires ~= walk.expires then call('ZADD', EXPIRIES, walk.expires, id) end
    if not was or was.epoch ~= walk.epoch then call('ZADD', OPEN, walk.epoch, id) end
  else
    call('ZREM', DEADLINES, id)
    call('ZREM', EXPIRIES, id)
    call('ZREM', OPEN, id)
    call('ZADD', OVER, walk.expires, id)
  end
end

-- Stops a walk as it was read; its state, which nobody else needs of it, begins ``at`` there.
local function stop(id, walk)
  walk.status, walk.state = '2', string.sub(walk.value, walk.at)
  put(id, walk)
end

local function forget_words(browser)
  for _, word in ipairs(call('HMGET', BROWSER, 'by_sid', 'by_sub')) do
    if word then call('ZREM', SIGN_INS, word) end
  end
  call('HDEL', BROWSER, 'sealed', 'sub', 'sid', 'by_sid', 'by_sub')
end

-- The walk that begins at ARGV[first]: epoch, status, deadline, expires, nonce, by, state.
local function walk_at(first, browser)
  return {browser = browser, epoch = ARGV[first], status = ARGV[first + 1], deadline = ARGV[first + 2],
          expires = ARGV[first + 3], nonce = ARGV[first + 4], by = ARGV[first + 5], state = ARGV[first + 6]}
end
