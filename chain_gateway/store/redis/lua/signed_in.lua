-- prefix: what the provider's words lead to.
return call('ZRANGEBYLEX', SIGN_INS, '[' .. ARGV[1], '(' .. ARGV[1] .. '\255')
