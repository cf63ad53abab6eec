"""Secrets and where they come from: a string, an environment variable, or a file that nobody else can read.

A ``Secret`` shows itself to code that calls ``reveal()`` and to nothing else: not to ``repr``, a format string, a log
or a dump. All refusals here name the place, never the value.
"""

from __future__ import annotations

import hmac
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, GetCoreSchemaHandler, ValidationInfo
from pydantic_core import CoreSchema, core_schema

from chain_gateway.config.fields import Shape, refuse

HIDDEN: Final = "***"
FILE_BYTES: Final = 64 * 1024
KEY_BYTES: Final = 32
"""The least an HMAC key may have: as many bytes as the hash of HS256 (RFC 7518, section 3.2)."""

_FORMS: Final = 'a string, { env = "NAME" } or { file = "PATH" }'
_READ: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
"""Without waiting for a writer, as opening a named pipe would."""
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class Sources:
    """What a configuration may refer to: files (relative ones are under ``base``) and environment variables."""

    base: Path
    environ: Mapping[str, str]

    def path(self, text: str) -> Path:
        """``text`` as an absolute path; relative ones start at the folder of the configuration file."""
        return Path(os.path.normpath(self.base.absolute() / text))


class Secret:
    """A text that is not shown; equal to another one of the same text."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        """``text`` is the secret itself."""
        self._text = text

    def reveal(self) -> str:
        """The secret itself, for the one place that needs it."""
        return self._text

    def __repr__(self) -> str:
        """``***``."""
        return HIDDEN

    def __eq__(self, other: object) -> bool:
        """Compared in constant time."""
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        """The hash of the text: equal secrets are found in a dictionary."""
        return hash((Secret, self._text))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type, handler: GetCoreSchemaHandler) -> CoreSchema:
        """How a model reads a secret (``read_secret``) and writes it (``***``)."""
        return core_schema.with_info_plain_validator_function(
            read_secret, serialization=core_schema.plain_serializer_function_ser_schema(lambda _: HIDDEN)
        )


def read_secret(value: object, info: ValidationInfo) -> Secret:
    """The secret that ``value`` holds or refers to; refused if it is not there, empty, or open to others."""
    return value if isinstance(value, Secret) else Secret(_text(value, sources(info), private=True))


def read_text(value: object, info: ValidationInfo) -> str:
    """A text in the forms of a secret that is none, such as a public key: its file may be read by others."""
    return _text(value, sources(info), private=False)


def read_keyring(value: object, info: ValidationInfo) -> Path:
    """``{ file = "PATH" }`` as an absolute path. The file need not be there yet; if it is, others must not reach it."""
    match value:
        case Path():
            path = sources(info).path(str(value))
        case {"file": str(name), **rest} if name and not rest:
            path = sources(info).path(name)
        case _:
            raise refuse("this does not name a file", 'write { file = "keys.json" }')
    if path.exists():
        _content(path, private=True)
    return path


def long_enough(secret: Secret) -> Secret:
    """``secret`` if it is a key of full length for HS256."""
    if len(secret.reveal().encode()) < KEY_BYTES:
        raise refuse(
            f"the secret is shorter than {KEY_BYTES} bytes, and could be guessed",
            "make one: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'",
        )
    return secret


KeySecret = Annotated[Secret, AfterValidator(long_enough), Shape(f"secret, at least {KEY_BYTES} bytes: {_FORMS}")]
AnySecret = Annotated[Secret, Shape(f"secret: {_FORMS}")]
KeyringFile = Annotated[Path, BeforeValidator(read_keyring), Shape('`{ file = "PATH" }`')]


def sources(info: ValidationInfo) -> Sources:
    """The sources that a model is being read with."""
    if not isinstance(info.context, Sources):
        raise TypeError("a configuration is read with its Sources as context")
    return info.context


def _text(value: object, found: Sources, *, private: bool) -> str:
    match value:
        case str(text):
            place, hint = "the string", f"write {_FORMS}"
        case {"env": str(name), **rest} if name and not rest:
            place, hint = f"the environment variable {name}", f"set {name} before the gateway starts"
            if name not in found.environ:
                raise refuse(f"{place} is not set", hint)
            text = found.environ[name]
        case {"file": str(name), **rest} if name and not rest:
            path = found.path(name)
            place, hint = f"the file {path}", f"write the value into {path}"
            text = _content(path, private=private)
        case _:
            raise refuse("this is not a text, nor a place to find one", f"write {_FORMS}")
    if not text.strip():
        raise refuse(f"{place} is empty", hint)
    return text


def _content(path: Path, *, private: bool) -> str:
    """The text of a file without its last line end. The open file is judged, so that none can be put in its place."""
    try:
        with os.fdopen(os.open(path, _READ), "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if not stat.S_ISREG(mode):
                raise refuse(f"{path} is not a file", "name a plain file that holds nothing but the value")
            if private and mode & _OTHERS:
                raise refuse(
                    f"the file {path} can be used by others than its owner",
                    f"let only its owner read it: chmod 600 {quote(str(path))}",
                )
            data = file.read(FILE_BYTES + 1)
    except OSError as error:
        reason = f"the file {path} cannot be read: {(error.strerror or 'unknown error').lower()}"
        raise refuse(
            reason, "create it, or correct the path; a relative one starts at the configuration's folder"
        ) from None
    if len(data) > FILE_BYTES:
        raise refuse(
            f"the file {path} is larger than {FILE_BYTES} bytes", "name a file that holds nothing but the value"
        )
    try:
        return data.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise refuse(f"the file {path} is not UTF-8 text", "write the value as text, e.g. as base64url") from None
