"""What the dashboard shows, gathered from the store and from what was counted."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from chain_gateway.errors import StoreUnavailable
from chain_gateway.ops.history import Tally
from chain_gateway.ops.meter import PrometheusMeter
from chain_gateway.service import walk_book
from chain_gateway.service.realm import Realm
from chain_gateway.store.base import Counts, StoredWalk

SHOWN: Final = 200
"""How many walks and owed logouts a page lists; the numbers above it count all."""
UP, DOWN_SINCE = "chain_app_up", "chain_app_down_since_seconds"
Members = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Found:
    """Everything at a glance. ``stands`` is None where the store does not answer, and then there are no lists.

    ``down`` has since when each app is left out; ``asked`` is how many apps the gateway asks; ``names`` are for people.
    """

    now: int
    began: int
    stands: Counts | None
    walks: Sequence[Members]
    owed: Sequence[Members]
    down: Mapping[str, int]
    asked: int
    minutes: Sequence[tuple[int, Mapping[str, Tally]]]
    names: Mapping[str, str]

    @property
    def owed_by_app(self) -> list[tuple[str, int]]:
        """How much of what is listed each app is owed, the most first."""
        return Counter(str(owed["app"]) for owed in self.owed).most_common()

    def members(self) -> dict[str, object]:
        """The same for programs."""
        minutes = [
            {"at": at, "apps": {app: [h.confirmed, h.failed, h.other] for app, h in apps.items()}}
            for at, apps in self.minutes
        ]
        stands = {"walks": self.stands.walks, "owed": self.stands.owed} if self.stands else None
        lists = {"walks": list(self.walks), "owed": list(self.owed)}
        return {"now": self.now, "stands": stands, **lists, "down": dict(self.down), "minutes": minutes}


@dataclass(frozen=True, slots=True)
class Shown:
    """One walk."""

    walk: Members
    open: bool
    ahead: Sequence[str]
    ledger: Sequence[Members]
    names: Mapping[str, str]

    def members(self) -> dict[str, object]:
        """The same for programs."""
        return {"walk": self.walk, "open": self.open, "ahead": list(self.ahead), "ledger": list(self.ledger)}


class Overview:
    """Gathers."""

    def __init__(self, realm: Realm, meter: PrometheusMeter) -> None:
        """``realm`` has the store and the apps, ``meter`` what all workers have counted."""
        self._realm = realm
        self._meter = meter
        self._names = {str(app.id): app.name for app in realm.registry.apps.values()}

    async def gathered(self) -> Found:
        """How things stand now."""
        realm, meter = self._realm, self._meter
        up, down = await asyncio.to_thread(self._breakers)
        stands, walks, owed = await self._stored()
        return Found(
            now=realm.now(),
            began=meter.history.began,
            stands=stands,
            walks=walks,
            owed=owed,
            down={app: since for app, since in sorted(down.items()) if not up.get(app, True)},
            asked=len(up),
            minutes=meter.history.within(realm.now()),
            names=self._names,
        )

    def name_of(self, app: str) -> str:
        """What people call an app; its id where it is registered no more."""
        return self._names.get(app, app)

    async def of_walk(self, stored: StoredWalk) -> Shown:
        """One walk, and what is known of its browser."""
        realm = self._realm
        walk = walk_book.walk_members(stored, realm.registry, hops=True)
        known = await realm.store.browser(stored.browser)
        chain = str(walk["chain"])
        ledger = walk_book.ledger_members(known, chain, realm.registry, realm.now()) if known else []
        return Shown(walk, stored.open, walk_book.ahead_of(stored, realm.registry), ledger, self._names)

    async def _stored(self) -> tuple[Counts | None, Sequence[Members], Sequence[Members]]:
        try:
            stands = await self._realm.store.counts()
            walks, owed = await walk_book.listed(self._realm.store, self._realm.registry, SHOWN)
        except StoreUnavailable:
            return None, (), ()
        return stands, walks, owed

    def _breakers(self) -> tuple[dict[str, bool], dict[str, int]]:
        """Of each registered app that was asked: whether it is up, and since when it is down."""
        samples = [sample for family in self._meter.families() for sample in family.samples]
        apps = [sample for sample in samples if sample.labels.get("app") in self._names]
        up = {sample.labels["app"]: bool(sample.value) for sample in apps if sample.name == UP}
        return up, {sample.labels["app"]: int(sample.value) for sample in apps if sample.name == DOWN_SINCE}
