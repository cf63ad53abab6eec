-- The open walks of a browser, the newest epoch first; pairs of id and record.
local found = {}
for _, id in ipairs(call('ZREVRANGE', OPEN, 0, -1)) do
  found[#found + 1] = id
  found[#found + 1] = call('HGET', WALKS, id)
end
return found
