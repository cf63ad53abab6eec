"""Secrets: they show themselves to code that calls ``reveal()``, and to no message, log or dump."""

from __future__ import annotations

import hmac
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, GetCoreSchemaHandler, ValidationInfo
from pydantic_core import CoreSchema, core_schema

from chain_gateway.config.fields import Shape, refuse
from chain_gateway.config.sources import seen, sources

HIDDEN: Final = "***"
KEY_BYTES: Final = 32
"""The least an HMAC key may have: as many bytes as the hash of HS256 (RFC 7518, section 3.2)."""


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
    return value if isinstance(value, Secret) else Secret(sources(info).text(value, private=True))


def read_keyring(value: object, info: ValidationInfo) -> Path:
    """``{ file = "PATH" }`` as an absolute path. The file need not be there yet; if it is, others must not reach it."""
    match value:
        case Path():
            path = sources(info).path(str(value))
        case {"file": str(name), **rest} if name and not rest:
            path = sources(info).path(name)
        case _:
            raise refuse("this does not name a file", 'write { file = "keys.json" }')
    if seen(path, Path.exists):
        sources(info).content(path, private=True)
    return path


def long_enough(secret: Secret) -> Secret:
    """``secret`` if it is a key of full length for HS256."""
    if len(secret.reveal().encode()) < KEY_BYTES:
        raise refuse(
            f"the secret is shorter than {KEY_BYTES} bytes, and could be guessed",
            "make one: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'",
        )
    return secret


KeySecret = Annotated[Secret, AfterValidator(long_enough), Shape(f"secret, at least {KEY_BYTES} bytes")]
AnySecret = Annotated[Secret, Shape("secret")]
KeyringFile = Annotated[Path, BeforeValidator(read_keyring), Shape('`{ file = "PATH" }`')]
