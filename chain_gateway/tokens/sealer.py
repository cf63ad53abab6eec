"""Sealed texts: ``KID.BASE64URL(nonce + ciphertext)``, AES-256-GCM (NIST SP 800-38D) under one of several keys.

The purpose, the version of the form and the kid are authenticated with the content, so a text that was sealed for one
purpose opens for no other. Random nonces of 96 bits allow 2^32 texts a key; rotation keeps far below that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from chain_gateway.tokens.encoding import b64d, b64e
from chain_gateway.tokens.purposes import LIFE, Purpose
from chain_gateway.tokens.refusals import Check, refused

KEY_BYTES = 32
NONCE_BYTES = 12
SECRET_BYTES = 32
KID_BYTES = 6
MARGIN_SECONDS = 3600
"""How long after a rotation another process may still seal with the old key, because it reloads late."""

_VERSION = b"chain-gateway sealed 1"
_TAG_BYTES = 16


@dataclass(frozen=True, slots=True)
class SealKey:
    """A key of 32 bytes with its dates, in seconds: active from, superseded by a newer one, taken back."""

    kid: str
    secret: bytes = field(repr=False)
    active_from: int = 0
    superseded_at: int | None = None
    retired_at: int | None = None

    def accepts(self, purpose: Purpose, now: int) -> bool:
        """Whether a text of ``purpose`` under this key may still be about: it is neither taken back nor outlived."""
        if self.retired_at is not None and now >= self.retired_at:
            return False
        return self.superseded_at is None or now < self.superseded_at + LIFE[purpose] + MARGIN_SECONDS


class Sealer:
    """Seals with the key that is active, opens with any that is accepted."""

    def __init__(self, keys: Sequence[SealKey]) -> None:
        """``keys`` is not empty, each kid its own; of two keys with one date the first seals. ValueError otherwise."""
        if any(len(key.secret) != KEY_BYTES for key in keys):
            raise ValueError(f"a key has {KEY_BYTES} bytes")
        self._keys = {key.kid: (key, AESGCM(key.secret)) for key in keys}
        in_use = [key for key in keys if key.retired_at is None]
        if not in_use or len(self._keys) != len(keys):
            raise ValueError("a sealer needs a key in use, and each with its own kid")
        self._newest_first = sorted(in_use, key=lambda key: key.active_from, reverse=True)

    @classmethod
    def from_secrets(cls, secrets: Sequence[bytes]) -> Self:
        """A sealer of an app's own secrets, each of at least 32 bytes: the first seals, all open (HKDF, RFC 5869).

        ValueError on a short secret, or the same one twice.
        """
        if any(len(secret) < SECRET_BYTES for secret in secrets):
            raise ValueError(f"a secret has at least {SECRET_BYTES} bytes")
        return cls([SealKey(b64e(_derived(s, b"kid", KID_BYTES)), _derived(s, b"seal", KEY_BYTES)) for s in secrets])

    def seal(self, purpose: Purpose, plaintext: bytes, nonce: bytes, now: int) -> str:
        """``plaintext`` sealed at ``now`` (seconds) with ``nonce``, 12 random bytes never used before."""
        if len(nonce) != NONCE_BYTES:
            raise ValueError(f"a nonce has {NONCE_BYTES} bytes")
        kid = self._active(now).kid
        _, cipher = self._keys[kid]
        return f"{kid}.{b64e(nonce + cipher.encrypt(nonce, plaintext, _bound(purpose, kid)))}"

    def open(self, purpose: Purpose, text: str, max_bytes: int, now: int) -> bytes:
        """What was sealed for ``purpose``; TokenRefused at the first check that fails: size, shape, key, seal."""
        if len(text) > max_bytes:
            raise refused(Check.SIZE, f"a {purpose} of {len(text)} characters")
        kid, dot, body = text.partition(".")
        try:
            sealed = b64d(body)
        except ValueError as error:
            raise refused(Check.SHAPE, f"a {purpose} that is {error}") from error
        if not dot or len(sealed) < NONCE_BYTES + _TAG_BYTES:
            raise refused(Check.SHAPE, f"a {purpose} without its parts")
        key, cipher = self._keys.get(kid, (None, None))
        if key is None or cipher is None or not key.accepts(purpose, now):
            raise refused(Check.KEY, f"a {purpose} under a key that is not accepted")
        try:
            return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _bound(purpose, kid))
        except InvalidTag as error:
            raise refused(Check.SEAL, f"a {purpose} that was changed, or sealed for another purpose") from error

    def _active(self, now: int) -> SealKey:
        """The newest key whose time has come; with a clock that is behind all of them, the oldest."""
        for key in self._newest_first:
            if key.active_from <= now:
                return key
        return self._newest_first[-1]


@lru_cache(maxsize=256)
def _bound(purpose: Purpose, kid: str) -> bytes:
    """What is authenticated beside the content."""
    return b"\0".join((_VERSION, purpose.encode(), kid.encode()))


def _derived(secret: bytes, label: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt=None, info=b"chain-gateway app 1 " + label).derive(secret)
