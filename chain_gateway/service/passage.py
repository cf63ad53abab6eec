"""A walk's way on: step the machine, write it down, and only then send the browser off.

Every use case that moves a walk ends here. Spending the nonce, writing the next state and noting the ledger are one
call to the store (``Store.advance``), so no crash can come between them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from chain_gateway.core.actions import Action, Present, SendAway, SendBegin, SendTicket, Settle
from chain_gateway.core.chain import Mode
from chain_gateway.core.events import Event, HopFailed, Overtaken, Proceed
from chain_gateway.core.ledger import Entry, Holding, OpRecord
from chain_gateway.core.limits import HOP_SECONDS, OWED_SECONDS, WALK_SECONDS
from chain_gateway.core.machine import step
from chain_gateway.core.packing import pack, unpack
from chain_gateway.core.rules import left_out, shown_after
from chain_gateway.core.walk import Hops, Kind, Outcome, Walk
from chain_gateway.errors import StoreUnavailable
from chain_gateway.service.confirmed import is_settled
from chain_gateway.service.departures import Departures
from chain_gateway.service.health import Health
from chain_gateway.service.identity import Identity
from chain_gateway.service.log import log_step
from chain_gateway.service.notes import Notes, by_name
from chain_gateway.service.realm import Realm, Visitor
from chain_gateway.service.views import Cookie, Reply, Show
from chain_gateway.store.base import Advanced, Replayed, StoredWalk

WALK_NONCE_BYTES = 16
BLIND = frozenset({Mode.REDIRECT, Mode.TWO_STEP})
"""Modes in which the browser is sent off without having asked whether it will arrive."""


class Passage:
    """Moves walks."""

    def __init__(self, realm: Realm, departures: Departures, health: Health, wake: Callable[[], None]) -> None:
        """``departures`` turns what is to be done into a reply; ``wake`` says that a logout is owed at once."""
        self._realm = realm
        self._departures = departures
        self._health = health
        self._wake = wake
        self._notes = Notes(realm)

    async def begin(
        self,
        walk: Walk,
        identity: Identity,
        visitor: Visitor,
        *,
        op_session: OpRecord | None = None,
        entries: list[Entry] | None = None,
        cookies: tuple[Cookie, ...] = (),
    ) -> Reply:
        """Starts ``walk``: writes it down before the browser leaves. Without the store a login is refused.

        ``entries`` go into the ledger with it.
        """
        await self._look_ahead(walk)
        stepped, actions = self._step(walk, Proceed())
        entries = [*(entries or []), *self._notes.entries(walk, stepped, actions, identity)]
        try:
            if walk.kind is Kind.LOGOUT:
                entries += self._notes.in_advance(stepped, identity)
                # Nobody known: a stranger, or one whom the store did not tell of just now, and then it has the names.
                known = None if identity.sid else await self._realm.store.browser(walk.browser)
                entries = by_name(entries, known.ledger if known else {})
            await self._realm.store.open_walk(self._record(stepped), entries, op_session)
        except StoreUnavailable:
            if walk.kind is Kind.LOGIN:
                raise
        self._wake_for(entries)
        log_step(self._realm, walk, stepped, actions, "walk.begun")
        # Written first and then looked: a walk that took its epoch meanwhile either sees what is written, or is seen.
        if walk.kind is Kind.LOGIN and await self._is_overtaken(walk):
            await self._realm.store.drop_walk(walk.id)
            return await self._give_way(walk, identity, visitor)
        return await self._leave(stepped, actions, identity, visitor, cookies)

    async def go_on(
        self, walk: Walk, event: Event, identity: Identity, visitor: Visitor, cookies: tuple[Cookie, ...] = ()
    ) -> Reply:
        """One event happened to ``walk``; its nonce is spent by this, or had been, and then nothing changes."""
        stepped, actions = self._step(walk, event)
        if isinstance(actions[-1], Present):
            return await self.present(walk, identity, visitor)
        entries = self._notes.entries(walk, stepped, actions, identity)
        try:
            entries = await self._unsettled(walk, entries)
            result = await self._realm.store.advance(self._record(stepped), walk.nonce, entries)
        except StoreUnavailable:
            if walk.kind is Kind.LOGIN:
                raise
            stepped, result = _unproven(walk, stepped, actions), Advanced()
        if isinstance(result, Advanced):
            await self._hurry(walk, entries)
            log_step(self._realm, walk, stepped, actions, "walk.stepped")
            return await self._leave(stepped, actions, identity, visitor, cookies)
        if isinstance(result, Replayed) and not result.walk.stopped:
            return await self.present(shown_after(unpack(result.walk.state), walk), identity, visitor)
        return await self._give_way(walk, identity, visitor)

    async def end(self, walk: Walk, event: Event, identity: Identity) -> bool:
        """Ends ``walk`` without its browser; False if somebody else moved it meanwhile."""
        stepped, actions = self._step(walk, event)
        entries = await self._unsettled(walk, self._notes.entries(walk, stepped, actions, identity))
        result = await self._realm.store.advance(self._record(stepped), walk.nonce, entries)
        if not isinstance(result, Advanced):
            return False
        await self._hurry(walk, entries)
        log_step(self._realm, walk, stepped, actions, "walk.swept")
        return True

    async def present(self, walk: Walk, identity: Identity, visitor: Visitor) -> Reply:
        """Where ``walk`` stands, without changing anything."""
        return await self._departures.present(walk, identity, visitor)

    def walk_page(self, walk: Walk) -> Reply:
        """The page of a walk under way."""
        return Show(self._departures.walk_page(walk))

    async def _is_overtaken(self, walk: Walk) -> bool:
        """Whether a newer walk of this browser has begun."""
        known = await self._realm.store.browser(walk.browser)
        return known is not None and known.epoch > walk.epoch

    async def _give_way(self, walk: Walk, identity: Identity, visitor: Visitor) -> Reply:
        """The end of a walk that a newer one has overtaken."""
        overtaken, actions = step(walk, Overtaken(), self._realm.now())
        log_step(self._realm, walk, overtaken, actions, "walk.superseded")
        return await self._departures.superseded(overtaken, identity, visitor)

    async def _unsettled(self, walk: Walk, entries: list[Entry]) -> list[Entry]:
        """``entries`` without a logout that the back channel has delivered before the hop was given up.

        What is owed goes by the ledger's own session id: the browser's cookie may have had no room for it, or be gone.
        """
        if walk.kind is Kind.LOGIN or not any(entry.holding is Holding.OWED for entry in entries):
            return entries
        known = await self._realm.store.browser(walk.browser)
        ledger = known.ledger if known else {}
        left = [e for e in entries if not (e.holding is Holding.OWED and is_settled(ledger.get(e.app), walk.epoch))]
        return by_name(left, ledger)

    async def _leave(
        self, walk: Walk, actions: tuple[Action, ...], identity: Identity, visitor: Visitor, cookies: tuple[Cookie, ...]
    ) -> Reply:
        reply = await self._departures.reply(walk, actions[-1], identity, visitor)
        if isinstance(reply, HopFailed):
            return await self.go_on(left_out(walk), reply, identity, visitor, cookies)
        return replace(reply, cookies=(*cookies, *reply.cookies)) if cookies else reply

    def _step(self, walk: Walk, event: Event) -> tuple[Walk, tuple[Action, ...]]:
        """Steps, past apps that are registered no more or known to be down, and gives the walk its next nonce."""
        now = self._realm.now()
        stepped, actions = step(walk, event, now)
        while isinstance(actions[-1], SendTicket | SendBegin | SendAway) and (why := self._why_not(stepped)):
            stepped, more = step(left_out(stepped), HopFailed(why, why.word), now)
            actions = (*actions[:-1], *more)
        return stepped.issued(self._realm.random(WALK_NONCE_BYTES), now), actions

    def _why_not(self, walk: Walk) -> Outcome | None:
        """Why the hop at the cursor is not made at all, or None; a page asks the app itself, a redirect cannot."""
        hop = walk.hop
        app = self._realm.registry.by_tag.get(hop.tag)
        if app is None:
            return Outcome.GONE
        down = self._health.is_down(app, strict=hop.mode is not Mode.FORM_POST)
        return Outcome.UNREACHABLE if down else None

    async def _look_ahead(self, walk: Walk) -> None:
        """Asks apps of ``walk`` whether they are up: where a redirect could strand the browser, or one was down."""
        by_tag = self._realm.registry.by_tag
        apps = [(hop.mode, by_tag[hop.tag]) for hop in walk.hops if hop.tag in by_tag]
        self._health.touch(app for _, app in apps)
        await self._health.look(app for mode, app in apps if mode in BLIND or self._health.is_down(app, strict=True))

    async def _hurry(self, walk: Walk, entries: Sequence[Entry]) -> None:
        """Lets what a failed hop owes be delivered at once: the browser's visit, for which it waited, is over.

        After that wait the queue has it in hand, and may be telling the app just now.
        """
        now = self._realm.now()
        waiting = walk.kind is Kind.LOGOUT and now < walk.expires_at - WALK_SECONDS + OWED_SECONDS
        try:
            for entry in entries if waiting else ():
                if entry.holding is Holding.OWED:
                    await self._realm.store.defer(walk.browser, entry.app, entry.epoch, now, 0)
        except StoreUnavailable:
            return
        self._wake_for(entries)

    def _wake_for(self, entries: Sequence[Entry]) -> None:
        if any(entry.holding is Holding.OWED and not entry.due for entry in entries):
            self._wake()

    def _record(self, walk: Walk) -> StoredWalk:
        return StoredWalk(
            id=walk.id,
            browser=walk.browser,
            epoch=walk.epoch,
            nonce=walk.nonce,
            state=pack(walk),
            hop_deadline=min(walk.issued_at + HOP_SECONDS, walk.expires_at),
            expires_at=walk.expires_at,
            ended=walk.place.ended,
        )


def _unproven(before: Walk, after: Walk, actions: tuple[Action, ...]) -> Walk:
    """The walk as it is when nothing could be written down: what this step settled counts as unproven."""
    hops: Hops = after.hops
    for action in actions:
        if isinstance(action, Settle) and before.hops.outcome(action.index) is Outcome.PENDING:
            hops = hops.settled(action.index, Outcome.UNPROVEN)
    return after._replace(hops=hops)
