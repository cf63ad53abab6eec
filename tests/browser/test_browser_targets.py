"""Where a return_to leads in a real Chromium: whatever it is made to look like, nothing leaves the registry (T01)."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

import pytest
from aiohttp import ClientSession, TCPConnector
from real_browser import in_a_world, origin_of
from support.payloads import payloads
from yarl import URL

from chain_gateway.resolver import LoopbackResolver

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]

SAMPLE = 10
"""One in so many of those that are told no is looked at in the browser, too."""
PATHS = {"shop": {"return_to": ["/account", "/orders/"]}}


async def test_no_spelling_of_a_target_leads_out(chromium):
    """At a login that would lead there by redirects alone: almost all are told no, by a page that leads nowhere.

    What is left over became a registered address when it was moved to this world; the watch sees where it leads.
    """
    async with in_a_world(chromium, apps=PATHS) as (world, person), asking() as http:
        await person.sign_in("news")
        refused, known = 0, {world.gateway, *world.apps.values()}
        for number, payload in enumerate(payloads("return_to")):
            wanted = {"app": "news", "prompt": "none", "return_to": at_home(payload, world)}
            url = f"{world.gateway}/login?" + urlencode(wanted, errors="surrogatepass")
            async with http.get(URL(url, encoded=True), allow_redirects=False) as answer:
                is_told_no = answer.status == 400
            refused += is_told_no
            if not is_told_no or number % SAMPLE == 0:
                shown = await person.tab.goto(url, wait_until="commit")
                assert (shown.status == 400) == is_told_no, payload
                assert origin_of(shown.url) in known, payload
        assert refused >= 600


def asking():
    """Somebody who asks without a browser."""
    return ClientSession(connector=TCPConnector(resolver=LoopbackResolver()))


def at_home(payload, world):
    """The payload, with the registry's own origin where it names or mimics it."""
    host = urlsplit(world.apps["shop"]).netloc
    return payload.replace("https://shop.example", f"http://{host}").replace("shop.example", host)
