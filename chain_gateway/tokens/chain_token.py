"""The chain token: a walk, sealed by the gateway for itself, that the browser carries from hop to hop.

The checks are made in the order of docs/protocol.md, "The chain token and the relay": size, shape, seal and purpose
here; then, by the relay, the browser, the expiry, and the rest.
"""

from __future__ import annotations

from chain_gateway.core.limits import CHAIN_TOKEN_BYTES
from chain_gateway.core.packing import pack, unpack
from chain_gateway.core.walk import Walk
from chain_gateway.tokens.keyring import Keyring
from chain_gateway.tokens.purposes import Purpose
from chain_gateway.tokens.refusals import Check, refused


def seal_walk(walk: Walk, keyring: Keyring, nonce12: bytes, now: int) -> str:
    """The chain token of ``walk``, sealed at ``now`` with 12 random bytes.

    TokenRefused (``size``) if it would be longer than the relay takes: a long chain with a long return URL.
    """
    text = keyring.seal(Purpose.CHAIN_TOKEN, pack(walk), nonce12, now)
    if len(text) > CHAIN_TOKEN_BYTES:
        raise refused(Check.SIZE, f"a chain token of {len(text)} characters is not sent")
    return text


def open_walk(text: str, keyring: Keyring, now: int) -> Walk:
    """The walk in ``text``; TokenRefused at the first check that fails: size, shape, key, seal.

    That it is this browser's is for the relay to check, and that its time is not over for the machine that steps it.
    """
    data = keyring.open(Purpose.CHAIN_TOKEN, text, CHAIN_TOKEN_BYTES, now)
    try:
        return unpack(data)
    except ValueError as error:
        raise refused(Check.SHAPE, f"a chain token whose walk is not read: {error}") from error
