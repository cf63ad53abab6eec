"""The gateway's cookies: the browser's id under aiohttp-session, and the reading of all that are ours.

aiohttp-session's own encrypted storage takes one key for ever. This one stands on the keyring, so that cookie keys can
be rotated, and saves only what changed: the browser's id is drawn once and stays.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Final

import orjson
from aiohttp import web
from aiohttp_session import AbstractStorage, Session, get_session

from chain_gateway.core.limits import BROWSER_SECONDS
from chain_gateway.errors import BadInput, TokenRefused
from chain_gateway.service.realm import NONCE_BYTES, Visitor
from chain_gateway.tokens.encoding import b64d, b64e
from chain_gateway.tokens.keyring import Keyring
from chain_gateway.tokens.purposes import Purpose
from chain_gateway.web.setcookie import set_cookie

PREFIX = "__Host-chain-"
BROWSER = "__Host-chain-browser"
COOKIE_BYTES = 512
RENEW_SECONDS = 30 * 24 * 3600
_OWN: Final = web.RequestKey("own_cookies", Mapping[str, str])


def own_cookies(request: web.BaseRequest) -> Mapping[str, str]:
    """The request's ``__Host-chain-…`` cookies by name; BadInput if one name stands there twice (cookie tossing).

    Read from the header itself, as ours are plain words (RFC 6265 4.2.1): ``http.cookies`` reads every cookie of the
    domain with all its quoting, which takes longer than the rest of a hop's input, and keeps one of two silently.
    """
    known: Mapping[str, str] | None = request.get(_OWN)
    if known is not None:
        return known
    pairs = [
        pair.strip(" \t").partition("=")
        for header in request.headers.getall("Cookie", ())
        if PREFIX in header
        for pair in header.split(";")
    ]
    ours = [(name, value) for name, _, value in pairs if name.startswith(PREFIX)]
    cookies = dict(ours)
    if len(cookies) != len(ours):
        raise BadInput("two cookies of one name", code="bad_input.cookie")
    request[_OWN] = cookies
    return cookies


class BrowserStorage(AbstractStorage):
    """aiohttp-session over the keyring: one sealed cookie with the browser's id and the time it was sealed."""

    def __init__(
        self, keyring: Callable[[], Keyring], clock: Callable[[], float], random: Callable[[int], bytes]
    ) -> None:
        """``clock`` in seconds; ``random`` returns that many bytes."""
        super().__init__(cookie_name=BROWSER, max_age=BROWSER_SECONDS, secure=True, httponly=True, samesite="Lax")
        self._keyring = keyring
        self._clock = clock
        self._random = random

    async def load_session(self, request: web.Request) -> Session:
        """The session of the cookie; a new, empty one if there is none that holds."""
        text = own_cookies(request).get(BROWSER)
        now = int(self._clock())
        if text is not None:
            try:
                content = orjson.loads(self._keyring().open(Purpose.BROWSER, text, COOKIE_BYTES, now))
            except TokenRefused:
                return Session(None, data=None, new=True, max_age=self.max_age)
            session = Session(None, data=content, new=False, max_age=self.max_age)
            if now - content["created"] > RENEW_SECONDS:
                session.changed()
            return session
        return Session(None, data=None, new=True, max_age=self.max_age)

    async def save_session(self, request: web.Request, response: web.StreamResponse, session: Session) -> None:  # noqa: ARG002
        """Seals the session anew; called by the middleware only when it changed."""
        now = int(self._clock())
        content = json.dumps({"created": now, "session": dict(session)}, separators=(",", ":")).encode()
        sealed = self._keyring().seal(Purpose.BROWSER, content, self._random(NONCE_BYTES), now)
        set_cookie(response, BROWSER, sealed, BROWSER_SECONDS)


async def visitor(request: web.Request) -> Visitor:
    """Who is visiting: the browser's id from its cookie, and the other cookies that are ours."""
    cookies = own_cookies(request)
    session = await get_session(request)
    browser = session.get("id")
    return Visitor(b64d(browser) if isinstance(browser, str) else b"", cookies)


async def remember(request: web.Request, browser: bytes) -> None:
    """Sets the browser's cookie with the response, unless it is there already."""
    session = await get_session(request)
    if session.get("id") != b64e(browser):
        session["id"] = b64e(browser)
