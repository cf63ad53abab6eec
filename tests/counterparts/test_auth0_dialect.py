"""The whole gateway before a provider that speaks as Auth0 does: `/v2/logout` hands nothing of ours back."""

from __future__ import annotations

import pytest
from support.wire import query
from support.world import a_world, choose

EVERYWHERE = dict.fromkeys(("shop", "news", "bank"), "demo|alice")
HOP = "/chain/hop?"


@pytest.mark.parametrize("login", ["form_post", "two_step"])
@pytest.mark.parametrize("op_logout", ["first", "last"])
async def test_one_sign_in_and_one_sign_out(op_logout: str, login: str) -> None:
    """In everywhere and out everywhere; the provider's logout comes once, at its place, and ends its session."""
    async with (
        a_world(dialect="auth0", op={"logout": op_logout}, every={"login": login}) as world,
        world.browser() as b,
    ):
        await world.sign_in(b)
        assert await world.signed_in(b) == EVERYWHERE
        b.locations.clear()
        page = await world.sign_out(b)
        assert page.url == world.apps["shop"] + "/"
        assert await world.signed_in(b) == {}
        stops = ["op" if "/v2/logout" in url else "hop" for url in b.locations if "/v2/logout" in url or HOP in url]
        assert stops == (["op", "hop", "hop", "hop"] if op_logout == "first" else ["hop", "hop", "hop", "op"])
        world.clock.now += 2
        page = await b.open(f"{world.gateway}/login?app=news")
        assert page.forms, "the provider asks who is there"
        await choose(b, "bob")
        await b.walk_on()
        assert set((await world.signed_in(b)).values()) == {"demo|bob"}


@pytest.mark.parametrize("federated", [True, False])
async def test_what_its_logout_is_sent_and_what_comes_back(federated: bool) -> None:
    """A bare returnTo as it is registered, `federated` without a value where asked for, and a bare return."""
    async with a_world(dialect="auth0", op={"federated": federated}) as world, world.browser() as b:
        await world.sign_in(b)
        b.locations.clear()
        await world.sign_out(b)
        (sent,) = [url for url in b.locations if "/v2/logout" in url]
        assert sent.startswith(f"{world.op.issuer}v2/logout?")
        assert query(sent) == {"client_id": "gateway", "returnTo": world.gateway + "/logged-out"}
        assert ("federated" in sent.partition("?")[2].split("&")) is federated
        assert world.gateway + "/logged-out" in b.locations
        assert not [url for url in b.locations if "/oidc/logout" in url]


async def test_the_walk_is_found_by_the_browsers_own_cookie() -> None:
    """The store has forgotten everything meanwhile; no parameter helps, and none is needed."""
    async with a_world(dialect="auth0") as world, world.browser() as b:
        await world.sign_in(b)
        b.halt_at = world.op.issuer
        await world.sign_out(b)
        assert any(name.startswith("__Host-chain-away-") for name in b.cookies(world.gateway))
        world.store.__init__()
        b.halt_at = ""
        await b.open(world.gateway + "/logged-out")
        await b.walk_on()
        assert await world.signed_in(b) == {}
        assert not any(name.startswith("__Host-chain-away-") for name in b.cookies(world.gateway))


async def test_a_return_in_another_browser_finds_nothing() -> None:
    """Anybody may type the address; without the cookie there is no walk, and the owner's goes on."""
    async with a_world(dialect="auth0") as world, world.browser() as alice, world.browser() as mallory:
        await world.sign_in(alice)
        await world.sign_in(mallory, who="bob")
        alice.halt_at = world.op.issuer
        await world.sign_out(alice)
        page = await mallory.open(world.gateway + "/logged-out")
        assert page.status == 410
        assert set((await world.signed_in(mallory)).values()) == {"demo|bob"}
        alice.halt_at = ""
        await alice.open(world.gateway + "/logged-out")
        await alice.walk_on()
        assert await world.signed_in(alice) == {}


async def test_two_sign_outs_at_the_provider_end_both() -> None:
    """Two tabs stand at the provider's logout; the bare return goes on with the newest, and nobody is signed in."""
    async with a_world(dialect="auth0") as world, world.browser() as b:
        await world.sign_in(b)
        b.halt_at = world.op.issuer
        await world.sign_out(b)
        await b.open(world.gateway + "/logout")
        await b.submit()
        await b.walk_on()
        assert b.page.url.startswith(world.op.issuer)
        b.halt_at = ""
        for _ in range(2):
            await b.open(world.gateway + "/logged-out")
            await b.walk_on()
        assert await world.signed_in(b) == {}
