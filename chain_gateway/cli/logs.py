"""Structured logs: one JSON object a line off a terminal, and nothing secret in any.

A log event has a name and named fields. What could slip in by mistake is taken out by one processor: every field whose
name or value looks like a credential. Tracebacks are plain, without the values of variables. What libraries say goes
the same way: a line of theirs may hold a piece of a request.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from types import NoneType
from typing import Final

import structlog

HIDDEN: Final = "***"
NAMES: Final = frozenset(
    {
        "authorization", "bind", "client_secret", "code", "confirm", "cookie", "id_token", "logout_token", "nonce",
        "receipt", "request", "secret", "set_cookie", "state", "ticket", "token", "verifier",
    }
)  # fmt: skip
"""Fields that are hidden whole; ``code`` of a refusal is an error's name and is let through if it looks like one."""
_ERROR_CODE: Final = re.compile(r"[a-z_]+(\.[a-z_]+)*")
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]{32,}(?:\.[A-Za-z0-9_-]*)*")
"""A sealed text (a short kid, a dot, the rest) and a signed one (three parts); no name in a traceback is so long."""
_QUERY: Final = re.compile(r"(https?://[^\s?#]+)\?\S+")
_PLAIN: Final = (int, float, NoneType)
_LISTS: Final = (list, tuple)


class Forward(logging.Handler):
    """Takes what libraries log by the standard library, warnings and worse, and logs it as a line of ours."""

    def emit(self, record: logging.LogRecord) -> None:
        """One line ``library.said`` with the library's name and its words."""
        log = structlog.stdlib.get_logger("chain_gateway")
        log.warning("library.said", library=record.name, words=record.getMessage(), exc_info=record.exc_info or False)


def configure(*, json: bool | None = None, least: int = logging.INFO) -> None:
    """Sets up structlog, and the standard library's logging, for the process.

    ``json`` None means: unless standard error is a terminal. ``least`` is the lowest level that is shown.
    """
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
            structlog.processors.format_exc_info,
            hide_secrets,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[Forward()], level=logging.WARNING, force=True)


def hide_secrets(
    logger: object,  # noqa: ARG001 - structlog passes it
    method: str,  # noqa: ARG001
    event: MutableMapping[str, object],
) -> MutableMapping[str, object]:
    """The event without credentials: hidden fields, tokens in values, and the query of every URL."""
    for name, value in event.items():
        event[name] = _clean(name, value)
    return event


def _clean(name: str, value: object) -> object:
    """``value`` of the field ``name`` as it may be seen; tables and lists stay what they are."""
    if isinstance(value, str):
        return _shown(name, value)
    if isinstance(value, _PLAIN):
        return value
    if name not in NAMES and isinstance(value, dict):
        return {_shown("", str(key)): _clean(str(key), each) for key, each in value.items()}
    if name not in NAMES and isinstance(value, _LISTS):
        return [_clean(name, each) for each in value]
    return _shown(name, repr(value))


def _shown(name: str, value: str) -> str:
    if name == "code" and _ERROR_CODE.fullmatch(value):
        return value
    if name in NAMES:
        return HIDDEN
    if "." not in value and "?" not in value:
        return value  # most words: neither a token nor a query is spelt without
    return _TOKEN.sub(HIDDEN, _QUERY.sub(r"\1?" + HIDDEN, value))
