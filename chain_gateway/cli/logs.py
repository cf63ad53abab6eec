"""Structured logs: one JSON object a line off a terminal, and nothing secret in any.

A log event has a name and named fields. What could slip in by mistake is taken out by one processor: every field whose
name or value looks like a credential. Tracebacks are plain, without the values of variables.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Final

import structlog

HIDDEN: Final = "***"
NAMES: Final = frozenset(
    {"authorization", "cookie", "set_cookie", "ticket", "receipt", "state", "token", "id_token", "code", "secret"}
)
"""Fields that are hidden whole; ``code`` of a refusal is an error's name and is let through if it looks like one."""
_ERROR_CODE: Final = re.compile(r"[a-z_]+(\.[a-z_]+)*")
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_.-]{24,}")
_QUERY: Final = re.compile(r"(https?://[^\s?#]+)\?\S+")


def configure(*, json: bool | None = None, debug: bool = False) -> None:
    """Sets structlog up for the process; ``json`` None means: unless standard error is a terminal."""
    as_json = not sys.stderr.isatty() if json is None else json
    renderer = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([structlog.processors.format_exc_info] if as_json else []),
            hide_secrets,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG if debug else logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def hide_secrets(
    logger: object,  # noqa: ARG001 - structlog passes it
    method: str,  # noqa: ARG001
    event: MutableMapping[str, object],
) -> MutableMapping[str, object]:
    """The event without credentials: hidden fields, tokens in values, and the query of every URL."""
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = _shown(name, value)
    return event


def _shown(name: str, value: str) -> str:
    if name == "code" and _ERROR_CODE.fullmatch(value):
        return value
    if name in NAMES:
        return HIDDEN
    return _TOKEN.sub(HIDDEN, _QUERY.sub(r"\1?" + HIDDEN, value))
