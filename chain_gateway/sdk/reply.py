"""What the SDK answers, whatever the framework: a status, headers, cookies, and at most one small page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from types import MappingProxyType
from typing import Final

import orjson

from chain_gateway.core.origins import check_location, with_query
from chain_gateway.errors import ChainGatewayError

PRIVATE: Final[Mapping[str, str]] = MappingProxyType({"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})
"""On every answer of the SDK, and on every page of the app that depends on the session."""
GUARDED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    }
)
_EVERYWHERE: Final = {**PRIVATE, **GUARDED}

_PAGE: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{text}</title>
<h1>{text}</h1>
<p>{help}</p>
<p><a href="{link}">Continue at the sign-in service</a></p>
<p><small>{code}</small></p>
</html>
"""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to write as it stands; ``cookies`` are ``Set-Cookie`` texts, ``location`` is empty for a page."""

    status: int
    location: str = ""
    cookies: tuple[str, ...] = ()
    extra: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    content_type: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """All headers but ``Set-Cookie``."""
        found = {**_EVERYWHERE, **self.extra}
        if self.location:
            found["Location"] = self.location
        if self.content_type:
            found["Content-Type"] = self.content_type
        return found


def redirect(url: str, params: Mapping[str, str], *, posted: bool, cookies: tuple[str, ...] = ()) -> Reply:
    """On to ``url`` with ``params`` added to its query: 302 from GET, 303 from POST (RFC 9110 section 15.4)."""
    return Reply(303 if posted else 302, check_location(with_query(url, **params)), cookies)


def page(refusal: ChainGatewayError, gateway: str, status: int = 0) -> Reply:
    """A plain page that says what happened and leads to the gateway's ``/resume``; nothing of the request is on it."""
    words = {"text": refusal.text, "help": refusal.help, "code": refusal.code, "link": f"{gateway}/resume"}
    body = _PAGE.format_map({name: escape(word) for name, word in words.items()})
    return Reply(status or refusal.status, body=body.encode(), content_type="text/html; charset=utf-8")


def json_reply(status: int, members: Mapping[str, str]) -> Reply:
    """A JSON object."""
    return Reply(status, body=orjson.dumps(dict(members)), content_type="application/json")
