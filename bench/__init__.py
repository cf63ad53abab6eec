"""What the gateway costs, measured: ``chain-gateway bench`` runs it, ``docs/performance.md`` explains it.

Everything measured is the real thing in a process of its own, asked over loopback by a client that costs less than what
it measures. Each figure has a baseline from the same run, as numbers drift with the machine and ratios hold.
"""
