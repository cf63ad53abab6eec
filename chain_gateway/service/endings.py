"""How a walk ends for its person: back to where it was asked for, or a page that says what was proven."""

from __future__ import annotations

from chain_gateway.core.ledger import Browser
from chain_gateway.core.origins import origin_of, with_query
from chain_gateway.core.walk import Kind, OpLogout, Outcome, Place, Walk
from chain_gateway.errors import StoreUnavailable
from chain_gateway.service.away import Away
from chain_gateway.service.confirmed import still_owed, with_confirmations
from chain_gateway.service.describe import describe
from chain_gateway.service.identity import Identities
from chain_gateway.service.realm import Realm, Visitor
from chain_gateway.service.views import Cookie, Go, Reply, Show, WalkPage, WalkView
from chain_gateway.tokens.encoding import b64e


class Endings:
    """Decides between the return URL and the walk's own page."""

    def __init__(self, realm: Realm) -> None:
        """``realm`` knows the apps."""
        self._realm = realm
        self._away = Away(realm)

    async def finish(self, walk: Walk, visitor: Visitor) -> Reply:
        """The last reply of ``walk``.

        A login without a failed hop, and a logout of which every app's part is proven, go on to the return URL. A
        login that shows nothing goes on too, with an error if the app that it was for was not signed in to: without one
        that app would ask again, for ever. Everything else is told on a page.
        """
        known = await self.known(walk)
        walk = with_confirmations(self._realm, walk, known)
        cookies = self.clear(walk, visitor)
        if walk.return_to and walk.place is Place.DONE and (self._served(walk) if walk.silent else _went_well(walk)):
            return Go(walk.return_to, cookies=cookies)
        if walk.return_to and walk.silent:
            return Go(with_query(walk.return_to, error="temporarily_unavailable"), cookies=cookies)
        return Show(self.page(walk, known), cookies=cookies)

    def _served(self, walk: Walk) -> bool:
        """Whether no hop failed at the app that asked, or at the one that the browser goes back to."""
        back = self._realm.registry.by_origin.get(origin_of(walk.return_to))
        tags = {walk.app, back.tag if back else walk.app}
        return not any(hop.tag in tags and walk.hops.outcome(index).failed for index, hop in enumerate(walk.hops))

    async def known(self, walk: Walk) -> Browser | None:
        """What the store knows of the browser of a logout; None if it is out of reach, and for a login."""
        if walk.kind is not Kind.LOGOUT:
            return None
        try:
            return await self._realm.store.browser(walk.browser)
        except StoreUnavailable:
            return None

    def page(self, walk: Walk, known: Browser | None) -> WalkPage:
        """The page of a walk that has ended, ``with_confirmations`` of what is ``known``."""
        view = describe(self._realm, walk, still_owed(known))
        app = self._realm.registry.by_origin.get(origin_of(walk.return_to)) if walk.return_to else None
        return WalkPage(
            view=view,
            retry_url=self._retry_url(walk),
            again_url=self._again_url(walk, view),
            continue_url=walk.return_to,
            continue_name=app.name if app else "",
            aborted_by=self._aborted_by(walk),
            superseded=walk.place is Place.SUPERSEDED,
        )

    def clear(self, walk: Walk, visitor: Visitor) -> tuple[Cookie, ...]:
        """Ends the cookies of ``walk`` that this browser has."""
        identity = Identities.clear(walk)
        ended = (identity,) if identity.name in visitor.cookies else ()
        return (*ended, *self._away.clear(walk, visitor))

    def _aborted_by(self, walk: Walk) -> str:
        if walk.place is not Place.ABORTED:
            return ""
        return self._realm.app_name(self._realm.registry.by_tag.get(walk.hop.tag))

    def _again_url(self, walk: Walk, view: WalkView) -> str:
        """The walk's own page, while the back channel may still confirm something."""
        left = walk.kind is Kind.LOGOUT and not _went_well(walk)
        pending = left and any(line.owed and not line.outcome.proven for line in view.lines)
        return self._realm.url(f"/walks/{b64e(walk.id)}") if pending else ""

    def _retry_url(self, walk: Walk) -> str:
        """The same once more, where that could do better than this walk did."""
        if _went_well(walk) and walk.place is Place.DONE:
            return ""
        app = self._realm.registry.by_tag.get(walk.app)
        params = {"chain": walk.chain} | ({"return_to": walk.return_to} if walk.return_to else {})
        if app is not None:
            params["app"] = app.id
            if walk.kind is Kind.LOGOUT and walk.op is OpLogout.NONE and [hop.tag for hop in walk.hops] == [walk.app]:
                params["scope"] = "app"  # or one of everything that had nothing else to do
        return with_query(self._realm.url("/login" if walk.kind is Kind.LOGIN else "/logout"), **params)


def _went_well(walk: Walk) -> bool:
    outcomes = {walk.hops.outcome(index) for index in range(len(walk.hops))}
    if walk.kind is Kind.LOGIN:
        return not any(outcome.failed or outcome is Outcome.PENDING for outcome in outcomes)
    apps = all(outcome.proven or outcome is Outcome.STALE for outcome in outcomes)
    return apps and walk.op is not OpLogout.FAILED
