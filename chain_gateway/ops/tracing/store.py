"""A store whose calls are spans, where they are part of a request or of a round that has something to do."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

from opentelemetry.trace import SpanKind

from chain_gateway.ops.tracing.marks import Spanning, mark
from chain_gateway.store.base import Owed, Store, StoredWalk
from chain_gateway.store.timed import Observe, TimedStore

T = TypeVar("T")


class TracedStore(TimedStore):
    """``TimedStore`` with a span around each call: the call's name, and of a failure its class."""

    def __init__(self, store: Store, observe: Observe, spans: Spanning) -> None:
        """What ``store`` raises is raised."""
        super().__init__(store, observe)
        self._spans = spans

    async def _timed(self, call: str, answer: Awaitable[T]) -> T:
        parent = self._spans.parent()
        if parent is None:
            return await super()._timed(call, answer)
        span = self._spans.tracer.start_span(f"store {call}", parent, SpanKind.CLIENT, {"db.operation.name": call})
        try:
            return await super()._timed(call, answer)
        except BaseException as error:
            mark(span, error)
            raise
        finally:
            span.end()

    async def owed(self, now: int, lease_until: int, limit: int) -> list[Owed]:
        """See ``Queue.owed``; a round that claims something has begun."""
        claimed = await super().owed(now, lease_until, limit)
        if claimed:
            self._spans.parent(waking=True)
        return claimed

    async def sweep(self, now: int) -> list[StoredWalk]:
        """See ``Walks.sweep``; a round that finds something has begun."""
        found = await super().sweep(now)
        if found:
            self._spans.parent(waking=True)
        return found
