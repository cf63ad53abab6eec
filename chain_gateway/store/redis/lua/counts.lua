-- How many walks are open, and how many logouts are owed.
return {call('ZCARD', DEADLINES), call('ZCARD', OWED)}
