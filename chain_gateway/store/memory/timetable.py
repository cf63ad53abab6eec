"""When to look at a key again: the memory store's way to forget without looking at everything."""

from __future__ import annotations

import heapq
from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Timetable(Generic[K]):
    """Keys by the second at which they are due; whoever takes one out decides whether it comes back in."""

    __slots__ = ("_heap", "_turn")

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, K]] = []
        self._turn = 0

    def __len__(self) -> int:
        """How many keys wait."""
        return len(self._heap)

    def add(self, at: int, key: K) -> None:
        """Lets ``key`` be due at ``at`` (seconds)."""
        self._turn += 1
        heapq.heappush(self._heap, (at, self._turn, key))

    def due(self, now: int) -> Iterator[K]:
        """Takes out the keys whose second lies before ``now``, the earliest first."""
        while self._heap and self._heap[0][0] < now:
            yield heapq.heappop(self._heap)[2]

    def clear(self) -> None:
        """Forgets them all."""
        self._heap.clear()
