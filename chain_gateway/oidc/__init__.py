"""The relying party: what is said to the OpenID Provider and how its answers are judged."""
