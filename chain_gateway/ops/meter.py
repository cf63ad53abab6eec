"""What is counted, by prometheus-client: names with bounded labels, nothing of a person, no secret.

Labels are the ids of registered apps and words of the protocol. With several workers each counts in files of its own
(``PROMETHEUS_MULTIPROC_DIR``), and whichever is asked answers for all.
"""

from __future__ import annotations

import os
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
HOP_BUCKETS: Final = (0.1, 0.25, 0.5, 1, 2, 5, 10, 30)
WALK_BUCKETS: Final = (1, 2, 5, 10, 30, 60, 300, 900)
SHARED: Final = "PROMETHEUS_MULTIPROC_DIR"


class PrometheusMeter:
    """``service.ports.Meter``, and the text that a Prometheus server asks for."""

    def __init__(self) -> None:
        """Counts from zero, in a registry of its own."""
        own = CollectorRegistry()
        self._own = own
        self._walks = Counter("chain_walks", "Walks by kind and how they stand: begun, or the place of their end.",
                              ("kind", "place"), registry=own)  # fmt: skip
        self._walk_seconds = Histogram("chain_walk_seconds", "From the beginning of a walk to its end.", ("kind",),
                                       buckets=WALK_BUCKETS, registry=own)  # fmt: skip
        self._hops = Counter("chain_hops", "Hops that were settled.", ("app", "kind", "mode", "outcome"), registry=own)
        self._hop_seconds = Histogram("chain_hop_seconds", "From a ticket to what came of it, in whole seconds.",
                                      ("kind", "mode"), buckets=HOP_BUCKETS, registry=own)  # fmt: skip
        self._deliveries = Counter("chain_deliveries", "Logout tokens that were told to apps.", ("app", "result"),
                                   registry=own)  # fmt: skip
        self._app_up = Gauge("chain_app_up", "Whether the gateway's own questions reach the app.", ("app",),
                             registry=own, multiprocess_mode="mostrecent")  # fmt: skip
        self._owed = Gauge("chain_owed_logouts", "Logouts that apps are owed.", registry=own,
                           multiprocess_mode="mostrecent")  # fmt: skip
        self._open = Gauge("chain_open_walks", "Walks under way.", registry=own, multiprocess_mode="mostrecent")
        self._store = Histogram("chain_store_seconds", "How long the store took to answer.", ("call",),
                                buckets=BUCKETS, registry=own)  # fmt: skip
        self._op = Histogram("chain_op_seconds", "How long the provider took to answer.", ("call",), buckets=BUCKETS,
                             registry=own)  # fmt: skip

    def walk_begun(self, kind: str) -> None:
        """See the port."""
        self._walks.labels(kind, "begun").inc()

    def walk_ended(self, kind: str, place: str, seconds: float) -> None:
        """See the port."""
        self._walks.labels(kind, place).inc()
        self._walk_seconds.labels(kind).observe(seconds)

    def hop_settled(self, app: str, kind: str, mode: str, outcome: str, seconds: float | None) -> None:
        """See the port."""
        self._hops.labels(app, kind, mode, outcome).inc()
        if seconds is not None:
            self._hop_seconds.labels(kind, mode).observe(seconds)

    def delivered(self, app: str, result: str) -> None:
        """See the port."""
        self._deliveries.labels(app, result).inc()

    def app_up(self, app: str, *, up: bool) -> None:
        """See the port."""
        self._app_up.labels(app).set(up)

    def store_answered(self, call: str, seconds: float) -> None:
        """The store has answered ``call``, or has failed to."""
        self._store.labels(call).observe(seconds)

    def op_answered(self, call: str, seconds: float) -> None:
        """The provider has answered ``call``, or has failed to."""
        self._op.labels(call).observe(seconds)

    def stands(self, *, owed: int, walks: int) -> None:
        """What the store holds now."""
        self._owed.set(owed)
        self._open.set(walks)

    def text(self) -> bytes:
        """All of it, in Prometheus' text format."""
        if not os.environ.get(SHARED):
            return generate_latest(self._own)
        everybody = CollectorRegistry()
        MultiProcessCollector(everybody)  # type: ignore[no-untyped-call]
        return generate_latest(everybody)
