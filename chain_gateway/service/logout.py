"""``/logout``: ask first unless an app has signed the request, then walk every app that holds or may hold a session.

A link on any web page can send a browser here. So a logout starts at once only with a request that an app signed for
this browser's own session; without one a page asks.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass, replace
from typing import Final

from chain_gateway.core.chain import AppId, AppTag
from chain_gateway.core.forecast import form_reach
from chain_gateway.core.ledger import Browser, Entry, Holding, app_of
from chain_gateway.core.limits import CONFIRM_SECONDS, WALK_SECONDS
from chain_gateway.core.origins import origin_of
from chain_gateway.core.plan import Decision, hops_of, may_live, plan_logout
from chain_gateway.core.walk import NO_APP, Kind, OpLogout, Walk
from chain_gateway.errors import BadInput, BrowserUnknown, StoreUnavailable, TokenRefused
from chain_gateway.service.capacity import fitting, owed_at_once
from chain_gateway.service.epochs import is_ahead
from chain_gateway.service.identity import Identities
from chain_gateway.service.log import log
from chain_gateway.service.notes import may_live_unknown
from chain_gateway.service.op_session import OpSessions
from chain_gateway.service.passage import WALK_NONCE_BYTES, Passage
from chain_gateway.service.ports import OpenIdProvider
from chain_gateway.service.realm import Realm, Visitor
from chain_gateway.service.resume import Resume
from chain_gateway.service.sessions import sessions_of
from chain_gateway.service.stranded import signing_out, stranded
from chain_gateway.service.targets import Target, judge_target
from chain_gateway.service.views import ConfirmPage, Cookie, Reply, Show
from chain_gateway.tokens.app_key import AppKey
from chain_gateway.tokens.encoding import b64d, b64e
from chain_gateway.tokens.logout_request import LogoutRequest, verify_logout_request
from chain_gateway.tokens.purposes import Purpose
from chain_gateway.tokens.refusals import Check

ASK: Final = "__Host-chain-ask"
SCOPES: Final = frozenset({"", "all", "app"})
CONFIRM_BYTES: Final = 2048
DIGEST_BYTES: Final = 12


@dataclass(frozen=True, slots=True)
class LogoutParams:
    """The query or the form of ``/logout``; empty where absent. ``confirm`` is what the page that asks sends back."""

    chain: str = ""
    return_to: str = ""
    app: str = ""
    scope: str = ""
    request: str = ""
    confirm: str = ""


class StartLogout:
    """Begins a logout, or asks whether to."""

    def __init__(self, realm: Realm, provider: OpenIdProvider, passage: Passage, resume: Resume) -> None:
        """``passage`` walks; ``resume`` goes on with a logout that a dead app held up.

        ``provider`` knows where people sign in.
        """
        self._realm = realm
        self._provider = provider
        self._resume = resume
        self._passage = passage
        self._identities = Identities(realm)
        self._op_sessions = OpSessions(realm)

    async def __call__(self, visitor: Visitor, params: LogoutParams) -> Reply:
        """The page that asks, or the first stop of the walk."""
        if params.confirm:
            params, named = self._confirmed(visitor, params.confirm)
            return await self._walk(visitor, self._target(params), params, named)
        target = self._target(params)
        walk = await stranded(self._realm, visitor, Kind.LOGOUT)
        if walk is not None and walk.chain == target.chain.id:
            return await self._resume.past_hop(walk._replace(return_to=target.return_to or walk.return_to), visitor)
        known = await self._known(visitor)
        signed = bool(params.request) and await self._is_signed(target, params, known)
        if self._realm.confirm_logout == "never" or (signed and self._realm.confirm_logout != "always"):
            return await self._walk(visitor, target, params)
        return self._ask(visitor, target, params, known)

    def _target(self, params: LogoutParams) -> Target:
        if params.scope not in SCOPES:
            raise BadInput("unknown scope", code="bad_input.scope")
        target = judge_target(self._realm.registry, params.chain, params.app, params.return_to)
        if params.scope == "app" and target.app is None:
            raise BadInput("scope=app without app", code="bad_input.app")
        return target

    async def _known(self, visitor: Visitor) -> Browser | None:
        """What is known of this browser; nothing if the store is out of reach, as a logout goes on without it."""
        if not visitor.browser:
            return None
        try:
            return await self._realm.store.browser(visitor.browser)
        except StoreUnavailable:
            log.warning("logout.store_unavailable")
            return None

    async def _is_signed(self, target: Target, params: LogoutParams, known: Browser | None) -> bool:
        """Whether the app itself asks, for the session that this browser has there, for the first time."""
        key = await self._realm.app_keys.of(target.app.id) if target.app else None
        if target.app is None or key is None:
            raise BadInput("a signed request without an app that could have signed it", code="bad_input.app")
        now = self._realm.now()
        request = await self._read_request(target.app.id, key, params.request, now)
        entry = known.ledger.get(target.app.id) if known else None
        mine = entry is not None and bool(entry.sid) and hmac.compare_digest(entry.sid.encode(), request.sid.encode())
        try:
            return mine and await self._realm.store.once(f"logout:{target.app.id}", request.jti, request.exp + 60, now)
        except StoreUnavailable:
            return False

    async def _read_request(self, app_id: AppId, key: AppKey, text: str, now: int) -> LogoutRequest:
        """The request in ``text``; a key that the app has published since is asked for once."""

        def verified(by: AppKey) -> LogoutRequest:
            return verify_logout_request(text, by, app_id=app_id, gateway=self._realm.public_url, now=now)

        try:
            return verified(key)
        except TokenRefused as refused:
            newer = await self._realm.app_keys.renewed(app_id) if refused.code == Check.KEY.code else None
            if newer is None:
                raise
        return verified(newer)

    def _plan(self, target: Target, params: LogoutParams, known: Browser | None) -> tuple[Decision, ...]:
        only = target.app_id if params.scope == "app" else ""
        plan = plan_logout(target.chain, known, now=self._realm.now(), only=only, others=self._realm.registry.apps)
        return fitting(plan, known)

    def _ask(self, visitor: Visitor, target: Target, params: LogoutParams, known: Browser | None) -> Reply:
        """The page that asks; its form is bound to this browser and sealed, so no other page can send it.

        A browser that has no id yet gets none from a page: that would take the place of one which a login in another
        tab has given it meanwhile. It is recognised by a cookie for this alone.
        """
        asked = visitor.browser or _asked(visitor) or self._realm.random(16)
        cookies = () if visitor.browser else (Cookie(ASK, b64e(asked), CONFIRM_SECONDS),)
        decisions = self._plan(target, params, known)
        reach = self._reach(self._planned(asked, 0, target, params, decisions, by_form=True))
        content = {
            "b": b64e(asked),
            "chain": target.chain.id,
            "app": target.app_id,
            "return_to": target.return_to,
            "scope": params.scope,
            "until": self._realm.now() + CONFIRM_SECONDS,
            "named": _digest(reach),
        }
        confirm = self._realm.seal(Purpose.CONFIRM, json.dumps(content, separators=(",", ":")).encode())
        page = ConfirmPage(
            sites=tuple(decision.app.name for decision in decisions if decision.visited),
            fields=(("confirm", confirm),),
            stay_url=target.return_to or target.chain.apps[0].origin + "/",
            one_app=params.scope == "app",
            form_origins=reach,
        )
        return Show(page, cookies=cookies)

    def _reach(self, walk: Walk) -> tuple[str, ...]:
        """The origins that the page which asks must name, so that its form can lead into ``walk``.

        Where the page that it returns to is for people who are signed in, the way leads on to the provider.
        """
        tags, ends = form_reach(walk)
        origins = [self._realm.registry.by_tag[tag].origin for tag in tags]
        if ends and walk.return_to:
            origins += [origin_of(walk.return_to), self._provider.login_origin()]
        return tuple(dict.fromkeys(origins))

    def _confirmed(self, visitor: Visitor, confirm: str) -> tuple[LogoutParams, str]:
        """What the person has said yes to, and the digest of whom the page named.

        TokenRefused or BrowserUnknown if it was not this person in this browser.
        """
        plain = self._realm.keyring().open(Purpose.CONFIRM, confirm, CONFIRM_BYTES, self._realm.now())
        content = json.loads(plain)
        asked = b64d(content["b"])
        if not (visitor.browser and visitor.is_owner(asked)) and not hmac.compare_digest(_asked(visitor), asked):
            raise BrowserUnknown("a confirmation of another browser")
        if self._realm.now() > content["until"]:
            raise TokenRefused("the page that asked is too old", code="token_refused.expired")
        params = LogoutParams(content["chain"], content["return_to"], content["app"], content["scope"])
        return params, content["named"]

    async def _walk(self, visitor: Visitor, target: Target, params: LogoutParams, named: str | None = None) -> Reply:
        """Takes the epoch and begins; ``named`` is the digest of whom a form named, None where no form led here."""
        realm = self._realm
        if target.app is not None and params.scope == "app" and (out := await signing_out(realm, visitor)) is not None:
            # A new walk would stop that one, and with it what only that one ends: the provider's session, for one.
            if out.chain == target.chain.id or any(hop.tag == target.app.tag for hop in out.hops):
                return await self._resume.resume(visitor)
            params = replace(params, scope="all")
        browser = visitor.browser or realm.random(16)
        # The epoch first: once it is taken no older walk sends a ticket, so nothing is missed in the ledger.
        epoch = await self._epoch(browser, whole=params.scope != "app")
        known = await self._known(visitor)
        if is_ahead(realm, epoch):
            browser = realm.random(16)
            epoch = await self._epoch(browser, whole=params.scope != "app")
        decisions = self._plan(target, params, known)
        walk = self._planned(browser, epoch, target, params, decisions, by_form=named is not None)
        if named is not None and named != _digest(self._reach(walk)):
            # Another tab signed in or out since the page asked, so its policy may stop what comes: a page goes between.
            walk = walk._replace(redirects=walk.budget)
        identity = sessions_of(self._op_sessions, known)
        owner = replace(visitor, browser=browser)
        cookies = self._identities.cookies(walk, identity, visitor)
        cookies += (Cookie(ASK, ""),) if ASK in visitor.cookies else ()
        entries = self._former_sessions(known, epoch, target.app_id if params.scope == "app" else "")
        entries += owed_at_once(decisions, known, epoch, realm.now())
        reply = await self._passage.begin(walk, identity, owner, entries=entries, cookies=cookies)
        return replace(reply, browser=browser)

    def _former_sessions(self, known: Browser | None, epoch: int, only: str) -> list[Entry]:
        """Sessions that no ticket names and that may live, so the back channel does.

        They are from before the last sign-in, or at apps that this gateway does not know.
        """
        now = self._realm.now()
        entries = []
        for line, entry in known.ledger.items() if known else ():
            app = self._realm.registry.apps.get(app_of(entry.app))
            if app is None:
                wanted = not only and may_live_unknown(entry, now)
            else:
                wanted = app.id != line and (not only or app.id == only) and may_live(entry, now, app)
            if wanted:
                entries.append(entry._replace(holding=Holding.OWED, epoch=epoch, since=now))
        return entries

    def _planned(
        self,
        browser: bytes,
        epoch: int,
        target: Target,
        params: LogoutParams,
        decisions: tuple[Decision, ...],
        *,
        by_form: bool,
    ) -> Walk:
        realm = self._realm
        now = realm.now()
        return Walk(
            id=realm.random(16),
            kind=Kind.LOGOUT,
            browser=browser,
            epoch=epoch,
            chain=target.chain.id,
            hops=hops_of(decisions),
            nonce=realm.random(WALK_NONCE_BYTES),
            issued_at=now,
            expires_at=now + WALK_SECONDS,
            redirects=1,
            budget=realm.budget,
            form_run=by_form,
            op=OpLogout.NONE if params.scope == "app" else realm.op_logout,
            app=target.app.tag if target.app else AppTag(NO_APP),
            return_to=target.return_to,
        )

    async def _epoch(self, browser: bytes, *, whole: bool) -> int:
        """The epoch of this logout; the clock's alone if the store is out of reach."""
        now_ms = self._realm.now_ms()
        try:
            return await self._realm.store.take_epoch(browser, now_ms, logout=whole)
        except StoreUnavailable:
            return now_ms


def _asked(visitor: Visitor) -> bytes:
    """What a browser without an id is recognised by where it was asked; nothing if it was not."""
    try:
        return b64d(visitor.cookies.get(ASK, ""))
    except ValueError:
        return b""


def _digest(origins: tuple[str, ...]) -> str:
    """What a list of origins is recognised by: two hundred of them do not fit into a form's field."""
    return b64e(hashlib.sha256(" ".join(origins).encode()).digest()[:DIGEST_BYTES])
