"""Reading logs: what walks were begun, what nobody caught, and whether anything secret is in a line."""

from __future__ import annotations

import logging
import re
import sys
from collections import Counter
from collections.abc import Collection, Iterable, MutableMapping
from typing import Any, Final

import structlog

from bench.soak.trace import Trace

_WORD: Final = re.compile(r"[A-Za-z0-9_.-]{24,}")
"""What a token, a key or a cookie looks like; ids of walks are shorter."""
_SHOWN: Final = 300


class Listener(logging.Handler):
    """Notes what goes wrong in this process: in the apps, at the provider, in the gateway of the end."""

    def __init__(self, trace: Trace) -> None:
        """Errors go into ``trace``."""
        super().__init__(logging.ERROR)
        self._trace = trace

    def emit(self, record: logging.LogRecord) -> None:
        """An error of a library, or of an app."""
        self._trace.exceptions.append(f"{record.name}: {record.getMessage()} {record.exc_info or ''}"[:_SHOWN])

    def heard(self, _logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """An error of the gateway in this process; all else that it says is nobody's concern."""
        self._trace.exceptions.append(str(dict(event))[:_SHOWN])
        raise structlog.DropEvent


def listen(trace: Trace) -> None:
    """From now on nothing that goes wrong here is lost."""
    listener = Listener(trace)
    logging.basicConfig(handlers=[listener], level=logging.ERROR, force=True)
    structlog.configure(
        processors=[listener.heard],
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )


def exceptions(lines: Iterable[dict[str, Any]]) -> list[str]:
    """What nobody caught: a line with a traceback, or one that is no line of ours."""
    return [f"{line.get('event')}: {str(line['exception'])[-_SHOWN:]}" for line in lines if "exception" in line]


def leaks(text: str, planted: Collection[str], seen: set[str]) -> list[str]:
    """The lines that have a secret of the configuration, or a value that a browser had; told without it."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        hidden = next((f"planted {n}" for n, secret in enumerate(planted) if secret in line), "")
        hidden = hidden or next(("what a browser had" for word in _WORD.findall(line) if word in seen), "")
        if hidden:
            found.append(f"line {number} has {hidden}")
    return found


def read(trace: Trace, lines: list[dict[str, Any]]) -> dict[str, Any]:
    """Counts of the lines by name, and of the walks that were begun; exceptions go into the trace."""
    trace.exceptions += exceptions(lines)
    walks: dict[str, set[str]] = {"login": set(), "logout": set()}
    for line in lines:
        if line.get("event") == "walk.begun":
            walks[line["kind"]].add(line["walk"])
    return {
        "events": Counter(str(line.get("event")) for line in lines),
        "begun": {kind: len(ids) for kind, ids in walks.items()},
    }
