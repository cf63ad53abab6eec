"""From /logout to its end: who may start one, what it visits, and that it claims nothing that was not proven."""

from __future__ import annotations

import pytest
from aiohttp import web
from support.wire import query
from support.world import a_world, choose


async def test_a_link_on_another_page_only_asks() -> None:
    """Without a signed request a page asks, and nobody is signed out by looking at it (T28)."""
    async with a_world() as world, world.browser() as b:
        await world.sign_in(b)
        page = await b.open(f"{world.gateway}/logout?return_to={world.apps['shop']}/")
        assert page.status == 200
        assert "Sign out of 3 sites" in page.text
        assert len(await world.signed_in(b)) == 3


async def test_a_signed_request_of_this_session_starts_at_once_and_counts_once() -> None:
    """The app's own button; the same request again asks."""
    async with a_world(op={"logout": "none"}) as world, world.browser() as b:
        await world.sign_in(b)
        await b.open(world.apps["shop"] + "/")
        page = await b.submit()
        asked = next(u for u in page.chain if u.startswith(world.gateway + "/logout?"))
        assert query(asked)["request"]
        await b.walk_on()
        assert await world.signed_in(b) == {}
        page = await b.open(asked)
        assert page.url == asked
        assert "confirm" in page.forms[0].fields


async def test_a_signed_request_for_another_session_only_asks() -> None:
    """Mallory's own request in Alice's browser does not sign Alice out (T28)."""
    async with a_world(op={"logout": "none"}) as world, world.browser() as alice, world.browser() as mallory:
        await world.sign_in(alice)
        await world.sign_in(mallory, who="bob")
        await mallory.open(world.apps["shop"] + "/")
        mallory.halt_at = world.gateway + "/logout"
        asked = await mallory.submit()
        page = await alice.open(asked.url)
        assert page.forms
        assert len(await world.signed_in(alice)) == 3


async def test_a_forged_request_is_refused() -> None:
    """A request that the app did not sign is told as such and changes nothing."""
    async with a_world(op={"logout": "none"}) as world, world.browser() as b:
        await world.sign_in(b)
        await b.open(world.apps["shop"] + "/")
        page = await b.submit()
        request = query(next(u for u in page.chain if u.startswith(world.gateway + "/logout?")))["request"]
        page = await b.open(f"{world.gateway}/logout?app=news&request={request}")
        assert page.status == 400
        assert "token_refused" in page.text


async def test_a_confirmation_of_another_browser_is_refused() -> None:
    """The form of the page that asks works in its own browser alone."""
    async with a_world() as world, world.browser() as alice, world.browser() as mallory:
        await world.sign_in(alice)
        await mallory.open(world.gateway + "/logout")
        form = mallory.page.forms[0]
        await alice.open(world.gateway + "/logout")
        page = await alice.submit(form)
        assert page.status == 403
        assert len(await world.signed_in(alice)) == 3


async def test_a_confirmation_that_waited_too_long_is_refused() -> None:
    """Ten minutes."""
    async with a_world() as world, world.browser() as b:
        await world.sign_in(b)
        await b.open(world.gateway + "/logout")
        world.clock.now += 601
        page = await b.submit()
        assert page.status == 400
        assert "token_refused.expired" in page.text


async def test_one_app_alone_signs_out() -> None:
    """`scope=app` leaves the others and the provider signed in."""
    async with a_world() as world, world.browser() as b:
        await world.sign_in(b)
        await b.open(f"{world.gateway}/logout?app=news&scope=app")
        await b.submit()
        page = await b.walk_on()
        assert page.url == world.apps["news"] + "/"
        assert set(await world.signed_in(b)) == {"shop", "bank"}
        page = await b.open(f"{world.gateway}/login?app=news&prompt=none")
        assert page.url.endswith("error=login_required")


async def test_a_logout_goes_back_when_every_app_has_confirmed() -> None:
    """And stops at its page when one has not."""
    async with a_world() as world, world.browser() as b:
        await world.sign_in(b)
        page = await world.sign_out(b)
        assert page.url.startswith(world.apps["shop"])
        world.clock.now += 2
        await world.sign_in(b)
        await world.runners["bank"].cleanup()
        await b.open(world.apps["shop"] + "/")
        with pytest.raises(OSError, match="Cannot connect"):
            await b.submit()
        world.clock.now += 31
        page = await b.open(world.gateway + "/resume")
        page = await b.walk_on()
        assert page.url.startswith(world.gateway)
        assert "2 of 3" in page.text
        assert "Bank" in page.text


async def test_what_is_owed_is_visited_first_at_the_next_logout() -> None:
    """An app that could not be reached is remembered, and asked before all others next time."""
    async with a_world(op={"logout": "none"}) as world, world.browser() as b:
        await world.sign_in(b)
        b.halt_at = world.apps["bank"]
        await world.sign_out(b)
        world.clock.now += 31
        b.halt_at = ""
        await b.open(world.gateway + "/resume")
        assert "2 of 3" in b.page.text
        assert await world.signed_in(b) == {"bank": "demo|alice"}
        await b.open(f"{world.gateway}/logout")
        page = await b.submit()
        assert next(url for url in page.chain if "/chain/hop" in url).startswith(world.apps["bank"])
        assert await world.signed_in(b) == {}


async def test_after_a_logout_the_ledger_says_that_nobody_holds_a_session() -> None:
    """So the next logout has nothing to visit."""
    async with a_world(op={"logout": "none"}) as world, world.browser() as b:
        await world.sign_in(b)
        await b.open(f"{world.gateway}/logout")
        await b.submit()
        await b.open(f"{world.gateway}/logout")
        page = await b.submit()
        assert not [url for url in page.chain if "/chain/hop" in url]


async def test_the_providers_own_line_is_never_proven_by_a_return() -> None:
    """Coming back from its logout page says nothing (T63)."""
    async with a_world() as world, world.browser() as b:
        await world.sign_in(b)
        await b.open(f"{world.gateway}/logout")
        page = await b.submit()
        page = await world.walk_out(b)
        assert "not confirmed" in page.text


async def test_a_return_from_the_provider_with_another_state_is_refused() -> None:
    """`state` must be the one of this walk; no parameter decides where the browser goes (T06)."""
    async with a_world() as world, world.browser() as b:
        await world.sign_in(b)
        await b.open(f"{world.gateway}/logout")
        b.halt_at = world.op.issuer
        await b.submit()
        await b.walk_on()
        page = await b.open(f"{world.gateway}/logged-out?state=forged&return_to=https://evil.example")
        assert page.status == 400
        page = await b.open(f"{world.gateway}/logged-out?return_to=https://evil.example")
        assert page.status == 200
        assert await world.signed_in(b) == {}
        assert all("evil" not in location for location in b.locations)


@pytest.mark.parametrize("dialect", ["oidc", "auth0"])
@pytest.mark.parametrize("when", ["first", "last"])
async def test_the_providers_session_ends_too(dialect: str, when: str) -> None:
    """In both dialects the next login asks for the account again."""
    async with a_world(dialect=dialect, op={"logout": when}) as world, world.browser() as b:
        await world.sign_in(b)
        await world.sign_out(b)
        assert await world.signed_in(b) == {}
        page = await b.open(f"{world.gateway}/login?app=shop")
        assert page.url.startswith(world.op.issuer.rstrip("/"))
        assert page.forms


async def test_an_app_without_the_sdk_is_visited_and_never_claimed() -> None:
    """`external`: the browser comes back by /resume, and the end says that it is not confirmed."""
    seen = []

    async def anything(request: web.Request) -> web.Response:
        seen.append(request.path_qs)
        raise web.HTTPFound(request.query["back"])

    foreign = web.Application()
    foreign.router.add_get("/{name}", anything)
    templates = {
        "external_login": "/in?back={target_link_uri}&iss={iss}",
        "external_logout": "/out?back={return_to}",
    }
    foreign_app = {"extra": {"wiki": foreign}, "external": {"wiki": templates}}
    async with a_world("shop", "wiki", op={"logout": "none"}, **foreign_app) as world, world.browser() as b:
        await world.sign_in(b)
        assert b.page.url == world.apps["shop"] + "/"
        assert any(path.startswith("/in?") for path in seen)
        page = await world.sign_out(b)
        assert page.url.startswith(world.gateway)
        assert "not confirmed" in page.text


async def test_forty_apps_do_not_meet_the_redirect_limit() -> None:
    """Pages break the run before the budget, with nothing but redirects in the hops."""
    names = [f"a{i}" for i in range(40)]
    async with a_world(*names, every={"login": "two_step"}) as world, world.browser() as b:
        await world.sign_in(b, app="a0")
        assert len(await world.signed_in(b)) == 40
        page = await world.sign_out(b, app="a0")
        assert page.status == 200
        assert await world.signed_in(b) == {}
        await choose(b)
