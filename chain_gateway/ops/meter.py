"""What is counted, by prometheus-client: names with bounded labels, nothing of a person, no secret.

Labels are the ids of registered apps and words of the protocol. With several workers each counts in files of its own
(``ops.shared_counts``), and whichever is asked answers for all.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import cache
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from chain_gateway.ops.history import History, hops_of
from chain_gateway.ops.shared_counts import SHARED

BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
HOP_BUCKETS: Final = (0.1, 0.25, 0.5, 1, 2, 5, 10, 30)
WALK_BUCKETS: Final = (1, 2, 5, 10, 30, 60, 300, 900)


class PrometheusMeter:
    """``service.ports.Meter``, and the text that a Prometheus server asks for."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        """Counts from zero, in a registry of its own; ``clock`` tells since when an app is down."""
        self.history = History()
        self._clock = clock
        self._down: dict[str, float] = {}
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
        self._down_since = Gauge("chain_app_down_since_seconds", "Since when the app is not reached; 0 while it is.",
                                 ("app",), registry=own, multiprocess_mode="mostrecent")  # fmt: skip
        self._owed = Gauge("chain_owed_logouts", "Logouts that apps are owed.", registry=own,
                           multiprocess_mode="mostrecent")  # fmt: skip
        self._open = Gauge("chain_open_walks", "Walks under way.", registry=own, multiprocess_mode="mostrecent")
        self._store = Histogram("chain_store_seconds", "How long the store took to answer.", ("call",),
                                buckets=BUCKETS, registry=own)  # fmt: skip
        self._op = Histogram("chain_op_seconds", "How long the provider took to answer.", ("call",), buckets=BUCKETS,
                             registry=own)  # fmt: skip
        # Found once for each combination, of which there are few: the library looks and locks each time it is asked.
        self._hops_of, self._hop_seconds_of = cache(self._hops.labels), cache(self._hop_seconds.labels)
        self._store_of = cache(self._store.labels)

    def walk_begun(self, kind: str) -> None:
        """See the port."""
        self._walks.labels(kind, "begun").inc()

    def walk_ended(self, kind: str, place: str, seconds: float) -> None:
        """See the port."""
        self._walks.labels(kind, place).inc()
        self._walk_seconds.labels(kind).observe(seconds)

    def hop_settled(self, app: str, kind: str, mode: str, outcome: str, seconds: float | None) -> None:
        """See the port."""
        self._hops_of(app, kind, mode, outcome).inc()
        if seconds is not None:
            self._hop_seconds_of(kind, mode).observe(seconds)

    def delivered(self, app: str, result: str) -> None:
        """See the port."""
        self._deliveries.labels(app, result).inc()

    def app_up(self, app: str, *, up: bool) -> None:
        """See the port."""
        self._app_up.labels(app).set(up)
        since = self._down.pop(app, 0.0) or self._clock()
        if not up:
            self._down[app] = since
        self._down_since.labels(app).set(self._down.get(app, 0.0))

    def leaves_nobody_out(self) -> None:
        """Says of each app that was left out that it is no more: whoever serves from now on has asked nobody yet."""
        for app in list(self._down):
            self.app_up(app, up=True)

    def store_answered(self, call: str, seconds: float) -> None:
        """The store has answered ``call``, or has failed to."""
        self._store_of(call).observe(seconds)

    def op_answered(self, call: str, seconds: float) -> None:
        """The provider has answered ``call``, or has failed to."""
        self._op.labels(call).observe(seconds)

    def stands(self, *, owed: int, walks: int) -> None:
        """What the store holds now."""
        self._owed.set(owed)
        self._open.set(walks)

    def text(self) -> bytes:
        """All of it, in Prometheus' text format."""
        return generate_latest(self._everybody())

    def families(self) -> list[Metric]:
        """All of it, as it is counted."""
        return list(self._everybody().collect())

    def remember(self, now: int) -> None:
        """Lets ``history`` take what was counted by ``now``."""
        self.history.take(hops_of(self.families()), now)

    def _everybody(self) -> CollectorRegistry:
        """What this process has counted, or with several workers what all of them have."""
        if not os.environ.get(SHARED):
            return self._own
        everybody = CollectorRegistry()
        MultiProcessCollector(everybody)  # type: ignore[no-untyped-call]
        return everybody
