"""What an app installs: the hop, the session rule, and an adapter for its framework."""
