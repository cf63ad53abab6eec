"""Through each proxy of ``deploy/``: a sign-in and a sign-out in Chromium, while gateways are killed, or stop."""

from __future__ import annotations

import asyncio
import signal
import socket
from contextlib import asynccontextmanager
from http.client import HTTPSConnection

import pytest
from deploy_proxies import Proxy, running
from deploy_wire import a_request, asked
from support.patience import STEP_PATIENCE

from chain_gateway.web.rate import BURST

pytestmark = [
    pytest.mark.browser,
    pytest.mark.deploy,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.parametrize("name", ["nginx", "haproxy", "caddy"]),
]

PATIENCE_MS = 1000 * STEP_PATIENCE
HELD = (
    "const ask = fetch; window.fetch = (url, how) => url === '{}/chain/ping' ? new Promise(() => {{}}) : ask(url, how)"
)
"""The page of a hop waits for the answer to its question, so a walk stands still there until somebody presses."""
PATIENT = "const hurry = setTimeout; window.setTimeout = (call, ms) => hurry(call, ms === 2000 ? 60000 : ms)"


@asynccontextmanager
async def behind(name, site, folder):
    """The proxy of that name before both gateways."""
    await site.start()
    ops = [replica.ops for replica in site.replicas]
    with running(Proxy(name, folder / name, site.authority, site.port, site.sockets, ops)) as proxy:
        yield proxy


@asynccontextmanager
async def somebody(chromium):
    """A tab of a browser without cookies."""
    context = await chromium.new_context()
    context.set_default_timeout(PATIENCE_MS)
    await context.add_init_script(PATIENT)
    try:
        yield await context.new_page()
    finally:
        await context.close()


async def looks(tab, site):
    """Who is signed in where, by each app's own page."""
    found = {}
    for name, url in site.apps.items():
        await tab.goto(url + "/")
        found[name] = await tab.locator("#state").get_attribute("data-sub")
    return found


async def test_a_walk_survives_the_death_of_a_gateway(name, site, chromium, tmp_path):
    """One is killed in the middle of a sign-in, the other before the sign-out: both walks end everywhere."""
    first, second = site.replicas
    async with behind(name, site, tmp_path) as proxy, somebody(chromium) as tab:
        await tab.context.add_init_script(HELD.format(site.apps["news"]))
        await tab.goto(site.apps["shop"] + "/")
        await tab.get_by_role("button", name="Sign in").click()
        await tab.locator("button[name=account][value=alice]").click()
        hop = tab.locator(f"form[action^='{site.apps['news']}/'] button.main")
        await hop.wait_for()
        await asyncio.to_thread(first.end)
        await hop.click()
        await tab.wait_for_url(site.apps["shop"] + "/")
        assert await looks(tab, site) == dict.fromkeys(site.apps, "demo|alice")
        await site.start()
        await asyncio.to_thread(second.end)
        await tab.get_by_role("button", name="Sign out everywhere").click()
        await tab.wait_for_url(site.apps["bank"] + "/")
        assert await looks(tab, site) == dict.fromkeys(site.apps, "")
        assert not {word for word in ("state=", "ticket=", "receipt=", "code=", "eyJ") if word in proxy.logs()}


async def test_a_gateway_ends_calmly(name, site, tmp_path):
    """Whoever comes while one of the two stops, and after that, is answered by the other."""
    async with behind(name, site, tmp_path) as proxy:
        statuses = []
        over = asyncio.Event()

        async def visit():
            while not over.is_set() or len(statuses) < 20:
                request = a_request(target="/.well-known/chain-gateway")
                statuses.append((await asyncio.to_thread(asked, proxy, request))[0])

        visitors = [asyncio.create_task(visit()) for _ in range(3)]
        assert await asyncio.to_thread(site.replicas[0].end, signal.SIGTERM) == 0
        over.set()
        await asyncio.gather(*visitors)
        assert set(statuses) == {200}


async def test_one_address_is_bounded_whatever_it_claims(name, site, tmp_path):
    """The gateways believe the proxy, and the proxy nobody: a flood of one address gets 429 under any name."""

    def flood():
        http = HTTPSConnection("127.0.0.1", site.port, context=site.authority.client(), timeout=30)
        http.sock = site.authority.client().wrap_socket(
            socket.create_connection(("127.0.0.1", site.port)), server_hostname="login.localhost"
        )
        for number in range(2 * BURST + 100):
            headers = {"Host": f"login.localhost:{site.port}", "X-Forwarded-For": f"203.0.113.{number % 250}"}
            http.request("GET", "/login?app=shop", headers=headers)
            answer = http.getresponse()
            answer.read()
            yield answer.status
        http.close()

    async with behind(name, site, tmp_path):
        statuses = set(await asyncio.to_thread(lambda: list(flood())))
    assert statuses == {302, 429}
