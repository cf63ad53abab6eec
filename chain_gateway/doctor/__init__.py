"""Looks at the real world before people do: the provider, the apps, the store, the keys, and who shares cookies."""
