"""The gateway's keys: three kinds, each with one key that is active, and old ones as long as their texts may be about.

A new key is announced before it is used: other processes load it, and apps see it in the key set, before the first
text is made with it. An old one is accepted until the last text made with it has outlived itself (``purposes.LIFE``;
a signature: the life of a ticket and of a cached key set). ``retired`` takes a key back at once.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

import orjson

from chain_gateway.core.limits import SKEW_SECONDS, TICKET_SECONDS
from chain_gateway.errors import ConfigError, Problem
from chain_gateway.tokens import keyfile
from chain_gateway.tokens.encoding import b64e
from chain_gateway.tokens.es256 import Es256Signer
from chain_gateway.tokens.keyfile import ALG, KeyRecord
from chain_gateway.tokens.public_keys import public_jwk
from chain_gateway.tokens.purposes import LIFE, USE, Purpose, Use
from chain_gateway.tokens.sealer import KEY_BYTES, KID_BYTES, MARGIN_SECONDS, Sealer, SealKey

JWKS_SECONDS: Final = 3600
"""How long an app may keep the gateway's key set before it asks again."""

LEAD: Final[Mapping[Use, int]] = {Use.SEAL: 300, Use.COOKIE: 300, Use.SIGN: JWKS_SECONDS}
"""How many seconds a new key waits before it is used."""

OVERLAP: Final[Mapping[Use, int]] = {
    Use.SEAL: MARGIN_SECONDS + max(LIFE[purpose] for purpose, use in USE.items() if use is Use.SEAL),
    Use.COOKIE: MARGIN_SECONDS + max(LIFE[purpose] for purpose, use in USE.items() if use is Use.COOKIE),
    Use.SIGN: MARGIN_SECONDS + TICKET_SECONDS + SKEW_SECONDS + JWKS_SECONDS,
}
"""How many seconds an old key is accepted after a newer one took its place, at most."""

_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""The order of P-256 (FIPS 186-5); a private number is below it."""


class State(enum.StrEnum):
    """Where a key is in its life."""

    NEXT = "next"
    ACTIVE = "active"
    OVERLAP = "overlap"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class KeyRow:
    """What may be shown of a key; ``accept_until`` is None while no date is set."""

    kid: str
    use: Use
    alg: str
    created: int
    state: State
    accept_until: int | None


class Keyring:
    """All keys of a gateway, immutable: rotation makes a new ring. Every ``now`` is in seconds."""

    def __init__(self, records: Sequence[KeyRecord]) -> None:
        """``records`` has for each use at least one key that is not retired, and each kid once."""
        self._records = tuple(records)
        self._sealers = {use: Sealer([_seal_key(r, records) for r in records if r.use is use]) for use in _SEALING}
        signing = sorted((r for r in records if r.use is Use.SIGN), key=lambda r: r.active_from, reverse=True)
        self._signers = [
            (r, Es256Signer(keyfile.private_key(r.secret), r.kid)) for r in signing if r.retired_at is None
        ]

    @classmethod
    def generate(cls, now: int, random: Callable[[int], bytes]) -> Self:
        """A new ring, active at once; ``random`` gives that many random bytes."""
        return cls([_new(use, now, now, random) for use in Use])

    @classmethod
    def load(cls, text: str) -> Self:
        """The ring of a key file; ConfigError with every problem in it."""
        return cls(keyfile.parse(text))

    def dump(self) -> str:
        """The text of a key file; it holds every secret of the gateway."""
        return keyfile.dump(self._records)

    def seal(self, purpose: Purpose, plaintext: bytes, nonce: bytes, now: int) -> str:
        """See ``Sealer.seal``; the purpose chooses the keys."""
        return self._sealers[USE[purpose]].seal(purpose, plaintext, nonce, now)

    def open(self, purpose: Purpose, text: str, max_bytes: int, now: int) -> bytes:
        """See ``Sealer.open``; the purpose chooses the keys."""
        return self._sealers[USE[purpose]].open(purpose, text, max_bytes, now)

    def sign(self, typ: str, claims: Mapping[str, object], now: int) -> str:
        """A JWS of ``claims`` by the signing key that is active (ES256; header ``alg``, ``typ``, ``kid``)."""
        return self._signer(now).sign(typ, orjson.dumps(claims))

    def _signer(self, now: int) -> Es256Signer:
        """The newest whose time has come; with a clock that is behind all of them, the oldest."""
        for key, signer in self._signers:
            if key.active_from <= now:
                return signer
        return self._signers[-1][1]

    def jwks(self, now: int) -> dict[str, list[dict[str, str]]]:
        """The public key set (RFC 7517): the key that signs, the next one, and old ones while they are accepted."""
        shown = {row.kid for row in self.rows(now) if row.state is not State.RETIRED}
        return {"keys": [_jwk(record) for record in self._records if record.use is Use.SIGN and record.kid in shown]}

    def rows(self, now: int) -> tuple[KeyRow, ...]:
        """What may be shown of each key, in the order of the file."""
        return tuple(_row(record, self._records, now) for record in self._records)

    def active(self, now: int) -> Mapping[Use, KeyRow]:
        """The key of each use that is active; a use without one is left out, and nothing can be made with it."""
        return {row.use: row for row in self.rows(now) if row.state is State.ACTIVE}

    def rotated(self, use: Use, now: int, random: Callable[[int], bytes]) -> Self:
        """The ring with a new key of ``use``, active after its lead; keys that are accepted no more are left out.

        ConfigError if a new key is waiting already.
        """
        rows = self.rows(now)
        if any(row.use == use and row.state is State.NEXT for row in rows):
            raise _impossible(f"a new {use} key is waiting already", "wait until it is active, or retire the old one")
        kept = [r for r, row in zip(self._records, rows, strict=True) if row.state is not State.RETIRED]
        return type(self)([*kept, _new(Use(use), now, now + LEAD[use], random)])

    def retired(self, kid: str, now: int) -> Self:
        """The ring with one key taken back at ``now``; the key that waits in its place, if any, is active at once.

        ConfigError if there is no such key, or no other to take its place.
        """
        row = next((row for row in self.rows(now) if row.kid == kid), None)
        if row is None or row.state is State.RETIRED:
            raise _impossible(f"there is no key {kid!r} in use", "see `chain-gateway keys list`")
        successor = next((r.kid for r in self.rows(now) if r.use is row.use and r.state is State.NEXT), None)
        if row.state is not State.ACTIVE:
            successor = None
        elif successor is None:
            raise _impossible(f"{kid!r} is the only {row.use} key", f"run `chain-gateway keys rotate {row.use}` first")
        return type(self)([_changed(record, kid, successor, now) for record in self._records])


_SEALING = (Use.SEAL, Use.COOKIE)


def _new(use: Use, now: int, active_from: int, random: Callable[[int], bytes]) -> KeyRecord:
    """A new key. A signing key's number is drawn with 64 bits to spare (FIPS 186-5, A.2.1)."""
    secret = random(KEY_BYTES)
    if use is Use.SIGN:
        number = int.from_bytes(secret + random(8), "big") % (_ORDER - 1) + 1
        secret = number.to_bytes(KEY_BYTES, "big")
    return KeyRecord(b64e(random(KID_BYTES)), use, now, active_from, secret)


def _changed(record: KeyRecord, retired: str, successor: str | None, now: int) -> KeyRecord:
    if record.kid == retired:
        return replace(record, retired_at=now)
    return replace(record, active_from=now) if record.kid == successor else record


def _superseded_at(record: KeyRecord, records: Sequence[KeyRecord]) -> int | None:
    """When a newer key of the same use took, or takes, the place of ``record``; one that never served takes none."""
    newer = (
        other.active_from
        for other in records
        if other.use is record.use
        and other.active_from > record.active_from
        and (other.retired_at is None or other.retired_at > other.active_from)
    )
    return min(newer, default=None)


def _seal_key(record: KeyRecord, records: Sequence[KeyRecord]) -> SealKey:
    superseded = _superseded_at(record, records)
    return SealKey(record.kid, record.secret, record.active_from, superseded, record.retired_at)


def _row(record: KeyRecord, records: Sequence[KeyRecord], now: int) -> KeyRow:
    superseded = _superseded_at(record, records)
    until = None if superseded is None else superseded + OVERLAP[record.use]
    if record.retired_at is not None:
        until = record.retired_at if until is None else min(until, record.retired_at)
    if until is not None and now >= until:
        state = State.RETIRED
    elif superseded is not None and now >= superseded:
        state = State.OVERLAP
    else:
        state = State.ACTIVE if record.active_from <= now else State.NEXT
    return KeyRow(record.kid, record.use, ALG[record.use], record.created, state, until)


def _jwk(record: KeyRecord) -> dict[str, str]:
    key = keyfile.private_key(record.secret).public_key()
    return {**public_jwk(key), "kid": record.kid, "use": "sig", "alg": ALG[Use.SIGN]}


def _impossible(reason: str, hint: str) -> ConfigError:
    return ConfigError((Problem("keys", reason, hint),))
