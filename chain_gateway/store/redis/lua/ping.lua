-- Writes something, which fails where nothing can be written.
redis.call('SET', KEYS[1], '1')
return 1
