"""The whole gateway before npm's ``oidc-provider``: its own pages, its own question, its own back channel."""

from __future__ import annotations

import asyncio

import pytest
from support.real_op import NAMES, before_oidc_provider
from support.wire import query

pytestmark = pytest.mark.node

EVERYWHERE = dict.fromkeys(NAMES, "alice None")
CLAIMS = {"shop": {"claims": ["email", "name"]}, "news": {"claims": []}, "bank": {"claims": ["email"]}}


@pytest.mark.parametrize("op_logout", ["first", "last"])
async def test_one_sign_in_and_one_sign_out(op_logout: str) -> None:
    """Signed in at each app by its own word, then out of each and of the provider, which asked and heard yes."""
    async with before_oidc_provider({"logout": op_logout}) as world, world.browser() as browser:
        assert await world.signed_in(browser) == {}
        page = await world.sign_in(browser)
        assert page.url == world.apps["shop"] + "/"
        assert await world.signed_in(browser) == EVERYWHERE
        page = await world.sign_out(browser)
        assert page.status == 200
        assert await world.signed_in(browser) == {}
        told = await world.op.event()
        assert (told["event"], told["client"]) == ("backchannel.success", "gateway")
        page = await browser.open(f"{world.gateway}/login?app=news")
        assert "/interaction/" in page.url, "the provider's session ended, so it asks who is there"


@pytest.mark.xfail(strict=True, reason="a logout token that came with a No is taken for the end of the session")
@pytest.mark.parametrize("op_logout", ["first", "last"])
async def test_who_stays_signed_in_at_the_provider_is_not_told_otherwise(op_logout: str) -> None:
    """T63: the other button comes back like a yes, a logout token with it; the apps are out, the provider is not."""
    async with before_oidc_provider({"logout": op_logout}) as world, world.browser() as browser:
        await world.sign_in(browser)
        await browser.open(f"{world.gateway}/logout")
        await browser.submit()
        await browser.walk_on()
        asked = browser.page
        assert asked.url.startswith(f"{world.op.issuer}/session/end")
        await browser.submit(asked.forms[0])
        page = await browser.walk_on()
        assert page.url.startswith(world.gateway)
        assert "You are signed out" not in page.text
        assert "has not confirmed that its own session ended" in page.text
        assert await world.signed_in(browser) == {}


async def test_a_claim_comes_by_userinfo_to_the_app_that_gets_it() -> None:
    """The ID token has no email here; Shop and Bank are told it, News is not."""
    async with before_oidc_provider(apps=CLAIMS) as world, world.browser() as browser:
        await world.sign_in(browser)
        assert await world.signed_in(browser) == {
            "shop": "alice alice@example.test",
            "news": "alice None",
            "bank": "alice alice@example.test",
        }


async def test_a_silent_login_shows_nothing() -> None:
    """`prompt=none`: an error without a session, a session where there is one, and an error again after a sign-out."""
    async with before_oidc_provider(apps={"bank": {"visit": "lazy"}}) as world, world.browser() as browser:
        silent = f"{world.gateway}/login?app=bank&prompt=none"
        page = await browser.open(silent)
        assert page.url == world.apps["bank"] + "/?error=login_required"
        await world.sign_in(browser)
        assert "bank" not in await world.signed_in(browser)
        page = await browser.open(silent)
        assert page.url == world.apps["bank"] + "/"
        assert await world.signed_in(browser) == EVERYWHERE
        await world.sign_out(browser)
        page = await browser.open(silent)
        assert query(page.url) == {"error": "login_required"}


async def test_two_browsers_are_two_people() -> None:
    """Bob's sign-out is not Alice's."""
    async with before_oidc_provider() as world, world.browser() as alice, world.browser() as bob:
        await world.sign_in(alice)
        await world.sign_in(bob, who="bob")
        await world.sign_out(bob)
        assert await world.signed_in(bob) == {}
        assert await world.signed_in(alice) == EVERYWHERE


async def test_a_sign_out_at_the_provider_itself_reaches_every_app() -> None:
    """One logout token to the gateway: each app is told over the back channel, without a visit of the browser."""
    async with before_oidc_provider() as world, world.browser() as browser:
        await world.sign_in(browser)
        await browser.open(f"{world.op.issuer}/session/end")
        await browser.submit(None, ("logout", "yes"))
        assert (await world.op.event())["event"] == "backchannel.success"
        async with asyncio.timeout(10):
            while await world.signed_in(browser):
                pass
        page = await browser.open(f"{world.gateway}/login?app=bank&prompt=none")
        assert query(page.url) == {"error": "login_required"}
