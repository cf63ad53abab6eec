"""``GET /login``: judge where it leads, seal the transaction into a cookie, and send the browser to the provider."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from chain_gateway.core.ledger import GONE, Browser, Holding
from chain_gateway.core.limits import HOP_SECONDS
from chain_gateway.core.origins import with_query
from chain_gateway.core.walk import HELD, OUT, Kind
from chain_gateway.errors import BadInput, OpUnavailable, StoreUnavailable
from chain_gateway.oidc.authorization import LoginRequest, challenge_of
from chain_gateway.service.identity import Identities
from chain_gateway.service.op_session import OpSessions
from chain_gateway.service.ports import OpenIdProvider
from chain_gateway.service.realm import Realm, Visitor
from chain_gateway.service.resume import Resume
from chain_gateway.service.stranded import signing_out, stranded
from chain_gateway.service.targets import Target, judge_target
from chain_gateway.service.transactions import OpState, Transaction, Transactions
from chain_gateway.service.views import Go, Reply
from chain_gateway.tokens.encoding import b64e

PROMPTS: Final = frozenset({"", "none", "login", "consent", "select_account"})
UNAVAILABLE: Final = "temporarily_unavailable"
_HINT: Final = re.compile(r"[\x20-\x7e]{0,256}")


@dataclass(frozen=True, slots=True)
class LoginParams:
    """The query of ``/login``; empty where absent."""

    chain: str = ""
    return_to: str = ""
    app: str = ""
    prompt: str = ""
    login_hint: str = ""


class StartLogin:
    """Begins a login. Nothing is stored: a hundred thousand strangers leave the store as it was."""

    def __init__(self, realm: Realm, provider: OpenIdProvider, resume: Resume) -> None:
        """``provider`` knows where people sign in; ``resume`` goes on with a login that a dead app held up."""
        self._realm = realm
        self._resume = resume
        self._identities = Identities(realm)
        self._provider = provider
        self._transactions = Transactions(realm)
        self._op_sessions = OpSessions(realm)

    async def __call__(self, visitor: Visitor, params: LoginParams) -> Reply:
        """The redirect to the provider; BadInput or TargetRefused if the request names what is not registered.

        While a logout of everything has a hop out, it may be that app which answers with a login, and the provider's
        session may live: so the logout goes on. Later it is the person who comes, and signs in by hand. At the
        provider's logout, the provider decides what it asks.
        """
        if params.prompt not in PROMPTS:
            raise BadInput("unknown prompt", code="bad_input.prompt")
        if _HINT.fullmatch(params.login_hint) is None:
            raise BadInput("login_hint is not plain text", code="bad_input.login_hint")
        target = judge_target(self._realm.registry, params.chain, params.app, params.return_to)
        if params.prompt == "none" and await self._signed_out(visitor, target):
            return login_required(target.return_to)
        prompt = params.prompt
        if not prompt and (out := await signing_out(self._realm, visitor)) is not None and out.place in HELD:
            visited = out.place in OUT and target.app is not None and out.hop.tag == target.app.tag
            if visited and self._realm.now() < out.issued_at + HOP_SECONDS:
                return await self._resume.past_hop(out, visitor)
            prompt = "login"
        if not prompt and (reply := await self._go_on(visitor, target)) is not None:
            return reply
        try:
            return await self.leave(visitor, target, prompt=prompt, login_hint=params.login_hint)
        except OpUnavailable:
            if params.prompt != "none":
                raise
            return login_required(target.return_to, UNAVAILABLE)

    async def leave(
        self, visitor: Visitor, target: Target, *, prompt: str = "", login_hint: str = "", restarts: int = 0
    ) -> Reply:
        """Seals a new transaction and sends the browser to the provider; ``target`` has been judged."""
        realm = self._realm
        state = OpState(
            self._transactions.new_id(),
            realm.now(),
            target.chain.id,
            target.app_id,
            target.return_to,
            prompt,
            restarts,
        )
        verifier, nonce = b64e(realm.random(32)), b64e(realm.random(16))
        transaction = Transaction(state.id, verifier, nonce, realm.now_ms())
        url = await self._provider.login_url(
            LoginRequest(
                state=self._transactions.state(state),
                nonce=nonce,
                challenge=challenge_of(verifier),
                prompt=prompt,
                login_hint=login_hint,
            )
        )
        # The browser's id goes out now: two tabs that come back from the provider at once must not draw one each.
        return Go(url, self._transactions.begin(visitor, transaction), visitor.browser or realm.random(16))

    async def _go_on(self, visitor: Visitor, target: Target) -> Reply | None:
        """The login that a dead app held up, past that app and on to where this one leads; None if there is none."""
        walk = await stranded(self._realm, visitor, Kind.LOGIN)
        if walk is None or walk.chain != target.chain.id or self._identities.read(walk, visitor) is None:
            return None
        leads = walk._replace(app=target.app.tag if target.app else walk.app, return_to=target.return_to)
        return await self._resume.past_hop(leads, visitor)

    async def _signed_out(self, visitor: Visitor, target: Target) -> bool:
        """Whether this browser signed out, everywhere or of that app, and nobody has signed in by hand since."""
        if not visitor.browser:
            return False
        try:
            known = await self._realm.store.browser(visitor.browser)
        except StoreUnavailable:
            return False
        return known is not None and self._is_out(known, target.app_id)

    def _is_out(self, known: Browser, app_id: str) -> bool:
        session = self._op_sessions.read(known)
        since = session.epoch if session else 0
        entry = known.ledger.get(app_id)
        left_app = entry is not None and entry.holding in {*GONE, Holding.OWED} and entry.epoch > since
        return known.signed_out_epoch > since or left_app


def login_required(return_to: str, error: str = "login_required") -> Reply:
    """The end of a login that may show nothing: back, with the error of OIDC Core 3.1.2.6."""
    if not return_to:
        raise BadInput("a silent login needs return_to or app", code="bad_input.return_to")
    return Go(with_query(return_to, error=error))
