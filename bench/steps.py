"""Where a hop's time goes: a stopwatch around each step of the relay, in a server that really serves.

A step's time is its own, without the steps inside it. The middle of many hops is told, so that a hop during which the
machine did something else does not count. The store is in memory: nothing is waited for, so that steps nest.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Coroutine
from typing import Final, ParamSpec, TypeVar

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

P = ParamSpec("P")
T = TypeVar("T")

MICRO: Final = 1e3
REST: Final = "everything between these steps: middlewares, handler, use case, reply"

STEPS: Final = (
    ("the browser's cookie, opened for aiohttp-session", "chain_gateway.web.cookies:BrowserStorage.load_session"),
    ("query parsed and bounded", "chain_gateway.web.parse:query"),
    ("who is visiting: cookies by name, none twice", "chain_gateway.web.routes:visitor"),
    ("chain token opened and unpacked", "chain_gateway.service.relay:open_walk"),
    ("receipt verified (HS256) and compared", "chain_gateway.service.relay:verify_receipt"),
    ("identity's cookie opened", "chain_gateway.service.identity:Identities.read"),
    ("machine stepped", "chain_gateway.service.passage:step"),
    ("ledger entries made", "chain_gateway.service.notes:Notes.entries"),
    ("walk packed", "chain_gateway.service.passage:pack"),
    ("nonce spent, walk and ledger written (memory)", "chain_gateway.store.memory:MemoryStore.advance"),
    ("log lines, or finding that nobody listens", "chain_gateway.service.passage:log_step"),
    ("ticket's claims put together", "chain_gateway.service.tickets:Tickets.issue"),
    ("next chain token packed and sealed", "chain_gateway.service.tickets:seal_walk"),
    ("ticket encoded", "chain_gateway.service.tickets:sign_claims"),
    ("ticket signed (ES256)", "chain_gateway.tokens.es256:signature"),
    ("URL of the next hop", "chain_gateway.hops.redirect:Redirect.depart"),
    ("answer made, Location looked at once more", "chain_gateway.web.routes:answer"),
)
"""Each step in words, and the function that it is: where it is called from, as modules take functions by name."""


class Stopwatch:
    """Takes the own time of each step, hop by hop."""

    def __init__(self) -> None:
        self.hops: dict[str, list[int]] = defaultdict(list)
        self._hop: dict[str, int] = defaultdict(int)
        self._inside: list[int] = []

    def enter(self) -> int:
        """A step begins; the nanosecond of it."""
        self._inside.append(0)
        return time.thread_time_ns()

    def leave(self, name: str, began: int) -> None:
        """The step ``name`` ends: it has the time that no step inside it has."""
        took = time.thread_time_ns() - began
        self._hop[name] += took - self._inside.pop()
        if self._inside:
            self._inside[-1] += took

    def _whole(self) -> Middleware:
        """The outermost middleware: what it encloses is one hop."""

        @web.middleware
        async def enclose(request: web.Request, handler: Handler) -> web.StreamResponse:
            began = self.enter()
            response = await handler(request)
            self.leave(REST, began)
            for name, took in self._hop.items():
                self.hops[name].append(took)
            self._hop.clear()
            return response

        return enclose

    def wind(self, app: web.Application) -> None:
        """Puts itself around ``app`` and every step; AttributeError if one of them is not where ``STEPS`` says."""
        app.middlewares.insert(0, self._whole())
        for name, place in STEPS:
            module, _, path = place.partition(":")
            owner: object = importlib.import_module(module)
            *owners, last = path.split(".")
            for each in owners:
                owner = getattr(owner, each)
            setattr(owner, last, self._around(name, getattr(owner, last)))

    def told(self) -> list[tuple[str, float]]:
        """Each step with its µs a hop, in the order of ``STEPS``, and the rest."""
        return [(name, statistics.fmean(self.hops[name]) / MICRO) for name in (*(s for s, _ in STEPS), REST)]

    def _around(self, name: str, function: Callable[P, T]) -> Callable[P, T | Coroutine[None, None, T]]:
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def awaited(*args: P.args, **kwargs: P.kwargs) -> T:
                began = self.enter()
                try:
                    found: T = await function(*args, **kwargs)
                finally:
                    self.leave(name, began)
                return found

            return awaited

        @functools.wraps(function)
        def called(*args: P.args, **kwargs: P.kwargs) -> T:
            began = self.enter()
            try:
                return function(*args, **kwargs)
            finally:
                self.leave(name, began)

        return called
