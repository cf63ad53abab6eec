"""The cookies of walks that nobody finishes: the newest keep their room."""

from __future__ import annotations

import pytest

from chain_gateway.service.jar import surplus
from chain_gateway.service.realm import Visitor

PREFIX = "__Host-chain-who-"
ROOM_CHARS = 1400


def a_visitor(*sizes: int) -> Visitor:
    """A browser with one cookie of each size, the first one the oldest, and others of other kinds."""
    cookies = {f"{PREFIX}{at}": f"{at}".ljust(size - len(PREFIX) - 1, ".") for at, size in enumerate(sizes)}
    return Visitor(cookies={"__Host-chain": "x" * 9000} | dict(reversed(cookies.items())))


def begun(text: str) -> int:
    """The age that a cookie tells."""
    return int(text.rstrip("."))


def ended(visitor: Visitor) -> list[str]:
    """What is ended; nothing else is done."""
    found = surplus(visitor, PREFIX, ROOM_CHARS, begun)
    assert not any(cookie.value for cookie in found)
    return [cookie.name.removeprefix(PREFIX) for cookie in found]


@pytest.mark.parametrize("sizes", [(), (ROOM_CHARS,), (ROOM_CHARS // 4,) * 4])
def test_what_has_room_stays(sizes: tuple[int, ...]) -> None:
    """Up to the last character; cookies of other kinds do not count."""
    assert ended(a_visitor(*sizes)) == []


def test_the_oldest_go() -> None:
    """As many as it takes, in whatever order the browser shows them."""
    assert ended(a_visitor(*(ROOM_CHARS // 4,) * 7)) == ["0", "1", "2"]
    assert ended(a_visitor(300, 300, ROOM_CHARS)) == ["0", "1"]


def test_one_that_is_too_large_alone_goes() -> None:
    """There is no exception."""
    assert ended(a_visitor(ROOM_CHARS + 1)) == ["0"]
