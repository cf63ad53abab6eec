"""The main story in Firefox as Debian has it: its own redirect limit, its own view of cookies and policies."""

from __future__ import annotations

import itertools
import shutil

import pytest
from real_browser import ENDS
from support.firefox import firefox

from chain_gateway.demo.options import DemoOptions
from chain_gateway.demo.server import running
from chain_gateway.sdk.session import named

pytestmark = [pytest.mark.firefox, pytest.mark.timeout(240)]

PROGRAM = shutil.which("firefox-esr") or "firefox"
LOGINS = ["two_step"] * 9 + ["form_post"] * 3
LOGOUTS = ["redirect"] * 11 + ["form_post"] * 2
APP = """
[[apps]]
id = "app-{}"
login = "{}"
logout = "{}"
"""


async def test_twenty_five_sites_in_firefox(tmp_path):
    """In and out, by redirects in long runs and by forms: each site's own page and its cookies agree."""
    modes = [*itertools.islice(zip(itertools.cycle(LOGINS), itertools.cycle(LOGOUTS), strict=False), 25)]
    chain = tmp_path / "chain.toml"
    chain.write_text("".join(APP.format(number, *pair) for number, pair in enumerate(modes, 1)))
    async with running(DemoOptions(port=0, chain=chain)) as ready, firefox(PROGRAM) as browser:
        sites = [chain.origin for chain in ready.chains]
        await browser.goto(sites[0] + "/")
        await browser.press("form[action='/chain/login'] button")
        await browser.press("button[name=account][value=alice]")
        await browser.wait_for(ENDS)
        assert await looks(browser, sites) == ["demo|alice"] * 25
        ((kind, login),) = await events(browser, sites)
        assert kind == "s"
        await browser.goto(sites[0] + "/")
        await browser.press("form[action='/chain/logout'] button")
        await browser.wait_for(ENDS)
        assert await looks(browser, sites) == [None] * 25
        tombstones = {event for event in await events(browser, sites) if event[0] == "t"}
        ((_, logout),) = tombstones
        assert logout > login
        assert browser.origins <= {ready.gateway, ready.provider, *sites}
        # Firefox asks every host for an icon by itself, and tells that a page which allows no picture got none.
        assert [text for text in browser.complaints if "/favicon.ico" not in text] == []


async def looks(browser, sites):
    """Who is signed in, site by site; None for nobody."""
    found = []
    for site in sites:
        await browser.goto(site + "/")
        found.append(await browser.ask("document.querySelector('#state').dataset.sub ?? null"))
    return found


async def events(browser, sites):
    """The kinds and epochs that the cookies of all sites are named by."""
    hosts = [site.removeprefix("http://").partition(":")[0] for site in sites]
    return {named(name) for host in hosts for name in await browser.cookies(host)}
