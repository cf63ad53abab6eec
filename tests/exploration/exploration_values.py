"""The values of an explored world: messages, what is said of them, tabs, and states, each with a number of its own.

A state is a short tuple of numbers. Whatever is behind a number is immutable, so that a state can be kept, compared and
gone on from in several ways, and so that each piece of real work is done once for each thing that it depends on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Hashable
from dataclasses import fields, is_dataclass
from functools import cache
from types import NoneType
from typing import NamedTuple, TypeVar

from support.exploration import Numbered

T = TypeVar("T")
C = TypeVar("C")

GATEWAY, PROVIDER = "login", "id"
DOMAIN = "example"

Pairs = tuple[tuple[str, str], ...]
Cookie = tuple[str, str, int]
"""Name, value, and the millisecond at which it is gone."""
Jar = frozenset[Cookie]


def origin_of(host: str) -> str:
    """The origin of a server of the world."""
    return f"https://{host}.{DOMAIN}"


class Request(NamedTuple):
    """A request on its way to ``to``; ``shown`` are the cookies that the browser sent with it."""

    to: str
    path: str
    fields: Pairs = ()
    posted: bool = False
    shown: Pairs = ()


class Note(NamedTuple):
    """Something that happened, for the invariants alone: ``what`` decides what the rest means."""

    what: str
    about: tuple[Hashable, ...] = ()


class Answer(NamedTuple):
    """An answer on its way back: cookies, then the next request (its cookies are added when it is sent) or a page.

    ``page`` names what the person sees, and is empty for a redirect; ``aside`` is the page's own way past the app.
    ``said`` are notes of the moment in which the server answered, ``heard`` of the one in which the answer arrives.
    """

    by: str
    cookies: tuple[Cookie, ...] = ()
    onward: Request | None = None
    page: str = ""
    aside: Request | None = None
    said: tuple[Note, ...] = ()
    heard: tuple[Note, ...] = ()


class Tab(NamedTuple):
    """Where one tab stands; ``shown_page`` is the last request that a page answered, to which Back leads."""

    phase: int = 0
    request: int = 0
    answer: int = 0
    sent: int = 0
    shown_page: int = 0


IDLE, ASKED, ANSWERED, ENDED, LOST = range(5)


class Ghost(NamedTuple):
    """A request that its tab no longer waits for: a proxy's repetition, or what a reload left behind."""

    phase: int
    request: int
    answer: int
    draws: tuple[Hashable, ...]


class State(NamedTuple):
    """Everything at one moment; ``now`` in milliseconds, ``faults`` that may still happen, the rest are numbers."""

    store: int
    op: int
    memories: tuple[int, ...]
    jars: tuple[int, ...]
    tabs: tuple[int, ...]
    ghosts: tuple[int, ...]
    now: int
    faults: int
    facts: int


REQUESTS: Numbered[Request] = Numbered(Request("", ""))
ANSWERS: Numbered[Answer] = Numbered(Answer(""))
TABS: Numbered[Tab] = Numbered(Tab())
GHOSTS: Numbered[Ghost] = Numbered(Ghost(0, 0, 0, ()))
JARS: Numbered[Jar] = Numbered(frozenset())


def forget() -> None:
    """Lets go of all numbers; whatever was numbered before means nothing any more."""
    for table in (REQUESTS, ANSWERS, TABS, GHOSTS, JARS):
        table.__init__(table.values[0])


class Frozen:
    """Contents of an object by number: equal contents have one number, whatever the order in which they came in."""

    def __init__(self, first: object) -> None:
        """``first`` is the object as it is when the world begins."""
        self._numbers: dict[Hashable, int] = {}
        self._contents: list[dict[str, object]] = []
        self.first = self.number(first)

    def number(self, thing: object) -> int:
        """The number of what ``thing`` holds now."""
        key = canonical(vars(thing))
        found = self._numbers.setdefault(key, len(self._contents))
        if found == len(self._contents):
            self._contents.append(copied(vars(thing)))
        return found

    def restore(self, number: int, thing: object) -> None:
        """Makes ``thing`` hold what has that number."""
        vars(thing).clear()
        vars(thing).update(copied(self._contents[number]))


def copied(value: C) -> C:
    """``value`` again, so that changes of one leave the other alone; what cannot change is the same object."""
    if type(value) in PLAIN:
        return value
    if isinstance(value, dict):
        return {key: copied(item) for key, item in value.items()}
    if isinstance(value, list):
        return [copied(item) for item in value]
    if isinstance(value, tuple) or (is_dataclass(value) and type(value).__dataclass_params__.frozen):
        return value
    new = object.__new__(type(value))
    for name in _names(type(value)) if is_dataclass(value) else type(value).__slots__:
        object.__setattr__(new, name, copied(getattr(value, name)))
    return new


PLAIN = frozenset({int, str, bytes, bool, NoneType})


def canonical(value: object) -> Hashable:  # noqa: PLR0911 - a line for each kind
    """``value`` as something to compare; a timetable is the set of its times, as only their order matters to it."""
    if type(value) in PLAIN:
        return value
    if isinstance(value, dict):
        return frozenset((canonical(key), canonical(item)) for key, item in value.items())
    if isinstance(value, list | tuple):
        return tuple(canonical(item) for item in value)
    if isinstance(value, set | frozenset):
        return frozenset(canonical(item) for item in value)
    if is_dataclass(value):
        if type(value).__dataclass_params__.frozen:
            return value
        return (type(value), *(canonical(getattr(value, name)) for name in _names(type(value))))
    if hasattr(value, "_heap"):
        return frozenset((at, canonical(key)) for at, _, key in value._heap)
    if isinstance(value, Hashable) and type(value).__hash__ is not object.__hash__:
        return value
    raise TypeError(f"cannot compare a {type(value).__name__}")


@cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def at_once(coroutine: Coroutine[object, object, T], loop: asyncio.AbstractEventLoop) -> T:
    """What a coroutine returns that waits for nothing, as everything here is in memory; AssertionError if it waits.

    ``loop`` is there for whatever asks for one, and does not run: that would cost more than most of what is run here.
    """
    asyncio._set_running_loop(loop)
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    finally:
        asyncio._set_running_loop(None)
    coroutine.close()
    raise AssertionError("a use case waits for something")
