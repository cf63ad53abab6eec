"""The embedded OpenID Provider and the apps of the demo, on hosts foreign to each other."""
