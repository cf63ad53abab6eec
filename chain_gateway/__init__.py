"""One sign-in and one sign-out for sites on foreign domains, by a walk of signed top-level redirects."""

__version__ = "0.1.0"
