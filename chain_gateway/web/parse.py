"""Query and form into values: each known parameter once at most, bounded, without control characters."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from aiohttp import web

from chain_gateway.core.limits import (
    BODY_BYTES,
    CHAIN_TOKEN_BYTES,
    ERROR_CHARS,
    ID_CHARS,
    RECEIPT_BYTES,
    REQUEST_SECONDS,
    RETURN_TO_CHARS,
    URL_CHARS,
)
from chain_gateway.errors import BadInput, BodyLate, BodyTooLong

FIELDS: Final = 40
FORM: Final = "application/x-www-form-urlencoded"

LENGTHS: Final[Mapping[str, int]] = {
    "app": ID_CHARS,
    "bind": 64,
    "chain": ID_CHARS,
    "code": 2048,
    "confirm": 3072,
    "error": ERROR_CHARS,
    "error_description": 1024,
    "iss": URL_CHARS,
    "login_hint": 256,
    "logout_token": 8192,
    "prompt": ID_CHARS,
    "receipt": RECEIPT_BYTES,
    "request": 2048,
    "return_to": RETURN_TO_CHARS,
    "scope": ID_CHARS,
    "state": CHAIN_TOKEN_BYTES,
}
"""The longest value of each parameter that some endpoint knows, in characters."""


def query(request: web.Request) -> dict[str, str]:
    """The known parameters of the URL; BadInput with a code that names the parameter."""
    return _fields(request.raw_path.partition("?")[2])


async def form(request: web.Request) -> dict[str, str]:
    """The known fields of the body, as ``query`` judges them; BadInput if it is no plain form."""
    if request.content_type != FORM:
        raise BadInput("not a plain form", code="bad_input.body")
    try:
        async with asyncio.timeout(REQUEST_SECONDS):
            body = await _body(request)
    except TimeoutError:
        raise BodyLate("the body did not come in time", code="bad_input.late") from None
    if len(body) > BODY_BYTES:
        raise BodyTooLong("the body is too long", code="bad_input.length")
    try:
        return _fields(body.decode("ascii"))
    except UnicodeDecodeError:
        raise BadInput("the body is not a form", code="bad_input.body") from None


async def _body(request: web.Request) -> bytes:
    """The body, or as much of it as shows that it is too long."""
    body = await request.content.read(BODY_BYTES + 1) if request.body_exists else b""
    while len(body) <= BODY_BYTES and not request.content.at_eof():
        body += await request.content.read(BODY_BYTES + 1 - len(body))
    return body


def _pairs(text: str) -> list[tuple[str, str]]:
    """Names and values in order; where nothing is encoded, as with all that walks carry, by two cuts each."""
    parts = text.split("&", FIELDS)
    if len(parts) <= FIELDS and "%" not in text and "+" not in text:
        return [(name, value) for name, _, value in (part.partition("=") for part in parts if part)]
    try:
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=FIELDS)
    except ValueError:
        raise BadInput("too many parameters, or not UTF-8", code="bad_input.parameters") from None


def _fields(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in _pairs(text):
        most = LENGTHS.get(name)
        if most is None:
            continue
        if name in found:
            raise BadInput(f"{name} stands there twice", code=f"bad_input.{name}")
        if len(value) > most:
            raise BadInput(f"{name} is too long", code=f"bad_input.{name}")
        if not value.isprintable():
            raise BadInput(f"{name} holds control characters", code=f"bad_input.{name}")
        found[name] = value
    return found
