"""The key file: JSON of version 1, one object a key. Read with every problem at once, written for people to look at."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import orjson
from cryptography.hazmat.primitives.asymmetric import ec

from chain_gateway.errors import ConfigError, Problem
from chain_gateway.tokens.encoding import b64d, b64e, strict_json
from chain_gateway.tokens.purposes import Use
from chain_gateway.tokens.sealer import KEY_BYTES

ALG: Final[Mapping[Use, str]] = {Use.SEAL: "A256GCM", Use.COOKIE: "A256GCM", Use.SIGN: "ES256"}
"""The one algorithm of each use."""

_VERSION = 1
_KID = re.compile(r"[A-Za-z0-9_-]{1,32}")
_MUST = frozenset({"kid", "use", "alg", "created", "active_from", "secret"})
_MAY = frozenset({"retired_at"})
_HINT = "restore the file from its backup, or make a new one with `chain-gateway keys new`"


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """One key as the file has it: 32 secret bytes (of a signing key the private number), dates in seconds."""

    kid: str
    use: Use
    created: int
    active_from: int
    secret: bytes = field(repr=False)
    retired_at: int | None = None


def private_key(secret: bytes) -> ec.EllipticCurvePrivateKey:
    """The P-256 key of a private number; ValueError if the curve has no such key."""
    return ec.derive_private_key(int.from_bytes(secret, "big"), ec.SECP256R1())


def dump(records: Sequence[KeyRecord]) -> str:
    """The text of a key file; it holds every secret of the gateway."""
    keys = [_members(record) for record in records]
    return orjson.dumps({"version": _VERSION, "keys": keys}, option=orjson.OPT_INDENT_2).decode() + "\n"


def parse(text: str) -> tuple[KeyRecord, ...]:
    """The keys of a file; ConfigError with every problem in it. No problem repeats anything secret."""
    try:
        file = strict_json(text.encode())
    except ValueError as error:
        raise ConfigError((Problem("keys", f"is {error}", _HINT),)) from error
    version, entries = file.get("version"), file.get("keys")
    if file.keys() != {"version", "keys"} or not isinstance(entries, list):
        raise ConfigError((Problem("keys", "is not a key file", _HINT),))
    if type(version) is not int or version != _VERSION:
        raise ConfigError((Problem("keys", f"is not a key file of version {_VERSION}", _HINT),))
    problems: list[Problem] = []
    records = [record for i, entry in enumerate(entries) if (record := _record(f"keys[{i}]", entry, problems))]
    kids = [record.kid for record in records]
    problems += [
        Problem("keys", f"has the kid {kid} twice", _HINT) for kid in sorted({k for k in kids if kids.count(k) > 1})
    ]
    if not problems:
        in_use = {record.use for record in records if record.retired_at is None}
        problems += [
            Problem("keys", f"has no {use} key in use", f"run `chain-gateway keys rotate {use}`")
            for use in Use
            if use not in in_use
        ]
    if problems:
        raise ConfigError(tuple(problems))
    return tuple(records)


def _members(record: KeyRecord) -> dict[str, object]:
    members: dict[str, object] = {
        "kid": record.kid,
        "use": record.use.value,
        "alg": ALG[record.use],
        "created": record.created,
        "active_from": record.active_from,
        "secret": b64e(record.secret),
    }
    if record.retired_at is not None:
        members["retired_at"] = record.retired_at
    return members


def _record(path: str, entry: object, problems: list[Problem]) -> KeyRecord | None:
    """The key of one entry, or None after its problems were added."""
    before = len(problems)
    if not isinstance(entry, dict) or not entry.keys() >= _MUST or not entry.keys() <= _MUST | _MAY:
        problems.append(Problem(path, "has not the members of a key", _HINT))
        return None
    kid, use, alg, secret = entry["kid"], entry["use"], entry["alg"], entry["secret"]
    if not isinstance(kid, str) or _KID.fullmatch(kid) is None:
        problems.append(Problem(f"{path}.kid", "is not base64url of 1 to 32 characters", _HINT))
    if not isinstance(use, str) or use not in set(Use) or alg != ALG[Use(use)]:
        problems.append(Problem(f"{path}.use", "is no use of this version with its algorithm", _HINT))
    dates = {name: entry.get(name, 0) for name in ("created", "active_from", "retired_at")}
    problems += [
        Problem(f"{path}.{name}", "is not a time in whole seconds", _HINT)
        for name, value in dates.items()
        if type(value) is not int or value < 0
    ]
    material = _material(secret, signs=use == Use.SIGN)
    if material is None:
        problems.append(Problem(f"{path}.secret", f"is not a key of {KEY_BYTES} bytes in base64url", _HINT))
    if len(problems) > before or material is None:
        return None
    retired = entry.get("retired_at")
    return KeyRecord(kid, Use(use), dates["created"], dates["active_from"], material, retired)


def _material(secret: object, *, signs: bool) -> bytes | None:
    try:
        material = b64d(secret) if isinstance(secret, str) else b""
        if signs:
            private_key(material)
    except ValueError:
        return None
    return material if len(material) == KEY_BYTES else None
