"""Where a return_to leads in a real Chromium: whatever it is made to look like, nothing leaves the registry (T01)."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

import pytest
from real_browser import in_a_world, origin_of
from support.payloads import payloads

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]

PATHS = {"shop": {"return_to": ["/account", "/orders/"]}}


async def test_no_spelling_of_a_target_leads_out(chromium):
    """At a login that would lead there by redirects alone: almost all are told no on a page of the gateway.

    What is left over became a registered address when it was moved to this world; the watch sees where it leads.
    """
    async with in_a_world(chromium, apps=PATHS) as (world, person):
        await person.sign_in("news")
        refused, known = 0, {world.gateway, *world.apps.values()}
        for payload in payloads("return_to")[::2]:
            wanted = {"app": "news", "prompt": "none", "return_to": at_home(payload, world)}
            url = f"{world.gateway}/login?" + urlencode(wanted, errors="surrogatepass")
            answer = await person.tab.goto(url, wait_until="commit")
            refused += answer.status == 400
            assert origin_of(answer.url) in known, payload
        assert refused >= 300


def at_home(payload, world):
    """The payload, with the registry's own origin where it names or mimics it."""
    host = urlsplit(world.apps["shop"]).netloc
    return payload.replace("https://shop.example", f"http://{host}").replace("shop.example", host)
