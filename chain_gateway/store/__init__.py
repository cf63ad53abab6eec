"""What the gateway knows of browsers and walks, in memory or SQLite, under one contract."""
