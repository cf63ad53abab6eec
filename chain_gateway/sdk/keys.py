"""The gateway's public keys, kept by the app: fetched at the first need, and again when a ticket names an unknown one.

A key that is not known is asked for at once, and then at most once a minute, so that a flood of made-up kids asks the
gateway for nothing. Of any number of requests that need a fetch at one time, one makes it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from chain_gateway.errors import ChainGatewayError
from chain_gateway.tokens.encoding import strict_json
from chain_gateway.tokens.keyring import JWKS_SECONDS
from chain_gateway.tokens.ticket import GatewayKeys

JWKS_PATH: Final = "/.well-known/jwks.json"
JWKS_BYTES: Final = 64 * 1024
FETCH_SECONDS: Final = 5
UNKNOWN_SECONDS: Final = 60
"""How often an unknown kid may cause a fetch."""
FAILED_SECONDS: Final = 5
"""How long after a failed fetch the next one is not tried."""

_LONG_AGO: Final = -JWKS_SECONDS - UNKNOWN_SECONDS


class KeysUnavailable(ChainGatewayError):
    """The gateway's keys could not be fetched, so no ticket can be verified."""

    code = "keys_unavailable"
    status = 503
    text = "The sign-in service cannot be reached at the moment."
    help = "Please try again in a moment."


class KeySource(Protocol):
    """Where an app has the gateway's keys from; ``now`` is in seconds."""

    async def keys(self, now: int) -> GatewayKeys:
        """The keys as they are known; KeysUnavailable if none are."""

    async def newer(self, now: int) -> GatewayKeys | None:
        """The keys fetched anew, as a kid is not among them; None where that was tried within the last minute."""


class KeyCache:
    """The keys that ``fetch`` brings, kept for an hour, and beyond it while the gateway cannot be reached."""

    def __init__(self, fetch: Callable[[], Awaitable[bytes]]) -> None:
        """``fetch`` returns the bytes of the gateway's JWK set, or raises KeysUnavailable."""
        self._fetch = fetch
        self._flight = asyncio.Lock()
        self._keys: GatewayKeys | None = None
        self._fetched = self._asked = self._failed = _LONG_AGO
        self._landed = 0

    async def keys(self, now: int) -> GatewayKeys:
        """See ``KeySource``."""
        if self._keys is None or now - self._fetched >= JWKS_SECONDS:
            try:
                return await self._one_fetch(now)
            except KeysUnavailable:
                if self._keys is None:
                    raise
        return self._keys

    async def newer(self, now: int) -> GatewayKeys | None:
        """See ``KeySource``."""
        if now - self._asked < UNKNOWN_SECONDS and not self._flight.locked():
            return None
        try:
            keys = await self._one_fetch(now)
        except KeysUnavailable:
            return None
        self._asked = now
        return keys

    async def _one_fetch(self, now: int) -> GatewayKeys:
        """The keys of a fetch that ends after this call began: of somebody else's, if one is under way."""
        landed = self._landed
        async with self._flight:
            if self._landed != landed and self._keys is not None:
                return self._keys
            if now - self._failed < FAILED_SECONDS:
                raise KeysUnavailable("the last fetch failed a moment ago")
            try:
                self._keys = parsed(await self._fetch())
            except KeysUnavailable:
                self._failed = now
                raise
            self._fetched = now
            self._landed += 1
            return self._keys


class FixedKeys:
    """Keys that are given once, for tests and for apps that fetch them their own way."""

    def __init__(self, keys: GatewayKeys) -> None:
        """``keys`` never change."""
        self._fixed = keys

    async def keys(self, now: int) -> GatewayKeys:  # noqa: ARG002  (the port's signature)
        """See ``KeySource``."""
        return self._fixed

    async def newer(self, now: int) -> GatewayKeys | None:  # noqa: ARG002  (the port's signature)
        """There are no newer ones."""
        return None


def parsed(jwks: bytes) -> GatewayKeys:
    """The keys of a JWK set; KeysUnavailable if ``jwks`` is none."""
    try:
        return GatewayKeys.from_jwks(strict_json(jwks))
    except ValueError as error:
        raise KeysUnavailable(f"what the gateway answered is no key set: {error}") from error
