"""The two ways from an app to the gateway: to sign in, and to sign out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from chain_gateway.core.limits import LOGOUT_REQUEST_SECONDS
from chain_gateway.core.origins import judge_return
from chain_gateway.errors import BadInput, TargetRefused
from chain_gateway.sdk.app_side import ID_BYTES, AppSide, ForeignOrigin
from chain_gateway.sdk.reply import Reply, redirect
from chain_gateway.sdk.session import Session
from chain_gateway.tokens.encoding import b64e
from chain_gateway.tokens.logout_request import LogoutRequest, sign_logout_request

SCOPES: Final = frozenset({"all", "app"})
PROMPTS: Final = frozenset({"", "none", "login"})


def own_address(side: AppSide, return_to: str) -> str:
    """``return_to``, a path or an address of this app, as an absolute URL; TargetRefused if it leads elsewhere.

    Empty means the app's front page. The grammar is the gateway's own (``core.origins``).
    """
    url = side.chain.origin + return_to if return_to.startswith("/") else return_to or f"{side.chain.origin}/"
    judge_return(url, side.chain.own())
    return url


def sign_in(side: AppSide, return_to: str, prompt: str = "") -> Reply:
    """To the gateway's ``/login``, and back to ``return_to``; ``prompt=none`` never shows anything on the way."""
    if prompt not in PROMPTS:
        raise BadInput("a prompt that is not known")
    params = {**_named(side), "return_to": own_address(side, return_to)}
    if prompt:
        params["prompt"] = prompt
    return redirect(f"{side.chain.gateway}/login", params, posted=False)


def sign_in_again(side: AppSide, path: str) -> Reply:
    """``sign_in`` from a protected page: back to ``path``, or to the front page where the gateway would refuse it."""
    try:
        return sign_in(side, path)
    except TargetRefused:
        return sign_in(side, "/")


def sign_out_asking(side: AppSide, return_to: str, scope: str) -> Reply:
    """To the gateway's ``/logout`` without a signed request, so that the gateway asks the person first."""
    return _sign_out(side, return_to, scope, posted=False)


@dataclass(frozen=True, slots=True)
class Sender:
    """Who posted a form, as the browser says: the headers ``Origin`` and ``Sec-Fetch-Site``, empty where absent."""

    origin: str
    fetch_site: str

    def is_page_of(self, own: str) -> bool:
        """Whether a page of the origin ``own`` did. One whose referrer policy is ``no-referrer`` says ``null``."""
        return self.origin == own or (self.origin == "null" and self.fetch_site == "same-origin")


def sign_out(side: AppSide, return_to: str, scope: str, *, sender: Sender, session: Session | None) -> Reply:
    """To the gateway's ``/logout`` with a request that this app signs, so that the logout starts at once.

    ``sender`` must be a page of this app, as any web page can post a form. Without a session there is nothing to
    vouch for, and the gateway asks.
    """
    if not sender.is_page_of(side.chain.origin):
        raise ForeignOrigin("a logout that no page of the app posted")
    if session is None:
        return _sign_out(side, return_to, scope, posted=True)
    now = side.now
    request = LogoutRequest(
        iss=side.chain.app_id,
        aud=side.chain.gateway,
        sid=session.sid,
        jti=b64e(side.random(ID_BYTES)),
        iat=now,
        exp=now + LOGOUT_REQUEST_SECONDS,
    )
    return _sign_out(side, return_to, scope, posted=True, request=sign_logout_request(request, side.key))


def _sign_out(side: AppSide, return_to: str, scope: str, *, posted: bool, **signed: str) -> Reply:
    if scope not in SCOPES:
        raise BadInput("a scope that is not known")
    params = {**_named(side), "return_to": own_address(side, return_to), "scope": scope, **signed}
    return redirect(f"{side.chain.gateway}/logout", params, posted=posted)


def _named(side: AppSide) -> dict[str, str]:
    """Which app asks, and for which chain."""
    return {"app": side.chain.app_id, **({"chain": side.chain.chain} if side.chain.chain else {})}
