"""``keys``: make, rotate, list and retire the keys of a gateway.

The file holds every secret of the gateway. It is written beside itself, flushed to the disk and moved into place, so
that a crash leaves the old file or the new one; it is readable by its owner alone, who stays the same.
"""

from __future__ import annotations

import os
import tempfile
import tomllib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from chain_gateway.errors import ConfigError, Problem, passes
from chain_gateway.tokens.keyring import Keyring, KeyRow
from chain_gateway.tokens.purposes import Use

FILE_MODE = 0o600
DEFAULT_FILE = "keys.json"
"""Where the keys are of a configuration that does not say it, as ``config.gateway`` has it."""


def key_file(config: Path | None, keys: Path | None) -> Path:
    """The key file that is meant: ``keys`` itself, or what ``gateway.keys`` of ``config`` names.

    The configuration is read for this one name alone, as the file that it names need not be there yet.
    """
    if (config is None) == (keys is None):
        raise _problem("keys", "one of --config and --keys names the key file", "give exactly one of them")
    if keys is not None:
        return keys
    assert config is not None  # noqa: S101  (one of the two is there)
    try:
        document = tomllib.loads(config.read_text("utf-8"))
    except OSError as error:
        raise _problem(str(config), f"cannot be read: {error.strerror}", "name the configuration file") from error
    except ValueError as error:
        raise _problem(str(config), f"is not TOML: {error}", "run `chain-gateway check` on it") from error
    match document:
        case {"gateway": {"keys": {"file": str(name)}}}:
            return config.parent / name
        case {"gateway": dict(gateway)} if "keys" not in gateway:
            return config.parent / DEFAULT_FILE
    raise _problem("gateway.keys", "names no file", 'write keys = { file = "keys.json" }, or give --keys FILE')


def new(path: Path, now: int, *, force: bool) -> Keyring:
    """Makes a key file at ``path``; one that is there is replaced only by ``force``, as all sessions end with it."""
    ring = Keyring.generate(now, os.urandom)
    try:
        _write(path, ring, replace=force)
    except FileExistsError as error:
        hint = "use `keys rotate`; --force throws the old keys away, and with them every sign-in under way"
        raise _problem(str(path), "is there already", hint) from error
    return ring


def rotate(path: Path, uses: Sequence[Use], now: int) -> Keyring:
    """Adds a new key for each of ``uses``; each becomes active after its lead, and the old one overlaps."""
    ring = load(path)
    for use in uses:
        ring = ring.rotated(use, now, os.urandom)
    _write(path, ring, replace=True)
    return ring


def retire(path: Path, kid: str, now: int) -> Keyring:
    """Takes the key ``kid`` back at once: whatever it sealed or signed counts no more."""
    ring = load(path).retired(kid, now)
    _write(path, ring, replace=True)
    return ring


def load(path: Path) -> Keyring:
    """The keyring in ``path``; ConfigError with every problem in it."""
    try:
        return Keyring.load(path.read_text("utf-8"))
    except OSError as error:
        hint = "make one with `chain-gateway keys new`"
        raise ConfigError((Problem(str(path), f"cannot be read: {error.strerror}", hint, passes(error)),)) from error
    except UnicodeDecodeError as error:
        raise _problem(str(path), "is not text", "restore the file from its backup") from error


def as_json(path: Path, ring: Keyring, now: int) -> dict[str, object]:
    """What programs are told of the keys; nothing secret is in it, times are seconds."""
    return {"file": str(path), "keys": [_members(row) for row in ring.rows(now)]}


def as_lines(ring: Keyring, now: int) -> list[tuple[str, ...]]:
    """What people are told: kid, use, algorithm, made, state, accepted until."""
    return [
        (row.kid, row.use.value, row.alg, _date(row.created), row.state.value, _date(row.accept_until))
        for row in ring.rows(now)
    ]


def _members(row: KeyRow) -> dict[str, object]:
    return {
        "kid": row.kid,
        "use": row.use.value,
        "alg": row.alg,
        "created": row.created,
        "state": row.state.value,
        "accept_until": row.accept_until,
    }


def _date(seconds: int | None) -> str:
    return "" if seconds is None else f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"


def _write(path: Path, ring: Keyring, *, replace: bool) -> None:
    """Puts the ring's file in place; FileExistsError if one is there that is not to be replaced."""
    path = path.resolve()
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        hint = "the directory must be there, and writable to you"
        raise _problem(str(path), f"cannot be written: {error.strerror}", hint) from error
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), FILE_MODE)
            file.write(ring.dump())
            file.flush()
            os.fsync(file.fileno())
        if replace:
            _keep_owner(path, temporary)
            temporary.replace(path)
        else:
            path.hardlink_to(temporary)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_directory(path.parent)


def _keep_owner(path: Path, temporary: Path) -> None:
    """Gives the new file to who owns the old one: an operator rotates as root what a service must go on reading."""
    try:
        owner = path.stat()
        os.chown(temporary, owner.st_uid, owner.st_gid)
    except FileNotFoundError:
        return
    except PermissionError as error:
        hint = "run this as its owner, or as root"
        raise _problem(str(path), "belongs to somebody else, who could not read it any more", hint) from error


def _sync_directory(directory: Path) -> None:
    """Makes the name as durable as the file."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _problem(path: str, reason: str, hint: str) -> ConfigError:
    return ConfigError((Problem(path, reason, hint),))
