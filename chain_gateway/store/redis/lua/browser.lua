-- Everything that is known of a browser: fields and values.
return call('HGETALL', BROWSER)
