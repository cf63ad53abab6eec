"""The provider of an explored world: one person's session at it, codes that are good once, and S256 honestly checked.

Whether it answers a login from its session or asks the person, and whether its logout ends the session, is chosen by
whoever explores.
"""

from __future__ import annotations

import json
from collections.abc import Hashable
from typing import NamedTuple, Protocol
from urllib.parse import urlencode

from exploration_values import ANSWERS, GATEWAY, PROVIDER, REQUESTS, Answer, Note, Request, origin_of
from support.exploration import Numbered

from chain_gateway.errors import SignInFailed
from chain_gateway.oidc.authorization import LoginRequest, challenge_of
from chain_gateway.oidc.logout_token import OpLogout
from chain_gateway.oidc.sign_in import SignIn

OWN, HAND, OTHER = "from its session", "by hand", "by another hand"
HANDS = frozenset({HAND, OTHER})
ENDS, STAYS = "ends its session", "keeps its session"


class OpSession(NamedTuple):
    """Who is signed in at the provider; ``at`` in seconds."""

    sub: str
    sid: str
    at: int


class Code(NamedTuple):
    """A code that was not redeemed yet."""

    code: str
    nonce: str
    challenge: str
    session: OpSession


class OpState(NamedTuple):
    """The provider at one moment."""

    session: OpSession | None = None
    codes: frozenset[Code] = frozenset()


class Clock(Protocol):
    """Seconds."""

    def __call__(self) -> float: ...


class Provider:
    """``service.ports.OpenIdProvider``, and the pages that the browser visits."""

    def __init__(self, clock: Clock, *, tells_sid: bool = True) -> None:
        """``clock`` in seconds; ``tells_sid`` is whether ID tokens name the session."""
        self._clock = clock
        self._tells_sid = tells_sid
        self.states: Numbered[OpState] = Numbered(OpState())
        self.state = OpState()
        self._known: dict[tuple[Hashable, ...], tuple[int, int]] = {}

    async def login_url(self, request: LoginRequest) -> str:
        """See the port."""
        wanted = {
            "state": request.state,
            "nonce": request.nonce,
            "challenge": request.challenge,
            "prompt": request.prompt,
        }
        return f"{origin_of(PROVIDER)}/authorize?{urlencode(wanted)}"

    def login_origin(self) -> str:
        """See the port."""
        return origin_of(PROVIDER)

    async def redeem(self, code: str, verifier: str, nonce: str) -> SignIn:
        """See the port: a code is good once, for its own verifier and nonce."""
        found = next((each for each in self.state.codes if each.code == code), None)
        if found is None or found.challenge != challenge_of(verifier) or found.nonce != nonce:
            raise SignInFailed("no such code", code="sign_in_failed.invalid_grant")
        self.state = self.state._replace(codes=self.state.codes - {found})
        sub, sid, at = found.session
        return SignIn(sub, sid if self._tells_sid else "", at, "", {}, f"id-token-of-{sid}")

    async def check_response_issuer(self, iss: str | None) -> None:
        """See the port: this provider does not name itself."""
        assert iss is None

    async def logout_url(self, id_token: str, sid: str, state: str) -> str | None:  # noqa: ARG002 - the port's
        """See the port."""
        return f"{origin_of(PROVIDER)}/end?{urlencode({'state': state})}"

    async def read_logout_token(self, text: str) -> OpLogout:
        """See the port: the tokens of this provider are plain."""
        sub, sid, iat, jti = json.loads(text)
        return OpLogout(sub, sid, jti, iat, iat + 120)

    def logout_token(self, op: int, now_ms: int, draws: tuple[Hashable, ...]) -> str:
        """What this provider says when it ends the session that it has; empty if it has none."""
        session = self.states.values[op].session
        if session is None:
            return ""
        return json.dumps([session.sub, session.sid, now_ms // 1000, "-".join(map(str, draws))])

    def choices(self, op: int, request: Request, *, others: bool = False) -> tuple[str, ...]:
        """What the provider may do with ``request``; ``others`` lets somebody else sign in too."""
        session = self.states.values[op].session
        if request.path == "/end":
            return (ENDS, STAYS) if session else (ENDS,)
        hands = (HAND, OTHER) if others else (HAND,)
        prompt = dict(request.fields)["prompt"]
        if prompt == "none":
            return (OWN,)
        return (OWN, *hands) if session and prompt != "login" else hands

    def serve(self, op: int, now_ms: int, request: int, draws: tuple[Hashable, ...], choice: str) -> tuple[int, int]:
        """What the provider holds afterwards, and its answer, by number."""
        key = (op, now_ms // 1000, request, draws, choice)
        if key not in self._known:
            state = self.states.values[op]
            asked = REQUESTS.values[request]
            act = self._end if asked.path == "/end" else self._authorize
            after, answer = act(state, asked, now_ms // 1000, "-".join(map(str, draws)), choice)
            self._known[key] = self.states.number(after), ANSWERS.number(answer)
        return self._known[key]

    def _authorize(self, state: OpState, request: Request, now: int, name: str, choice: str) -> tuple[OpState, Answer]:
        fields = dict(request.fields)
        session = state.session
        if choice != OWN:
            session = OpSession("alice" if choice == HAND else "bob", f"op-{name}", now)
        if session is None:
            back = (("state", fields["state"]), ("error", "login_required"))
            return state, Answer(PROVIDER, onward=Request(GATEWAY, "/callback", back))
        code = Code(f"code-{name}", fields["nonce"], fields["challenge"], session)
        back = (("state", fields["state"]), ("code", code.code))
        signed_in = (Note("signed in", (fields["state"], session.at * 1000)),)
        after = OpState(session, state.codes | {code})
        return after, Answer(PROVIDER, onward=Request(GATEWAY, "/callback", back), said=signed_in)

    def _end(self, state: OpState, request: Request, now: int, name: str, choice: str) -> tuple[OpState, Answer]:  # noqa: ARG002
        after = state._replace(session=None) if choice == ENDS else state
        return after, Answer(PROVIDER, onward=Request(GATEWAY, "/logged-out", request.fields))
