"""What the browser passes through from one page to the next, when hops in between cannot be made."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence

import pytest
from support.browser import Browser, Page, origin
from support.builders import NOW, a_chain, an_app, an_entry
from support.situations import at_the_provider, declared_down, form_action, named
from support.world import World, a_world, choose

from chain_gateway.core.ledger import Browser as Known
from chain_gateway.core.ledger import Entry, Holding
from chain_gateway.core.limits import CHAIN_APPS
from chain_gateway.core.plan import hops_of, plan_logout
from chain_gateway.service.capacity import LEFT, fitting, owed_at_once
from chain_gateway.store.base import Step, StoredWalk
from chain_gateway.store.memory import MemoryStore

NO_OP = {"logout": "none"}


async def at_the_first_form(world: World, browser: Browser, kind: str) -> Page:
    """A walk of Alice's, whose first hop is a form; News is down since before."""
    await world.sign_in(browser)
    if kind == "login":
        await world.sign_out(browser)
    await declared_down(world, "news")
    if kind == "login":
        await browser.open(f"{world.apps['shop']}/chain/login?prompt=login")
        await choose(browser)
    else:
        await browser.open(f"{world.apps['shop']}/")
        await browser.submit()
    return browser.page


async def test_a_page_that_is_not_shown_breaks_no_run_of_redirects() -> None:
    """Seven hops, a dead app with a page, seven hops: the browser sees a page before it gives up (T34)."""
    names = ("shop", *(f"a{n}" for n in range(6)), "down", *(f"b{n}" for n in range(7)))
    async with a_world(*names, op=NO_OP, apps={"down": {"logout": "form_post"}}) as world, world.browser() as b:
        await world.sign_in(b)
        await declared_down(world, "down")
        assert "14 of 15" in (await world.sign_out(b)).text


async def test_a_ticket_that_is_too_long_is_a_failed_hop() -> None:
    """The other apps are signed in to, and the page tells of the one that was not."""
    less = {"claims": []}
    async with a_world(apps={"news": less, "bank": less}) as world, world.browser() as b:
        named(world, 2000)
        await b.open(f"{world.gateway}/login?app=shop&return_to={world.apps['shop']}/{'x' * 300}")
        await choose(b)
        page = await b.walk_on()
        assert "Signed in to 2 of 3" in page.text
        assert set(await world.signed_in(b)) == {"news", "bank"}


async def test_a_silent_login_shows_nothing_when_there_is_too_much_to_tell() -> None:
    """It goes back with an error, as for whatever else keeps it from signing in."""
    async with a_world() as world, world.browser() as b:
        await at_the_provider(world, b)
        named(world, 3000)
        page = await b.open(f"{world.gateway}/login?app=shop&prompt=none&return_to={world.apps['shop']}/")
        assert page.url == f"{world.apps['shop']}/?error=login_required"


@pytest.mark.parametrize("name", ["sid", "acr"])
async def test_what_no_ticket_can_say_is_refused_at_the_callback(name: str) -> None:
    """The gateway's own page says that the sign-in does not hold, and no app is visited."""
    async with a_world() as world, world.browser() as b:
        sign: Callable[[dict[str, object]], str] = world.op._keys.sign
        world.op._keys.sign = lambda claims: sign({**claims, name: "a\x07b"})
        page = await world.sign_in(b)
        assert page.origin == world.gateway
        assert page.status == 400


class Blocking(Browser):
    """A browser that keeps no cookie of the origins named."""

    blocked: tuple[str, ...] = ()

    def _keep(self, url: str) -> None:
        super()._keep(url)
        if origin(url) in self.blocked:
            self.cookies(url).clear()


@pytest.mark.parametrize(
    ("link", "blocked", "error"),
    [
        ("app=bank&prompt=none", "bank", "?error=temporarily_unavailable"),
        ("prompt=none&return_to={shop}/", "shop", "?error=temporarily_unavailable"),
        ("prompt=none&return_to={shop}/", "news", ""),
    ],
)
async def test_a_silent_login_that_failed_its_app_says_so(link: str, blocked: str, error: str) -> None:
    """An app that hears of no error would ask again, for ever; what another app did is not its concern (F08, T33)."""
    async with a_world() as world, Blocking() as b:
        b.blocked = (world.apps[blocked],)
        await at_the_provider(world, b)
        page = await b.open(f"{world.gateway}/login?{link.format(**world.apps)}")
        assert page.url == f"{page.origin}/{error}"
        assert page.origin == world.apps["shop" if "return_to" in link else "bank"]


async def test_a_form_names_the_provider_where_the_walk_ends() -> None:
    """A page for people who are signed in, at a site that cannot keep it, leads there once more (F08, T48)."""
    async with a_world(apps={"bank": {"visit": "lazy"}}) as world, Blocking() as b:
        b.blocked = (world.apps["bank"],)
        await world.sign_in(b)
        page = await b.open(f"{world.apps['bank']}/account")
        allowed = form_action(page)
        page = await b.submit()
        passed = {origin(url) for url in page.chain}
        assert world.op.issuer.rstrip("/") in passed
        assert passed <= allowed
        assert "refused by Bank" in page.text


def test_a_sign_out_plans_no_more_hops_than_a_walk_can_have() -> None:
    """Apps of all chains are too many for one: those with a named session are left out, as a token can tell them."""
    apps = {f"a{n}": an_app(f"a{n}") for n in range(CHAIN_APPS + 60)}
    nameless = {name for n, name in enumerate(apps) if n % 5}
    entries = {name: an_entry(name)._replace(sid="" if name in nameless else "s") for name in apps}
    known = Known(b"b" * 16, ledger=entries)
    decisions = plan_logout(a_chain(*list(apps.values())[:CHAIN_APPS]), known, now=NOW, others=apps)
    fitted = fitting(decisions, known)
    assert len(hops_of(fitted)) == CHAIN_APPS
    owed = owed_at_once(fitted, known, 9, NOW)
    assert {entry.app for entry in owed} == set(apps) - nameless
    assert {(entry.holding, entry.epoch, entry.since) for entry in owed} == {(Holding.OWED, 9, NOW)}
    assert sum(decision.reason == LEFT for decision in fitted) == 60 - len(owed)


async def test_an_app_that_the_walk_has_no_room_for_is_signed_out_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last of three, where two is the most, is told over the back channel."""
    monkeypatch.setattr("chain_gateway.service.capacity.CHAIN_APPS", 2)
    async with a_world(op=NO_OP) as world, world.browser() as b:
        await world.sign_in(b)
        world.clock.now += 1
        await world.sign_out(b)
        assert list(await world.owed()) == ["bank"]
        await world.deliver()
        assert await world.signed_in(b) == {}


@pytest.mark.parametrize("kind", ["login", "logout"])
async def test_a_form_names_where_the_run_leads_when_the_next_app_is_down(kind: str) -> None:
    """Chromium would stop the walk at a redirect to an origin that the page before did not name (T48)."""
    modes = {"shop": {"logout": "form_post"}, "news": {"logout": "form_post"}, "bank": {"login": "two_step"}}
    async with a_world(op=NO_OP, apps=modes) as world, world.browser() as b:
        allowed = form_action(await at_the_first_form(world, b, kind))
        page = await b.submit()
        assert {origin(url) for url in page.chain} <= allowed
        assert "2 of 3" in (await b.walk_on()).text


async def test_the_page_that_asks_names_the_provider_where_the_sign_out_leads_there() -> None:
    """The page to return to is for people who are signed in, so its app sends the browser on to sign in (T48)."""
    async with a_world(op={"logout": "none"}) as world, world.browser() as b:
        await world.sign_in(b)
        page = await b.open(f"{world.gateway}/logout?return_to={world.apps['shop']}/account")
        policy = page.headers["Content-Security-Policy"]
        (named,) = [part for part in policy.split("; ") if part.startswith("form-action")]
        assert world.op.issuer.rstrip("/") in named.split()
        assert (
            world.op.issuer.rstrip("/")
            not in (await b.open(f"{world.gateway}/logout")).headers["Content-Security-Policy"]
        )


async def test_a_page_goes_between_the_question_and_what_it_did_not_foresee() -> None:
    """Another tab signed in at Bank since the page asked, so the page's policy does not name it (T48)."""
    async with a_world(op={"logout": "none"}) as world, world.browser() as b:
        await world.sign_in(b)
        (browser,) = await world.store.browsers_of("demo|alice", "")
        bank = (await world.store.browser(browser)).ledger["bank"]
        await world.store.note(browser, [bank._replace(holding=Holding.NONE)])
        await b.open(f"{world.gateway}/logout")
        await world.store.note(browser, [bank])
        page = await b.submit()
        assert page.origin == world.gateway
        assert "/relay?state=" in page.text
        await world.walk_out(b)
        assert await world.signed_in(b) == {}


class Forgetful(MemoryStore):
    """A store that at one step of a walk is where it was some steps before, as after a failover."""

    def __init__(self) -> None:
        super().__init__()
        self.begins = self.at = 0
        self._steps = 0
        self._kept: dict[str, object] = {}

    async def advance(self, walk: StoredWalk, spent: bytes, ledger: Sequence[Entry]) -> Step:
        """See ``Walks.advance``."""
        if self.at:
            self._steps += 1
            if self._steps == self.begins:
                kept = {name: value for name, value in vars(self).items() if not name.endswith("_due")}
                self._kept = copy.deepcopy({name: value for name, value in kept.items() if name != "_kept"})
            if self._steps == self.at:
                vars(self).update(self._kept | {"at": 0})
        return await super().advance(walk, spent, ledger)


async def test_a_store_that_forgets_makes_no_run_of_redirects_longer() -> None:
    """Six hops are made again after a failover: the browser sees a page before it gives up, and all apps are done."""
    names = tuple(f"a{n}" for n in range(12))
    store = Forgetful()
    async with a_world(*names, op=NO_OP, store=store) as world, world.browser() as b:
        await world.sign_in(b, "a0")
        store.begins, store.at = 1, 7
        await world.sign_out(b, "a0")
        assert store.at == 0, "the store has forgotten nothing"
        while await continued(b):
            pass
        assert await world.signed_in(b) == {}


async def continued(browser: Browser) -> bool:
    """Whether the page is one of a walk under way, which its person goes on from."""
    if "Continue" not in browser.page.links:
        return False
    await browser.follow("Continue")
    await browser.walk_on()
    return True
