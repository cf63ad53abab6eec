-- browser, epoch.
if call('EXISTS', BROWSER) == 0 then return 0 end
touch()
local epoch = tonumber(ARGV[2])
if epoch >= tonumber(call('HGET', BROWSER, 'op_epoch') or -1) then
  raise_epoch(ARGV[1], epoch)
  forget_words(ARGV[1])
  call('HSET', BROWSER, 'op_epoch', ARGV[2])
end
return 1
