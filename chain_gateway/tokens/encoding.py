"""Bytes as text and text as JSON, with one spelling each.

What two decoders could read differently is refused, so that a token cannot be respelt into a second one: base64url
(RFC 7515 section 2) without padding and with zero trailing bits, JSON objects (RFC 8259) without a repeated member.
"""

from __future__ import annotations

import json
from typing import Final

import orjson
import pybase64

_URL: Final = b"-_"


def b64e(data: bytes) -> str:
    """``data`` as base64url without padding."""
    return pybase64.b64encode_as_string(data, _URL).rstrip("=")


def b64d(text: str) -> bytes:
    """The bytes of which ``text`` is the one spelling; ValueError on any other text.

    Decoders are lenient, about the last bits at least: encoding the result again and comparing refuses all that they
    let pass at once.
    """
    if "+" in text or "/" in text:  # the other alphabet, which the decoder takes with a warning
        raise ValueError("not base64url")
    try:
        data = pybase64.b64decode(text + "=" * (-len(text) % 4), _URL, validate=True)
    except ValueError as error:
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
