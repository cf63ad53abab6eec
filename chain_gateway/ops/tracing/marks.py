"""What every span is handled by: which one is current, and what it says of a failure."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import structlog
from opentelemetry.context import Context, attach, detach
from opentelemetry.trace import Span, StatusCode, Tracer, set_span_in_context


class Spanning(Protocol):
    """What begins spans."""

    tracer: Tracer

    def parent(self, *, waking: bool = False) -> Context | None:
        """What a new span is a part of; ``waking`` begins a round that had found nothing to do before."""


@contextmanager
def current(span: Span) -> Iterator[None]:
    """Makes ``span`` the current one, also for the lines of the log, and ends it with the block."""
    context = span.get_span_context()
    token = attach(set_span_in_context(span))
    ids = {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}
    try:
        with structlog.contextvars.bound_contextvars(**ids):
            yield
    except BaseException as error:
        mark(span, error)
        raise
    finally:
        detach(token)
        span.end()


def mark(span: Span, error: BaseException) -> None:
    """Says that ``error`` ended it, by its class alone: its words may repeat a request."""
    span.set_attribute("error.type", type(error).__name__)
    span.set_status(StatusCode.ERROR)
