"""The forms of the provider's own pages: what they carry is sealed, and tied to the browser that was shown them.

A page of somebody else can make a browser post a form, but it cannot read the hidden field that this browser was given,
and the cookie it is tied to is ``__Host-`` and SameSite=Lax: no other site, not even a sibling, can plant or send it.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import asdict

from aiohttp import web

from chain_gateway.demo.op.model import AuthRequest
from chain_gateway.demo.op.refusals import PageRefused
from chain_gateway.demo.op.state import OpState

FORM_COOKIE = "__Host-op-form"
FORM_SECONDS = 600
STALE = "This form is out of date, or it was not shown to this browser. Start again at the site that you came from."


class Forms:
    """Seals and opens the hidden field ``form``."""

    def __init__(self, state: OpState) -> None:
        """``state`` has the key, the clock and the names."""
        self._state = state

    def browser(self, request: web.Request) -> str:
        """The name that this browser has here, or a new one."""
        return request.cookies.get(FORM_COOKIE) or self._state.name()

    def seal(self, kind: str, browser: str, fields: Mapping[str, object]) -> str:
        """The hidden field of a page of ``kind`` for ``browser``."""
        until = int(self._state.clock()) + FORM_SECONDS
        return self._state.keys.seal_form({"kind": kind, "browser": browser, "until": until, "fields": dict(fields)})

    def open(self, kind: str, request: web.Request, text: str) -> Mapping[str, object]:
        """The fields that were sealed for this browser; raises PageRefused."""
        claims = self._state.keys.open_form(text) or {}
        browser, until, fields = claims.get("browser"), claims.get("until"), claims.get("fields")
        shown = request.cookies.get(FORM_COOKIE, "")
        if claims.get("kind") != kind or not isinstance(browser, str) or not isinstance(fields, dict):
            raise PageRefused(STALE)
        if not hmac.compare_digest(browser.encode(), shown.encode()):
            raise PageRefused(STALE)
        if not isinstance(until, int) or self._state.clock() > until:
            raise PageRefused(STALE)
        return fields


def request_fields(request: AuthRequest) -> Mapping[str, object]:
    """An authorization request as a form carries it."""
    return asdict(request)


def request_of(fields: Mapping[str, object]) -> AuthRequest:
    """The authorization request of ``request_fields``, after it came back through a sealed form."""
    prompt, max_age = fields.get("prompt"), fields.get("max_age")
    texts = {name: _text(fields, name) for name in ("client_id", "redirect_uri", "state", "nonce", "challenge")}
    return AuthRequest(
        **texts,
        scope=_text(fields, "scope"),
        prompt=tuple(str(word) for word in prompt) if isinstance(prompt, list) else (),
        max_age=max_age if isinstance(max_age, int) else None,
        login_hint=_text(fields, "login_hint"),
    )


def _text(fields: Mapping[str, object], name: str) -> str:
    """A text of the form, empty where there is none."""
    value = fields.get(name, "")
    return value if isinstance(value, str) else ""
