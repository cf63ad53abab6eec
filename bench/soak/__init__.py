"""The soak: two gateways on one Redis under load while everything around them breaks, and what must hold afterwards.

``python -m bench.soak`` runs it; ``docs/soak.md`` says what it does and what came of it.
"""
