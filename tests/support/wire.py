"""Looking into what travels: claims of a signed message, parameters of a URL, a walk as its own page tells it."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from support.browser import Browser


def claims(jws: str) -> dict[str, Any]:
    """The claims of a JWS, unverified."""
    body = jws.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


def query(url: str) -> dict[str, str]:
    """The parameters of a URL."""
    return dict(parse_qsl(urlsplit(url).query))


def ticket_on(browser: Browser) -> dict[str, Any]:
    """The claims of the ticket on the page that the browser shows."""
    return claims(browser.page.forms[0].fields["ticket"])


async def told(browser: Browser, gateway: str, walk_id: str) -> dict[str, Any]:
    """The walk as JSON, as its own browser may read it."""
    kept = browser.page
    page = await browser.open(f"{gateway}/walks/{walk_id}", Accept="application/json")
    browser.page = kept
    return json.loads(page.text)


async def outcomes(browser: Browser, gateway: str, walk_id: str) -> list[str]:
    """The outcome of each hop, in order."""
    return [app["outcome"] for app in (await told(browser, gateway, walk_id))["apps"]]
