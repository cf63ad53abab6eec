"""Fetches the gateway's key set: one small document, from the configured gateway alone."""

from __future__ import annotations

from typing import Final

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector

from chain_gateway.resolver import LoopbackResolver
from chain_gateway.sdk.keys import FETCH_SECONDS, JWKS_BYTES, JWKS_PATH, KeysUnavailable

_OK: Final = 200


async def fetch_jwks(gateway: str) -> bytes:
    """The bytes at the gateway's ``/.well-known/jwks.json``; KeysUnavailable on anything but a plain, small answer.

    No redirect is followed: the keys are the gateway's own, or they are nobody's.
    """
    timeout = ClientTimeout(total=FETCH_SECONDS)
    try:
        async with (
            ClientSession(connector=TCPConnector(resolver=LoopbackResolver()), timeout=timeout) as session,
            session.get(gateway + JWKS_PATH, allow_redirects=False) as response,
        ):
            if response.status != _OK:
                raise KeysUnavailable(f"the gateway answered {response.status} for its keys")
            body = bytearray()
            async for chunk in response.content.iter_any():
                body += chunk
                if len(body) > JWKS_BYTES:
                    raise KeysUnavailable(f"the gateway's key set has more than {JWKS_BYTES} bytes")
            return bytes(body)
    except (ClientError, TimeoutError, OSError) as error:
        raise KeysUnavailable(f"the gateway's keys could not be fetched: {type(error).__name__}") from error
