"""The configuration file: its model, its secrets, and every problem at once."""
