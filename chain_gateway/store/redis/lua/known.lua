-- before, limit: the browsers whose time has passed before.
return call('ZRANGEBYSCORE', KNOWN, '-inf', '(' .. ARGV[1], 'LIMIT', 0, ARGV[2])
