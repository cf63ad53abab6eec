-- KEYS[1] alone: writes something, which fails where nothing can be written, and tells how the server uses its memory.
redis.call('SET', KEYS[1], '1')
return redis.call('INFO', 'memory')
