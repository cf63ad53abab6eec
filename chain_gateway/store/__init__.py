"""What the gateway knows of browsers and walks, in memory, SQLite or Redis, under one contract."""
