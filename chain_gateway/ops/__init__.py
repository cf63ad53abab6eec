"""The operations listener: health, readiness and metrics, for operators and their programs alone."""
