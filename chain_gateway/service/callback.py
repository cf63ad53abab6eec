"""``GET /callback``: what the provider says, checked from the outside in, and then the login walk begins."""

from __future__ import annotations

from dataclasses import dataclass, replace

from chain_gateway.core.chain import AppTag
from chain_gateway.core.ledger import Browser, Entry, Holding, app_of, former_line
from chain_gateway.core.limits import OP_REDIRECTS, WALK_SECONDS
from chain_gateway.core.origins import with_query
from chain_gateway.core.plan import Decision, SignedIn, hops_of, left_since, may_live, others_session, plan_login
from chain_gateway.core.walk import NO_APP, Kind, Walk
from chain_gateway.errors import ChainGatewayError, OpUnavailable, SignInFailed, StoreUnavailable
from chain_gateway.oidc.authorization import INTERACTION_CODES, read_response
from chain_gateway.oidc.sign_in import SignIn
from chain_gateway.service.audit import AuditEvent
from chain_gateway.service.epochs import is_ahead
from chain_gateway.service.identity import Identities, Identity
from chain_gateway.service.log import log
from chain_gateway.service.login import UNAVAILABLE, StartLogin, login_required
from chain_gateway.service.loops import asks_in_a_loop
from chain_gateway.service.notes import may_live_unknown, takes_back_channel
from chain_gateway.service.op_session import OpSession, OpSessions
from chain_gateway.service.passage import WALK_NONCE_BYTES, Passage
from chain_gateway.service.ports import OpenIdProvider
from chain_gateway.service.realm import Realm, Visitor
from chain_gateway.service.targets import Target, judge_target
from chain_gateway.service.transactions import OpState, Transaction, Transactions
from chain_gateway.service.views import ErrorPage, Go, Link, Reply, Show
from chain_gateway.tokens.encoding import b64e

LOGIN_REDIRECTS = 2 + OP_REDIRECTS
"""App to gateway, gateway to provider, and the provider's own, when nothing but redirects led to the callback."""


@dataclass(frozen=True, slots=True)
class CallbackParams:
    """The query of ``/callback``; None or empty where absent."""

    state: str = ""
    code: str = ""
    iss: str | None = None
    error: str = ""


class FinishLogin:
    """Ends the provider's part of a login and begins the walk."""

    def __init__(self, realm: Realm, provider: OpenIdProvider, passage: Passage, start: StartLogin) -> None:
        """``start`` sends a browser round once more whose transaction is gone."""
        self._realm = realm
        self._provider = provider
        self._passage = passage
        self._start = start
        self._transactions = Transactions(realm)
        self._identities = Identities(realm)
        self._op_sessions = OpSessions(realm)

    async def __call__(self, visitor: Visitor, params: CallbackParams) -> Reply:
        """The first hop, or a page that says why there is none.

        The order: state → this browser's transaction → issuer → error → code → ID token → epoch → walk.
        """
        state = self._transactions.read_state(params.state)
        target = judge_target(self._realm.registry, state.chain, state.app, state.return_to)
        transaction = self._transactions.read(visitor, state)
        if transaction is None:
            return await self._again(visitor, state, target)
        try:
            await self._provider.check_response_issuer(params.iss)
            code = read_response({"code": params.code, "error": params.error})
            signed_in = await self._provider.redeem(code, transaction.verifier, transaction.nonce)
        except (SignInFailed, OpUnavailable) as error:
            return self._failed(state, error)
        try:
            return await self._walk(visitor, state, target, transaction, signed_in)
        except SignInFailed as error:
            return self._failed(state, error)
        except StoreUnavailable:
            if state.prompt != "none":
                raise
            return login_required(state.return_to, UNAVAILABLE)

    async def _again(self, visitor: Visitor, state: OpState, target: Target) -> Reply:
        """The browser has no such transaction: on if that is done with, else once more from the start, then a page."""
        log.info("login.transaction_gone", restarts=state.restarts)
        if onward := await self._done(visitor, state):
            return Go(onward)
        if state.restarts:
            error = SignInFailed("the transaction is gone twice", code="sign_in_failed.transaction")
            return self._failed(state, error)
        if state.prompt == "none":
            return login_required(state.return_to)
        return await self._start.leave(visitor, target, prompt=state.prompt, restarts=state.restarts + 1)

    async def _done(self, visitor: Visitor, state: OpState) -> str:
        """Where the login of ``state`` led or still stands, if it is this browser's newest; empty otherwise.

        Back and reload lead here again: the walk is where it was, or over.
        """
        if not visitor.browser:
            return ""
        store = self._realm.store
        try:
            known = await store.browser(visitor.browser)
            session = self._op_sessions.read(known) if known else None
            if known is None or session is None or session.login != state.id or known.signed_out_epoch > session.epoch:
                return ""
            walks = await store.open_walks(visitor.browser, self._realm.now())
        except StoreUnavailable:
            return ""
        stands = any(walk.epoch == session.epoch for walk in walks)
        return self._realm.url("/resume") if stands else state.return_to

    def _failed(self, state: OpState, error: ChainGatewayError) -> Reply:
        """A page with a way to try again and a way back; a login that may show nothing goes back with the error."""
        if state.prompt == "none":
            word = error.code.rpartition(".")[2] if error.code in INTERACTION_CODES else "login_required"
            return replace(login_required(state.return_to, word), cookies=(self._transactions.clear(state),))
        log.warning("login.failed", code=error.code, detail=error.detail)
        self._realm.audit(AuditEvent.SIGN_IN_FAILED, chain=state.chain, asked_by=state.app, code=error.code)
        links = [Link(self._login_url(state), "Try to sign in again")]
        if state.return_to:
            links.append(Link(state.return_to, "Go back"))
        page = ErrorPage(error.code, error.status, error.text, error.help, links=tuple(links))
        return Show(page, error.status, cookies=(self._transactions.clear(state),))

    def _login_url(self, state: OpState, **more: str) -> str:
        wanted = {"chain": state.chain, "app": state.app, "return_to": state.return_to, **more}
        return with_query(self._realm.url("/login"), **{name: value for name, value in wanted.items() if value})

    async def _walk(
        self, visitor: Visitor, state: OpState, target: Target, transaction: Transaction, signed_in: SignIn
    ) -> Reply:
        realm = self._realm
        browser = visitor.browser or realm.random(16)
        since_ms = max(transaction.left_ms, (signed_in.auth_time or 0) * 1000)
        epoch = await realm.store.login_epoch(browser, realm.now_ms(), since_ms)
        if epoch is None:
            return self._outrun(state)
        # The ledger after the epoch: what an older walk did is in it, and none does anything more.
        known = await realm.store.browser(browser) or Browser(browser)
        if is_ahead(realm, epoch):
            browser = realm.random(16)
            epoch = await realm.store.take_epoch(browser, realm.now_ms(), logout=False)
        identity = self._identity(target, signed_in)
        who = SignedIn(identity.sub, identity.sid, identity.auth_time)
        if left_since(known.ledger.get(target.app_id), who, since_ms):
            return self._outrun(state)
        if target.app is not None and await asks_in_a_loop(realm, known, target.app.id, who):
            return self._looping(state, target.app.name)
        silent = state.prompt == "none"
        asking = target.app_id
        plan = plan_login(
            target.chain, known.ledger, who, now=realm.now(), asking=asking, silent=silent, since_ms=since_ms
        )
        walk = self._planned(browser, epoch, target, plan, silent=silent)
        told = (identity.sub, identity.sid, signed_in.sid, identity.auth_time, signed_in.id_token)
        session = OpSession(*told, epoch, state.id)
        owner = replace(visitor, browser=browser)
        cookies = (self._transactions.clear(state), *self._identities.cookies(walk, identity, visitor))
        record = self._op_sessions.seal(session)
        owed = self._other_sessions(known, who, plan, epoch)
        reply = await self._passage.begin(walk, identity, owner, op_session=record, entries=owed, cookies=cookies)
        return replace(reply, browser=browser)

    def _identity(self, target: Target, signed_in: SignIn) -> Identity:
        """Who signed in, with the claims that some app of the chain is to get."""
        wanted = {name for app in target.chain.apps for name in app.claims}
        return Identity(
            sub=signed_in.sub,
            sid=signed_in.sid or b64e(self._realm.random(16)),
            auth_time=signed_in.auth_time or 0,
            acr=signed_in.acr,
            claims={name: value for name, value in signed_in.claims.items() if name in wanted},
        )

    def _other_sessions(self, known: Browser, who: SignedIn, plan: tuple[Decision, ...], epoch: int) -> list[Entry]:
        """What becomes of other sessions in this browser, also where this login may fail to come.

        Somebody else's is owed a logout. One that the same person has from another sign-in is kept in mind, for the
        next logout to name it.
        """
        now = self._realm.now()
        visited = {decision.app.id for decision in plan if decision.visited}
        owed = {line for line, entry in known.ledger.items() if entry.holding is Holding.OWED}
        entries = []
        for entry in known.ledger.values():
            app = self._realm.registry.apps.get(entry.app)
            if app is None or not takes_back_channel(app):
                continue
            line = former_line(app.id) if app.id in visited else app.id
            if others_session(entry, who, now, app):
                entries.append(entry._replace(app=line, holding=Holding.OWED, epoch=epoch, since=now))
            elif app.id in visited and may_live(entry, now, app) and entry.sid != who.sid and line not in owed:
                kept = Holding.OWED if entry.holding is Holding.OWED else Holding.MAY_HOLD
                entries.append(entry._replace(app=line, holding=kept, epoch=epoch))
        return entries + self._at_unknown_apps(known, who, epoch)

    def _at_unknown_apps(self, known: Browser, who: SignedIn, epoch: int) -> list[Entry]:
        """What is owed to apps that this gateway does not know, and so does not visit, for somebody else's sessions."""
        apps, now = self._realm.registry.apps, self._realm.now()
        return [
            entry._replace(holding=Holding.OWED, epoch=epoch, since=now)
            for entry in known.ledger.values()
            if app_of(entry.app) not in apps and entry.sub not in {"", who.sub} and may_live_unknown(entry, now)
        ]

    def _planned(self, browser: bytes, epoch: int, target: Target, plan: tuple[Decision, ...], *, silent: bool) -> Walk:
        realm = self._realm
        now = realm.now()
        return Walk(
            id=realm.random(16),
            kind=Kind.LOGIN,
            browser=browser,
            epoch=epoch,
            chain=target.chain.id,
            hops=hops_of(plan),
            nonce=realm.random(WALK_NONCE_BYTES),
            issued_at=now,
            expires_at=now + WALK_SECONDS,
            redirects=LOGIN_REDIRECTS,
            budget=realm.budget,
            silent=silent,
            app=target.app.tag if target.app else AppTag(NO_APP),
            return_to=target.return_to,
        )

    def _looping(self, state: OpState, name: str) -> Reply:
        """The app's cookies do not stay here; going round once more would not help."""
        log.warning("login.looping", app=state.app)
        cookies = (self._transactions.clear(state),)
        if state.prompt == "none":
            return replace(login_required(state.return_to, UNAVAILABLE), cookies=cookies)
        page = ErrorPage(
            "asks_again",
            409,
            "The site that you came from asks to sign you in over and over.",
            "You are signed in, but this browser does not keep that site's cookies. Allow them, then try again.",
            links=(Link(self._login_url(state), "Try again"), Link(state.return_to, f"Go back to {name}")),
        )
        return Show(page, 409, cookies=cookies)

    def _outrun(self, state: OpState) -> Reply:
        """A logout came after this login had left for the provider, and nobody has signed in by hand since."""
        if state.prompt == "none":
            return replace(login_required(state.return_to), cookies=(self._transactions.clear(state),))
        page = ErrorPage(
            "signed_out_meanwhile",
            409,
            "You signed out in another tab while this sign-in was under way, so it was stopped.",
            "Sign in again if you want to.",
            links=(Link(self._login_url(state, prompt="login"), "Sign in again"),),
        )
        return Show(page, 409, cookies=(self._transactions.clear(state),))
