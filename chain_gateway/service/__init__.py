"""The use cases: login, logout, relay, resume; they name ports and never see the web framework."""
