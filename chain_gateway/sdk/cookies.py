"""The session rule's cookies as text: read from the ``Cookie`` header, opened, sealed, and written for ``Set-Cookie``.

A session or a tombstone is sealed (AES-256-GCM) with its epoch inside, which must be the one in the cookie's name. What
does not open is not there. Every cookie is ``__Host-``, ``Secure``, ``HttpOnly``, ``SameSite=Lax``, ``Path=/``, and is
deleted with the very attributes it was set with (RFC 6265bis section 4.1.3). Pure: nonces and times are passed in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from chain_gateway.core.limits import BIND_SECONDS
from chain_gateway.errors import TokenRefused
from chain_gateway.sdk.session import BIND_COOKIE, PREFIX, Session, Shown, Tombstone, compact, named
from chain_gateway.tokens.claims import Claims, Rule
from chain_gateway.tokens.encoding import strict_json
from chain_gateway.tokens.purposes import Purpose
from chain_gateway.tokens.sealer import Sealer

COOKIE_CHARS: Final = 4096
"""What a browser keeps of one cookie, its name included."""
ATTRIBUTES: Final = "Path=/; Secure; HttpOnly; SameSite=Lax"

_SESSION: Final = Rule(
    must=frozenset({"epoch", "bid", "jti", "sub", "sid", "iat", "exp", "claims"}),
    may=frozenset({"auth_time", "acr"}),
)
_TOMBSTONE: Final = Rule(must=frozenset({"epoch", "jti", "iat", "exp"}), may=frozenset({"bid"}))
_BIND = re.compile(r"[A-Za-z0-9_-]{43}")


class DoubledCookie(ValueError):
    """One of our names came twice: somebody else than this app set one of the two."""


def of_header(header: str) -> dict[str, str]:
    """Our cookies in a ``Cookie`` header, by name; DoubledCookie if one of the names is there twice.

    >>> of_header("theme=dark; __Host-chain-s-7=abc")
    {'__Host-chain-s-7': 'abc'}
    """
    found: dict[str, str] = {}
    for pair in header.split(";"):
        name, _, value = pair.strip(" \t").partition("=")
        if not name.startswith(PREFIX):
            continue
        if name in found:
            raise DoubledCookie(name)
        found[name] = value
    return found


@dataclass(frozen=True, slots=True)
class CookieJar:
    """Opens and seals this app's cookies under its own keys."""

    sealer: Sealer

    def shown(self, cookies: Mapping[str, str], now: int) -> Shown:
        """What ``cookies`` (name to value) hold of ours at ``now``; what does not open is left out."""
        sessions, tombstones = [], []
        for name, text in cookies.items():
            kind, epoch = named(name) or ("", 0)
            if kind == "s" and (session := self._session(text, epoch, now)):
                sessions.append(session)
            elif kind == "t" and (stone := self._tombstone(text, epoch, now)) and stone.exp > now:
                tombstones.append(stone)
        bind = cookies.get(BIND_COOKIE, "")
        return Shown(tuple(sessions), tuple(tombstones), bind if _BIND.fullmatch(bind) else "")

    def shown_by(self, header: str, now: int) -> Shown:
        """``shown`` of a ``Cookie`` header; with a doubled name nothing but that."""
        try:
            return self.shown(of_header(header), now)
        except DoubledCookie:
            return Shown(doubled=True)

    def set_session(self, session: Session, nonce: bytes, now: int) -> str:
        """The ``Set-Cookie`` of ``session``; ``nonce`` is 12 random bytes."""
        members: dict[str, object] = {
            "epoch": session.epoch,
            "bid": session.bid,
            "jti": session.jti,
            "sub": session.sub,
            "sid": session.sid,
            "iat": session.iat,
            "exp": session.exp,
            "claims": dict(session.claims),
        }
        if session.auth_time is not None:
            members["auth_time"] = session.auth_time
        if session.acr:
            members["acr"] = session.acr
        text = self.sealer.seal(Purpose.APP_SESSION, compact(members), nonce, now)
        return set_cookie(session.cookie, text, session.exp - now)

    def set_tombstone(self, stone: Tombstone, nonce: bytes, now: int) -> str:
        """The ``Set-Cookie`` of ``stone``; ``nonce`` is 12 random bytes."""
        members: dict[str, object] = {"epoch": stone.epoch, "jti": stone.jti, "iat": stone.iat, "exp": stone.exp}
        if stone.bid:
            members["bid"] = stone.bid
        text = self.sealer.seal(Purpose.APP_TOMBSTONE, compact(members), nonce, now)
        return set_cookie(stone.cookie, text, stone.exp - now)

    def _session(self, text: str, epoch: int, now: int) -> Session | None:
        """The session in ``text``, None if it does not open or is of another epoch than its name says."""
        try:
            read = self._open(Purpose.APP_SESSION, _SESSION, text, now)
            session = Session(
                epoch=read.integer("epoch"),
                bid=read.text("bid"),
                jti=read.ident("jti"),
                sub=read.text("sub"),
                sid=read.text("sid"),
                iat=read.integer("iat"),
                exp=read.integer("exp"),
                auth_time=read.integer("auth_time") if "auth_time" in read else None,
                acr=read.text("acr"),
                claims=read.members("claims"),
            )
        except TokenRefused:
            return None
        return session if session.epoch == epoch else None

    def _tombstone(self, text: str, epoch: int, now: int) -> Tombstone | None:
        """The tombstone in ``text``, None if it does not open or is of another epoch than its name says."""
        try:
            read = self._open(Purpose.APP_TOMBSTONE, _TOMBSTONE, text, now)
            stone = Tombstone(
                epoch=read.integer("epoch"),
                bid=read.text("bid"),
                jti=read.ident("jti"),
                iat=read.integer("iat"),
                exp=read.integer("exp"),
            )
        except TokenRefused:
            return None
        return stone if stone.epoch == epoch else None

    def _open(self, purpose: Purpose, rule: Rule, text: str, now: int) -> Claims:
        """What is sealed in ``text``, held to ``rule``; TokenRefused if it does not open."""
        plain = self.sealer.open(purpose, text, COOKIE_CHARS, now)
        try:
            read = Claims(purpose, strict_json(plain))
        except ValueError as error:
            raise TokenRefused(f"a {purpose} that is {error}") from error
        read.obey(rule)
        return read


def set_cookie(name: str, value: str, seconds: int) -> str:
    """A ``Set-Cookie`` that lasts ``seconds``.

    >>> set_cookie("__Host-chain-bind", "x", 120)
    '__Host-chain-bind=x; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=120'
    """
    return f"{name}={value}; {ATTRIBUTES}; Max-Age={max(seconds, 0)}"


def delete_cookie(name: str) -> str:
    """The ``Set-Cookie`` that deletes ``name``."""
    return set_cookie(name, "", 0)


def set_bind(value: str) -> str:
    """The ``Set-Cookie`` of the bind cookie; ``value`` is base64url of 32 random bytes."""
    return set_cookie(BIND_COOKIE, value, BIND_SECONDS)
