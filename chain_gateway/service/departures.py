"""From an action to a reply: where the browser goes now, or what its person sees."""

from __future__ import annotations

from dataclasses import replace

from chain_gateway.core.actions import Action, SendAway, SendBegin, SendTicket, SendToOp
from chain_gateway.core.chain import App, Mode
from chain_gateway.core.events import HopFailed
from chain_gateway.core.forecast import form_reach
from chain_gateway.core.limits import TICKET_SECONDS
from chain_gateway.core.origins import origin_of, with_query
from chain_gateway.core.walk import OUT, Kind, Outcome, Place, Walk
from chain_gateway.errors import BrowserUnknown, OpUnavailable, StoreUnavailable, TokenRefused
from chain_gateway.hops.base import Parcel
from chain_gateway.hops.modes import MODES
from chain_gateway.service.away import Away
from chain_gateway.service.describe import describe
from chain_gateway.service.endings import Endings
from chain_gateway.service.identity import Identity
from chain_gateway.service.log import log
from chain_gateway.service.op_session import OpSessions
from chain_gateway.service.ports import OpenIdProvider
from chain_gateway.service.realm import Realm, Visitor
from chain_gateway.service.tickets import Tickets
from chain_gateway.service.views import Go, HopPage, PausePage, Reply, Show, WalkPage
from chain_gateway.tokens.encoding import b64e


class Departures:
    """Performs what the machine asks for."""

    def __init__(self, realm: Realm, provider: OpenIdProvider) -> None:
        """``provider`` knows where its own pages are."""
        self._realm = realm
        self._provider = provider
        self._tickets = Tickets(realm)
        self._away = Away(realm)
        self._op_sessions = OpSessions(realm)
        self._endings = Endings(realm)

    async def reply(self, walk: Walk, action: Action, identity: Identity, visitor: Visitor) -> Reply | HopFailed:
        """The reply that performs ``action``.

        HopFailed if the provider's logout is out of reach, or the ticket is longer than what an app takes.
        """
        identity = await self._whole(walk, identity)
        if isinstance(action, SendToOp):
            return await self._to_op(walk, visitor) or HopFailed(Outcome.UNREACHABLE, "op_unavailable")
        if isinstance(action, SendTicket | SendBegin):
            cnf = action.cnf if isinstance(action, SendTicket) else ""
            sent = self._sent(walk, identity, begin=isinstance(action, SendBegin), cnf=cnf)
            return sent or HopFailed(Outcome.ERROR, "ticket_size")
        if isinstance(action, SendAway):
            return replace(self._send(walk, identity), cookies=self._away.cookies(walk, visitor))
        return await self.present(walk, identity, visitor)

    async def present(self, walk: Walk, identity: Identity, visitor: Visitor) -> Reply:
        """Where ``walk`` stands. The ticket that is out is shown again with the same ``jti`` while it is valid.

        Not where the run of redirects would grow too long by it: then a page ends that run.
        """
        identity = await self._whole(walk, identity)
        fresh = self._realm.now() < walk.issued_at + TICKET_SECONDS and walk.redirects <= walk.budget
        first = walk.place is Place.BINDING
        again = fresh and (first or (walk.place is Place.VISITING and walk.hop.mode is not Mode.TWO_STEP))
        if again and (sent := self._sent(walk, identity, begin=first)) is not None:
            return sent
        if walk.place is Place.PAUSED:
            return self._pause(walk)
        if walk.place.ended:
            return await self._endings.finish(walk, visitor)
        return Show(self.walk_page(walk))

    def walk_page(self, walk: Walk) -> WalkPage:
        """The page of a walk under way: go on, go on without the app that is out, or end it here."""
        relay = self._tickets.relay_url(self._tickets.state(walk))
        out = walk.place in OUT
        return WalkPage(
            describe(self._realm, walk),
            resume_url=relay if walk.place in {Place.BINDING, Place.VISITING} else self._realm.url("/resume"),
            skip_url=with_query(relay, error="skipped") if out else "",
            finish_url=with_query(relay, error="finish") if walk.place is not Place.AT_OP else "",
        )

    async def superseded(self, walk: Walk, identity: Identity, visitor: Visitor) -> Reply:
        """A newer walk has begun: a login of the same person just goes on, anybody else is told."""
        if walk.silent:
            return Go(with_query(walk.return_to, error="login_required"), cookies=self._endings.clear(walk, visitor))
        gave_way = Show(WalkPage(describe(self._realm, walk), superseded=True))
        if walk.kind is Kind.LOGOUT or not walk.return_to:
            return gave_way
        try:
            known = await self._realm.store.browser(walk.browser)
        except StoreUnavailable:
            return gave_way
        newer = self._op_sessions.read(known) if known else None
        if known is None or newer is None or known.signed_out_epoch >= walk.epoch or newer.sub != identity.sub:
            return gave_way
        return Go(walk.return_to, cookies=self._endings.clear(walk, visitor))

    async def _whole(self, walk: Walk, identity: Identity) -> Identity:
        """``identity`` with the session id of the app that is visited, where the cookie had no room for it.

        Without the store the ticket of a logout names no session: the app ends the one that the browser has there.
        """
        app = self._realm.registry.by_tag.get(walk.hop.tag) if identity.more and not walk.through else None
        if app is None or app.id in identity.sids:
            return identity
        try:
            known = await self._realm.store.browser(walk.browser)
        except StoreUnavailable:
            known = None
        entry = known.ledger.get(app.id) if known else None
        return identity._replace(sids={app.id: entry.sid if entry else ""}, more=False)

    def _sent(self, walk: Walk, identity: Identity, *, begin: bool, cnf: str = "") -> Reply | None:
        """The browser on its way to the app, or None if the ticket is too long."""
        try:
            return self._send(walk, identity, begin=begin, cnf=cnf)
        except TokenRefused as refusal:
            log.warning("hop.not_sent", code=refusal.code, detail=refusal.detail)
            return None

    def _send(self, walk: Walk, identity: Identity, *, begin: bool = False, cnf: str = "") -> Reply:
        app = self._realm.registry.by_tag[walk.hop.tag]
        if walk.kind is Kind.LOGIN and not identity.sub and walk.hop.mode is not Mode.EXTERNAL:
            raise BrowserUnknown("the cookie of the walk's identity is gone")
        external = walk.hop.mode is Mode.EXTERNAL
        parcel = Parcel(
            ticket="" if external else self._tickets.issue(walk, app, identity, begin=begin, cnf=cnf),
            begin=begin,
            issuer=self._realm.op_issuer,
            resume_url=self._realm.url("/resume"),
            state=self._tickets.state(walk) if external else "",
        )
        departure = MODES[walk.hop.mode].depart(app, walk, parcel)
        if departure.ticket:
            return Show(self._hop_page(walk, app, departure.url, departure.ticket))
        return Go(departure.url)

    def _hop_page(self, walk: Walk, app: App, hop_url: str, ticket: str) -> HopPage:
        tags, ends = form_reach(walk)
        origins = [self._realm.registry.by_tag[tag].origin for tag in tags if tag in self._realm.registry.by_tag]
        # A login that gives way to a newer one of the same person goes on to its return URL from any hop. Where the
        # page there is for people who are signed in, and this one is not, its app sends the browser to the provider.
        if walk.return_to and (ends or walk.kind is Kind.LOGIN):
            origins += [origin_of(walk.return_to), self._provider.login_origin()]
        relay = self._tickets.relay_url(self._tickets.state(walk))
        return HopPage(
            view=describe(self._realm, walk),
            app_name=app.name,
            hop_url=hop_url,
            ticket=ticket,
            ping_url=app.ping_url if app.ping else "",
            skip_url=with_query(relay, error="skipped"),
            unreachable_url=with_query(relay, error="unreachable"),
            form_origins=tuple(dict.fromkeys((*origins, self._realm.public_url))),
        )

    def _pause(self, walk: Walk) -> Reply:
        return Show(PausePage(describe(self._realm, walk), self._tickets.relay_url(self._tickets.state(walk))))

    async def _to_op(self, walk: Walk, visitor: Visitor) -> Reply | None:
        session = await self._op_sessions.of(walk.browser)
        try:
            url = await self._provider.logout_url(session.id_token, session.op_sid, b64e(walk.nonce))
        except OpUnavailable:
            url = None
        return Go(url, cookies=self._away.cookies(walk, visitor)) if url else None
