-- id: the record.
return call('HGET', WALKS, ARGV[1])
