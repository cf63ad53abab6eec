"""Bytes as text and text as JSON, with one spelling each.

What two decoders could read differently is refused, so that a token cannot be respelt into a second one: base64url
(RFC 7515 section 2) without padding and with zero trailing bits, JSON objects (RFC 8259) without a repeated member.
"""

from __future__ import annotations

import binascii
import json
from typing import Final

import orjson

_TO_URL: Final = bytes.maketrans(b"+/", b"-_")
_FROM_URL: Final = bytes.maketrans(b"-_", b"+/")


def b64e(data: bytes) -> str:
    """``data`` as base64url without padding."""
    return binascii.b2a_base64(data, newline=False).translate(_TO_URL).rstrip(b"=").decode("ascii")


def b64d(text: str) -> bytes:
    """The bytes of which ``text`` is the one spelling; ValueError on any other text.

    Python's decoder is lenient about padding, alphabet, whitespace and the last bits: encoding its result again and
    comparing refuses all of that at once.
    """
    try:
        data = binascii.a2b_base64(text.encode("ascii").translate(_FROM_URL) + b"=" * (-len(text) % 4))
    except (UnicodeEncodeError, binascii.Error) as error:
        raise ValueError("not base64url") from error
    if b64e(data) != text:
        raise ValueError("not the canonical base64url")
    return data


def strict_json(data: bytes) -> dict[str, object]:
    """The JSON object in ``data`` (UTF-8); ValueError on anything else.

    That is: another type than an object, a member that is named twice at any depth, NaN and infinities, surrogates
    without their pair, nesting beyond what the parser takes.
    """
    value = orjson.loads(data)
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - a refusal of what was sent, not of a programmer's type
    try:
        if orjson.dumps(value) != data:
            # Not the compact text that its own value makes: only such a text can hide a repeated member.
            json.loads(data, object_pairs_hook=_distinct)
    except (orjson.JSONEncodeError, RecursionError) as error:  # neither is a ValueError
        raise ValueError("JSON nested too deep") from error
    return value


def _distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("JSON that names a member twice")
    return members
