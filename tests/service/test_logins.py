"""From /login to the first hop: whom the gateway believes, and what it remembers of strangers (nothing)."""

from __future__ import annotations

import copy

import pytest
from support.wire import query, ticket_on
from support.world import a_world, choose

from chain_gateway.errors import StoreUnavailable
from chain_gateway.store.memory import MemoryStore


class DeadStore(MemoryStore):
    """A store that answers until it is switched off."""

    dead = False

    async def advance(self, *args):
        self._check()
        return await super().advance(*args)

    async def take_epoch(self, *args, **kwargs):
        self._check()
        return await super().take_epoch(*args, **kwargs)

    async def open_walk(self, *args):
        self._check()
        return await super().open_walk(*args)

    async def browser(self, *args):
        self._check()
        return await super().browser(*args)

    def _check(self) -> None:
        if self.dead:
            raise StoreUnavailable("switched off")


async def test_nothing_is_stored_for_strangers() -> None:
    """Hundreds of anonymous logins, callbacks and questions leave the store as it was (T41, I9)."""
    async with a_world() as world:
        before = copy.deepcopy({k: v for k, v in vars(world.store).items() if not k.endswith("_due")})
        for turn in range(300):
            async with world.browser() as b:
                await b.open(f"{world.gateway}/login?app=shop")
                await b.open(f"{world.gateway}/callback?state=x{turn}&code=y")
                await b.open(f"{world.gateway}/logout")
                await b.open(f"{world.gateway}/relay?state=x")
        assert {k: v for k, v in vars(world.store).items() if not k.endswith("_due")} == before


async def test_a_code_of_another_browser_is_not_redeemed() -> None:
    """The attacker's state and code in the victim's browser: no walk begins; the login starts anew (T07)."""
    async with a_world() as world, world.browser() as mallory, world.browser() as victim:
        await mallory.open(f"{world.apps['shop']}/chain/login")
        form = next(f for f in mallory.page.forms if f.method == "post")
        button = next(b for b in form.buttons if b[1] == "bob") if form.buttons else None
        page = await mallory.submit(form, button)
        callback = next(url for url in page.chain if "/callback?" in url)
        page = await victim.open(callback)
        assert page.url.startswith(world.op.issuer)
        assert await world.signed_in(victim) == {}


async def test_a_transaction_that_is_gone_restarts_once_and_then_stops() -> None:
    """Chain, app and return URL are kept over the restart; the second time a page says so."""
    async with a_world() as world, world.browser() as b:
        await b.open(f"{world.gateway}/login?app=news&return_to={world.apps['news']}/")
        for turn in range(2):
            for name in [n for n in b.cookies(world.gateway) if n.startswith("__Host-chain-tx-")]:
                del b.cookies(world.gateway)[name]
            if turn == 0:
                page = await choose(b)
                if page.url.startswith(world.op.issuer):
                    page = await choose(b)
                # The provider's session makes the second round by itself.
                state = query(next(u for u in page.chain if "/callback?" in u))["state"]
                assert state
        assert page.status == 200
        assert "ticket" in page.forms[0].fields
        await b.walk_on()
        assert b.page.url == world.apps["news"] + "/"


async def test_a_callback_without_any_transaction_ends_with_a_page() -> None:
    """A browser that keeps no cookies is told so instead of looping."""
    async with a_world() as world, world.browser() as b:
        await b.open(f"{world.apps['shop']}/chain/login")
        page = await choose(b)
        callback = next(u for u in page.chain if "/callback?" in u)
        b.jars[world.gateway].clear()
        page = await b.open(callback)
        assert "ticket" in page.forms[0].fields
        state = query(next(u for u in page.chain if "/authorize" in u))["state"]
        b.jars[world.gateway].clear()
        page = await b.open(f"{world.gateway}/callback?state={state}&code=x")
        assert page.status == 400
        assert "sign_in_failed.transaction" in page.text
        assert "Try to sign in again" in page.links


async def test_six_logins_at_once_keep_five_transactions() -> None:
    """Tabs never overwrite each other, and the oldest goes when there are too many (T35)."""
    async with a_world() as world, world.browser() as b:
        names = []
        for _ in range(6):
            world.clock.now += 1
            await b.open(f"{world.gateway}/login?app=shop")
            names.append({n for n in b.cookies(world.gateway) if n.startswith("__Host-chain-tx-")})
        assert len(names[-1]) == 5
        (oldest,) = names[0]
        assert oldest not in names[-1]


async def test_a_denied_login_is_told_with_a_way_back() -> None:
    """The provider's error becomes a calm page that does not repeat it."""
    async with a_world() as world, world.browser() as b:
        page = await b.open(f"{world.gateway}/login?app=shop")
        state = query(next(u for u in page.chain if "/authorize" in u))["state"]
        said = "access_denied&error_description=%3Cscript%3Ealert(1)%3C/script%3E"
        page = await b.open(f"{world.gateway}/callback?state={state}&error={said}&iss={world.op.issuer}")
        assert page.status == 400
        assert "sign_in_failed.access_denied" in page.text
        assert "alert(1)" not in page.text
        assert page.links["Go back"] == world.apps["shop"] + "/"


async def test_a_response_of_another_provider_is_refused() -> None:
    """The `iss` parameter must be ours where the provider announces it (T30, RFC 9207)."""
    async with a_world() as world, world.browser() as b:
        page = await b.open(f"{world.gateway}/login?app=shop")
        state = query(next(u for u in page.chain if "/authorize" in u))["state"]
        page = await b.open(f"{world.gateway}/callback?state={state}&code=x&iss=https://evil.example")
        assert page.status == 400
        assert "sign_in_failed" in page.text


async def test_silent_without_a_session_shows_nothing() -> None:
    """`prompt=none` ends at return_to with `login_required`."""
    async with a_world() as world, world.browser() as b:
        page = await b.open(f"{world.gateway}/login?app=bank&prompt=none")
        assert page.url == world.apps["bank"] + "/?error=login_required"


async def test_silent_with_a_session_signs_the_asking_app_in_without_a_page() -> None:
    """Redirects alone, one app alone."""
    async with a_world(apps={"bank": {"visit": "lazy"}}) as world, world.browser() as b:
        await world.sign_in(b)
        assert "bank" not in await world.signed_in(b)
        page = await b.open(f"{world.gateway}/login?app=bank&prompt=none")
        assert page.url == world.apps["bank"] + "/"
        assert (await world.signed_in(b))["bank"] == "demo|alice"


async def test_silent_after_a_logout_is_refused_until_somebody_signs_in_by_hand() -> None:
    """Even where the provider kept its session (T62)."""
    async with a_world(op={"logout": "none"}) as world, world.browser() as b:
        await world.sign_in(b)
        await world.sign_out(b)
        world.clock.now += 5
        page = await b.open(f"{world.gateway}/login?app=bank&prompt=none")
        assert page.url == world.apps["bank"] + "/?error=login_required"
        await b.open(f"{world.gateway}/login?app=shop&prompt=login")
        await choose(b)
        await b.walk_on()
        page = await b.open(f"{world.gateway}/login?app=bank&prompt=none")
        assert page.url == world.apps["bank"] + "/"


async def test_a_login_that_left_before_a_logout_does_not_undo_it() -> None:
    """The provider answers from its own session: the logout stands, and a page asks (T62)."""
    async with a_world(op={"logout": "none"}) as world, world.browser() as b:
        await world.sign_in(b)
        world.clock.now += 5
        page = await b.open(f"{world.gateway}/login?app=shop&prompt=login")
        tab = page
        world.clock.now += 5
        await world.sign_out(b)
        # The tab comes back now, without a new sign-in: as if the provider had answered from its session.
        silent = await b.open(f"{world.op.issuer}/authorize?" + tab.url.partition("?")[2].replace("prompt=login", ""))
        assert silent.status == 409, silent.text
        assert "signed_out_meanwhile" in silent.text
        assert await world.signed_in(b) == {}
        b.page = silent
        await b.follow("Sign in again")
        world.clock.now += 5
        await choose(b)
        await b.walk_on()
        assert await world.signed_in(b) == dict.fromkeys(world.apps, "demo|alice")


@pytest.mark.parametrize("when", ["callback", "walk"])
async def test_without_the_store_a_login_is_refused_and_a_logout_goes_on(when: str) -> None:
    """Login fails closed with 503; a logout still walks, as unproven (F22)."""
    store = DeadStore()
    async with a_world(store=store) as world, world.browser() as b:
        await world.sign_in(b)
        world.clock.now += 1
        await b.open(f"{world.gateway}/login?app=shop&prompt=login")
        store.dead = when == "callback"
        page = await choose(b)
        if when == "walk":
            store.dead = True
            page = await b.submit()
        assert page.status == 503
        assert "store_unavailable" in page.text
        await b.open(f"{world.gateway}/logout")
        await b.submit()
        page = await world.walk_out(b)
        assert page.status == 200
        assert "not confirmed" in page.text
        store.dead = False
        assert await world.signed_in(b) == {}


async def test_a_silent_login_shows_nothing_even_when_something_is_down() -> None:
    """Store or provider out of reach: back to return_to with an error, never a page."""
    store = DeadStore()
    async with a_world(store=store, op={"logout": "none"}) as world, world.browser() as b:
        await world.sign_in(b)
        store.dead = True
        page = await b.open(f"{world.gateway}/login?app=bank&prompt=none")
        assert page.url == world.apps["bank"] + "/?error=temporarily_unavailable"
    async with a_world() as world, world.browser() as b:
        await world.runners["id"].cleanup()
        page = await b.open(f"{world.gateway}/login?app=bank&prompt=none")
        assert page.url == world.apps["bank"] + "/?error=temporarily_unavailable"
        page = await b.open(f"{world.gateway}/login?app=bank")
        assert page.status == 502
        assert "op_unavailable" in page.text


async def test_claims_go_only_to_the_app_that_is_configured_to_get_them() -> None:
    """Shop gets the name, News nothing."""
    wanted = {"shop": {"claims": ["name"]}, "news": {"claims": []}}
    async with a_world("shop", "news", apps=wanted) as world, world.browser() as b:
        await b.open(f"{world.apps['shop']}/chain/login")
        await choose(b)
        assert ticket_on(b)["claims"] == {"name": "Alice"}
        await b.submit()
        assert "claims" not in ticket_on(b)
