"""aiohttp at the edge: parse, call one use case, reply."""
