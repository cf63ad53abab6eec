"""The ports that use cases name beside the store: apps' keys and health, back channel, meter, traces, the provider."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from chain_gateway.core.walk import Outcome, Walk
from chain_gateway.oidc.authorization import LoginRequest
from chain_gateway.oidc.logout_token import OpLogout
from chain_gateway.oidc.sign_in import SignIn
from chain_gateway.tokens.app_key import AppKey


class AppKeys(Protocol):
    """The keys that apps sign receipts and logout requests with."""

    async def of(self, app_id: str) -> AppKey | None:
        """The key of an app; None if it has none, or does not answer with one."""

    async def renewed(self, app_id: str) -> AppKey | None:
        """A newer one, after a message named a key that is not known; None if none is to be had."""


class Probe(Protocol):
    """Asks an app's ping URL from the gateway."""

    async def ask(self, url: str) -> bool:
        """Whether it answered in time and did not fail (5xx)."""


class BackChannel(Protocol):
    """Posts a logout token to an app."""

    async def post(self, url: str, logout_token: str) -> int | None:
        """The answer's status; None if there was no answer in time."""


class Meter(Protocol):
    """Counts what happens. Texts are words of the protocol and ids of registered apps, so there are few."""

    def walk_begun(self, kind: str) -> None:
        """A walk of this kind has begun."""

    def walk_ended(self, kind: str, place: str, seconds: float) -> None:
        """A walk has ended at ``place``, so long after it began."""

    def hop_settled(self, app: str, kind: str, mode: str, outcome: str, seconds: float | None) -> None:
        """A hop was settled, so long after its ticket went out; None where none did."""

    def delivered(self, app: str, result: str) -> None:
        """A logout token was ``confirmed`` or ``failed``, or the logout was ``given_up``."""

    def app_up(self, app: str, *, up: bool) -> None:
        """The gateway's own questions reach an app, or do so no more."""


class Silent:
    """A meter that counts nothing."""

    def walk_begun(self, kind: str) -> None:
        """See ``Meter``."""

    def walk_ended(self, kind: str, place: str, seconds: float) -> None:
        """See ``Meter``."""

    def hop_settled(self, app: str, kind: str, mode: str, outcome: str, seconds: float | None) -> None:
        """See ``Meter``."""

    def delivered(self, app: str, result: str) -> None:
        """See ``Meter``."""

    def app_up(self, app: str, *, up: bool) -> None:
        """See ``Meter``."""


class Traces(Protocol):
    """Makes spans of what happens, for whoever collects traces."""

    def hop_settled(self, walk: Walk, index: int, app: str, outcome: Outcome, seconds: float, now: float) -> None:
        """The hop ``index`` of ``walk`` was settled at ``now``, so long after its ticket went out."""

    def stepped(self, walk: Walk, now: float) -> None:
        """This is where ``walk`` stands now."""

    def round(self, name: str, run: Callable[[], Awaitable[object]]) -> Callable[[], Awaitable[object]]:
        """``run``, as a round that is told of if it finds something to do."""


class OpenIdProvider(Protocol):
    """Whoever signs people in."""

    async def login_url(self, request: LoginRequest) -> str:
        """Where the browser signs in; raises OpUnavailable."""

    def login_origin(self) -> str:
        """The origin of where the browser signs in, as far as is known at once."""

    async def redeem(self, code: str, verifier: str, nonce: str) -> SignIn:
        """What the provider says of the person; raises SignInFailed or OpUnavailable."""

    async def check_response_issuer(self, iss: str | None) -> None:
        """Raises SignInFailed unless the response names the right provider (RFC 9207)."""

    async def read_logout_token(self, text: str) -> OpLogout:
        """What a logout token says; raises SignInFailed, TokenRefused or OpUnavailable."""

    async def logout_url(self, id_token: str, sid: str, state: str) -> str | None:
        """Where the provider's own session ends; None if it has no such place; raises OpUnavailable."""
