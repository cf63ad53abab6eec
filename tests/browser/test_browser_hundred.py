"""A hundred sites in a real Chromium, by redirects alone: pages break the run before the browser gives up (T34)."""

from __future__ import annotations

import pytest
from real_browser import Person, watched

from chain_gateway.demo.options import DemoOptions
from chain_gateway.demo.server import running

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]

SITES = 100
PATIENCE_MS = 120_000


async def test_a_hundred_sites_do_not_meet_the_redirect_limit(chromium):
    """In by `two_step`, out by `redirect`: no ERR_TOO_MANY_REDIRECTS, and each site's cookies and page say so."""
    options = DemoOptions(port=0, apps=SITES, login_mode="two_step", logout_mode="redirect")
    async with running(options) as ready:
        sites = {chain.app_id: chain.origin for chain in ready.chains}
        async with watched(chromium, (ready.gateway, ready.provider, *sites.values())) as context:
            context.set_default_timeout(PATIENCE_MS)
            tab, runs = await context.new_page(), []
            context.on("request", lambda request: runs.append(run_of(request)))
            person = Person(context, tab, sites)
            some = Person(context, tab, dict(list(sites.items())[::10]))
            await person.sign_in("app-1")
            assert tab.url == sites["app-1"] + "/"
            epochs = await person.epochs()
            ((login,), _) = epochs["app-1"]
            assert epochs == dict.fromkeys(sites, ([login], []))
            assert await some.looks() == dict.fromkeys(some.sites, "demo|alice")
            await person.sign_out("app-1")
            epochs = await person.epochs()
            (_, (logout,)) = epochs["app-1"]
            assert epochs == dict.fromkeys(sites, ([], [logout]))
            assert await some.looks() == {}
            assert 10 < max(runs) <= ready.settings.gateway.redirect_budget


def run_of(request):
    """How many redirects in a row led to this request."""
    count = 0
    while request.redirected_from is not None:
        request, count = request.redirected_from, count + 1
    return count
