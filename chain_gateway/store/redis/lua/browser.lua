-- Everything that is known of a browser: fields and values, among them whether it is the whole.
local known = call('HGETALL', BROWSER)
if #known > 0 then
  local stands = call('HMGET', BROWSER, 'life', 'doubt')
  known[#known + 1] = 'whole'
  known[#known + 1] = stands[1] == this_life() and not stands[2] and '1' or '0'
end
return known
