-- browser, someone, entries.
take(ARGV[1], 3, ARGV[2])
return 1
