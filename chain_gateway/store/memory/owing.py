"""The owed logouts of all browsers, beside the ledgers that say so."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field, replace

from chain_gateway.core.ledger import Entry, Holding
from chain_gateway.store.base import Owed


@dataclass(slots=True)
class Owing:
    """The queue. It holds what is owed and nothing else, and looks at all of it for each claim: it is little."""

    _owed: dict[tuple[bytes, str], Owed] = field(default_factory=dict)

    def __len__(self) -> int:
        """How many logouts are owed."""
        return len(self._owed)

    def follow(self, browser: bytes, old: Entry | None, new: Entry) -> None:
        """The ledger of ``browser`` has ``new`` in place of ``old``."""
        key = (browser, new.app)
        if new.holding is not Holding.OWED:
            self._owed.pop(key, None)
        elif old is not None and old.holding is Holding.OWED and old.epoch == new.epoch:
            self._owed[key] = replace(self._owed[key], entry=new)
        else:
            self._owed[key] = Owed(browser, new)

    def forget(self, browser: bytes, app: str) -> None:
        """There is no such ledger any more."""
        self._owed.pop((browser, app), None)

    def clear(self) -> None:
        """Forgets all."""
        self._owed.clear()

    def claim(self, now: int, lease_until: int, limit: int) -> list[Owed]:
        """See ``Queue.owed``."""
        due = heapq.nsmallest(limit, (each for each in self._owed.values() if each.due <= now), key=_turn)
        claimed = [replace(each, due=lease_until) for each in due]
        self._owed.update({(each.browser, each.entry.app): each for each in claimed})
        return claimed

    def defer(self, browser: bytes, app: str, epoch: int, due: int, attempts: int) -> bool:
        """See ``Queue.defer``."""
        owed = self._owed.get((browser, app))
        if owed is None or owed.entry.epoch != epoch:
            return False
        self._owed[browser, app] = replace(owed, due=due, attempts=attempts)
        return True

    def all(self, limit: int) -> list[Owed]:
        """See ``Queue.all_owed``."""
        return heapq.nsmallest(limit, self._owed.values(), key=_turn)


def _turn(owed: Owed) -> tuple[int, int]:
    """The first to be due first, and of those that are due at once the one that is owed longest."""
    return owed.due, owed.entry.since
