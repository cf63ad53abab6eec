"""Makes the ticket of a hop: what one app is told, and no more."""

from __future__ import annotations

from chain_gateway.core.chain import App
from chain_gateway.core.limits import TICKET_SECONDS
from chain_gateway.core.walk import Kind, Walk
from chain_gateway.service.identity import Identity
from chain_gateway.service.realm import NONCE_BYTES, Realm, pseudonym
from chain_gateway.tokens.chain_token import seal_walk
from chain_gateway.tokens.encoding import b64e
from chain_gateway.tokens.ticket import Act, confirmation, sign_claims


class Tickets:
    """Signs tickets and seals the chain tokens that come back with them."""

    def __init__(self, realm: Realm) -> None:
        """``realm`` holds the keys."""
        self._realm = realm

    def state(self, walk: Walk) -> str:
        """The sealed chain token of ``walk``."""
        return seal_walk(walk, self._realm.keyring(), self._realm.random(NONCE_BYTES), self._realm.now())

    def relay_url(self, state: str) -> str:
        """Where a hop comes back; ``state`` is base64url and a dot, which a query takes as it is."""
        return f"{self._realm.public_url}/relay?state={state}"

    def issue(self, walk: Walk, app: App, identity: Identity, *, begin: bool = False, cnf: str = "") -> str:
        """The signed ticket of the hop at the cursor of ``walk``, for ``app``.

        A login ticket has the subject and the claims that the app is configured to get; a logout ticket the session
        alone; a begin ticket nothing of the person.
        """
        act = Act.BEGIN if begin else Act.LOGIN if walk.kind is Kind.LOGIN else Act.LOGOUT
        claims: dict[str, object] = {
            "iss": self._realm.public_url,
            "aud": app.origin,
            "act": act,
            "bid": pseudonym(walk.browser, app.id),
            "jti": b64e(walk.nonce),
            "iat": walk.issued_at,
            "exp": walk.issued_at + TICKET_SECONDS,
            "epoch": walk.epoch,
            "walk": b64e(walk.id),
            "hop": walk.cursor,
            "return": self.relay_url(self.state(walk)),
        }
        if act is Act.LOGIN:
            claims |= _person(identity, app)
        if act is not Act.BEGIN and (sid := identity.sid_at(app.id)):
            claims["sid"] = sid
        if cnf:
            claims["cnf"] = confirmation(cnf)
        return sign_claims(act, claims, self._realm.keyring(), self._realm.now())


def _person(identity: Identity, app: App) -> dict[str, object]:
    """Who somebody is, as far as ``app`` is told; what is not known is left out."""
    told = {name: identity.claims[name] for name in app.claims if name in identity.claims}
    known = {"sub": identity.sub, "auth_time": identity.auth_time, "acr": identity.acr, "claims": told}
    return {name: value for name, value in known.items() if value}
