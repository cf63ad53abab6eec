"""What every use case stands on, and who is visiting."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from chain_gateway.core.chain import App, Registry
from chain_gateway.core.walk import OpLogout
from chain_gateway.service.audit import Audit
from chain_gateway.service.ports import AppKeys, Meter, Silent, Traces
from chain_gateway.store.base import Store
from chain_gateway.tokens.encoding import b64e
from chain_gateway.tokens.keyring import Keyring
from chain_gateway.tokens.purposes import Purpose

NONCE_BYTES = 12
SILENT: Final = Silent()


@dataclass(frozen=True, slots=True)
class Realm:
    """One gateway: its address, its registry, its keys, its store, and the two things that no pure code has.

    ``public_url`` has no trailing slash and is the issuer of every ticket. ``clock`` returns seconds since the epoch,
    ``random`` that many bytes. ``confirm_logout`` is ``unsigned``, ``never`` or ``always``.
    """

    public_url: str
    op_issuer: str
    registry: Registry
    app_keys: AppKeys
    keyring: Callable[[], Keyring]
    store: Store
    clock: Callable[[], float]
    random: Callable[[int], bytes]
    budget: int = 15
    op_logout: OpLogout = OpLogout.FIRST
    confirm_logout: str = "unsigned"
    meter: Meter = SILENT
    audit: Audit = field(default_factory=Audit)
    traces: Traces | None = None

    def now(self) -> int:
        """Whole seconds since the epoch."""
        return int(self.clock())

    def now_ms(self) -> int:
        """Milliseconds since the epoch."""
        return int(self.clock() * 1000)

    def url(self, path: str) -> str:
        """An own URL; ``path`` begins with a slash."""
        return self.public_url + path

    def seal(self, purpose: Purpose, plaintext: bytes) -> str:
        """Seals under a fresh nonce with the key of today."""
        return self.keyring().seal(purpose, plaintext, self.random(NONCE_BYTES), self.now())

    def app_name(self, app: App | None) -> str:
        """The name that a person reads."""
        return app.name if app is not None else "A site that is no longer registered"


@dataclass(frozen=True, slots=True)
class Visitor:
    """The browser of one request: its id (empty if it showed none that holds) and its ``__Host-chain-…`` cookies."""

    browser: bytes = b""
    cookies: Mapping[str, str] = field(default_factory=dict)

    def is_owner(self, browser: bytes) -> bool:
        """Whether this is the browser of that id."""
        return hmac.compare_digest(self.browser, browser)


def pseudonym(browser: bytes, app_id: str) -> str:
    """The ``bid`` of a browser at an app, from which no app can tell what another one knows (22 characters)."""
    return b64e(hmac.digest(browser, b"bid:" + app_id.encode(), "sha256")[:16])
