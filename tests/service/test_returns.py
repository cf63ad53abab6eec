"""What comes back to the relay, in every order and from every side: nothing is applied twice, nothing is lost."""

from __future__ import annotations

from support.browser import Browser
from support.wire import claims, outcomes, query, ticket_on
from support.world import World, a_world, choose


async def at_first_hop(world: World, browser: Browser) -> None:
    """Signs in at the provider; the browser then shows the first hop's page."""
    await browser.open(f"{world.apps['shop']}/chain/login")
    page = await choose(browser)
    assert "ticket" in page.forms[0].fields


async def hop(browser: Browser) -> str:
    """Posts the ticket of the page; returns the relay URL that the app sent the browser to."""
    page = await browser.submit()
    return next(url for url in page.chain if "/relay?" in url)


async def test_a_return_that_comes_twice_changes_nothing() -> None:
    """Reload and Back: the relay answers with the walk's present place and issues no new ticket."""
    async with a_world() as world, world.browser() as b:
        await at_first_hop(world, b)
        returned = await hop(b)
        second = b.page
        again = await b.open(returned)
        assert again.status == 200
        assert again.forms[0].action == second.forms[0].action
        await b.walk_on()
        assert await world.signed_in(b) == dict.fromkeys(world.apps, "demo|alice")
        page = await b.open(returned)
        assert page.url == world.apps["shop"] + "/"


async def test_the_same_ticket_is_shown_again_not_a_new_one() -> None:
    """The place that is shown again carries the `jti` that is out, so that an app applies it once."""
    async with a_world() as world, world.browser() as b:
        await at_first_hop(world, b)
        returned = await hop(b)
        jti = claims(b.page.forms[0].fields["ticket"])["jti"]
        await b.open(returned)
        assert claims(b.page.forms[0].fields["ticket"])["jti"] == jti


async def test_somebody_elses_return_changes_nothing() -> None:
    """A chain token is useless without the cookie of its own browser (T19)."""
    async with a_world() as world, world.browser() as alice, world.browser() as mallory:
        await at_first_hop(world, alice)
        walk = ticket_on(alice)["walk"]
        alice.halt_at = world.gateway + "/relay"
        returned = (await alice.submit()).url
        alice.halt_at = ""
        for _ in range(2):
            page = await mallory.open(returned)
            assert page.status == 403
            assert "browser_unknown" in page.text
            assert await outcomes(alice, world.gateway, walk) == ["pending"] * 3
            await world.sign_in(mallory, who="bob")
        await alice.open(returned)
        await alice.walk_on()
        assert await world.signed_in(alice) == dict.fromkeys(world.apps, "demo|alice")


async def test_a_receipt_of_another_app_does_not_count() -> None:
    """News cannot speak for Shop: the hop is made again, and then left out (T21)."""
    async with a_world(every={"retries": 0}) as world, world.browser() as b:
        await at_first_hop(world, b)
        walk = ticket_on(b)["walk"]
        page = await b.submit()
        shops = next(url for url in page.chain if "/relay?" in url)
        second = claims(b.page.forms[0].fields["ticket"])["return"]
        stolen = f"{second}&receipt={query(shops)['receipt']}"
        page = await b.open(stolen)
        assert page.status == 200
        await b.walk_on()
        assert await outcomes(b, world.gateway, walk) == ["applied", "error", "applied"]


async def test_a_hop_without_a_receipt_is_never_done() -> None:
    """The bare return URL settles nothing as applied (I5)."""
    async with a_world(every={"retries": 0}) as world, world.browser() as b:
        await at_first_hop(world, b)
        ticket = ticket_on(b)
        await b.open(ticket["return"])
        assert await outcomes(b, world.gateway, ticket["walk"]) == ["error", "pending", "pending"]


async def test_a_person_can_skip_an_app() -> None:
    """The page's link goes on without the app, and the end says so."""
    async with a_world() as world, world.browser() as b:
        await at_first_hop(world, b)
        walk = ticket_on(b)["walk"]
        await b.follow("Skip")
        page = await b.walk_on()
        assert page.url.startswith(world.gateway)
        assert "2 of 3" in page.text
        assert await outcomes(b, world.gateway, walk) == ["skipped", "applied", "applied"]
        await b.follow("Continue")
        assert b.page.url == world.apps["shop"] + "/"


async def test_a_store_that_lost_the_walk_does_not_stop_it() -> None:
    """The sealed token is enough to finish (F24)."""
    async with a_world() as world, world.browser() as b:
        await at_first_hop(world, b)
        world.store.__init__()
        await b.walk_on()
        assert await world.signed_in(b) == dict.fromkeys(world.apps, "demo|alice")
        await world.sign_out(b)
        assert await world.signed_in(b) == {}


async def test_a_logout_after_the_store_forgot_everything_visits_every_app() -> None:
    """Where nothing is known of the browser, every app may hold a session."""
    async with a_world() as world, world.browser() as b:
        await world.sign_in(b)
        world.store.__init__()
        await b.open(f"{world.gateway}/logout")
        await b.submit()
        await world.walk_out(b)
        assert await world.signed_in(b) == {}


async def test_a_hop_that_never_came_back_is_left_out_after_its_time() -> None:
    """The browser that was stranded goes on at /resume with the next app (F02, F09)."""
    async with a_world() as world, world.browser() as b:
        await at_first_hop(world, b)
        page = await b.open(world.gateway + "/resume")
        assert "ticket" in page.forms[0].fields
        world.clock.now += 31
        page = await b.open(world.gateway + "/resume")
        assert page.forms[0].action.startswith(world.apps["news"])
        page = await b.walk_on()
        assert "2 of 3" in page.text


async def test_a_walk_past_its_time_ends() -> None:
    """Fifteen minutes after it began a walk is over, and says so (I4)."""
    async with a_world() as world, world.browser() as b:
        await at_first_hop(world, b)
        ticket = ticket_on(b)
        world.clock.now += 901
        page = await b.open(ticket["return"])
        assert page.status == 200
        assert "ticket" not in page.text
        assert await outcomes(b, world.gateway, ticket["walk"]) == ["timed_out"] * 3
        page = await b.open(world.gateway + "/resume")
        assert page.status == 410


async def test_a_newer_login_overtakes_an_older_one() -> None:
    """Two tabs: the older one's return issues no further ticket and goes on to its own place (T26)."""
    async with a_world() as world, world.browser() as b:
        await at_first_hop(world, b)
        older = b.page
        await b.open(f"{world.apps['news']}/chain/login")
        newer = await choose(b)
        b.page = older
        page = await b.submit()
        assert page.url == world.apps["shop"] + "/"
        b.page = newer
        page = await b.walk_on()
        assert page.url == world.apps["news"] + "/"
        assert await world.signed_in(b) == dict.fromkeys(world.apps, "demo|alice")


async def test_a_logout_overtakes_a_login_under_way() -> None:
    """The tab that was signing in is told what happened, and nobody is signed in afterwards (T26, I1, I2)."""
    async with a_world() as world, world.browser() as b:
        await at_first_hop(world, b)
        await b.submit()
        older = b.page
        await b.open(world.gateway + "/logout")
        await b.submit()
        await world.walk_out(b)
        b.page = older
        page = await b.submit()
        assert page.url.startswith(world.gateway)
        assert "ticket" not in page.text
        assert await world.signed_in(b) == {}


async def at_second_app(world: World, browser: Browser) -> None:
    """Signs in at Shop; the browser then stands before News and comes back by /resume."""
    await browser.open(f"{world.apps['shop']}/chain/login")
    browser.halt_at = world.apps["news"]
    await choose(browser)
    browser.halt_at = ""
    await browser.open(world.gateway + "/resume")


async def test_a_person_can_end_a_walk_here() -> None:
    """The apps that were left out are told as skipped."""
    async with a_world(every={"login": "two_step"}) as world, world.browser() as b:
        await at_second_app(world, b)
        page = await b.follow("Finish now")
        assert "1 of 3" in page.text
        assert set(await world.signed_in(b)) == {"shop"}


async def test_an_app_cannot_end_a_walk() -> None:
    """The word counts from a page of ours alone; from elsewhere it is a hop that failed, and the next one is made."""
    async with a_world(every={"login": "two_step", "retries": 0}) as world, world.browser() as b:
        await at_second_app(world, b)
        await b.open(b.page.links["Finish now"], **{"Sec-Fetch-Site": "cross-site"})
        await b.walk_on()
        assert set(await world.signed_in(b)) == {"shop", "bank"}


async def test_coming_back_from_a_hanging_app_offers_to_leave_it_out() -> None:
    """/resume does not send the browser back to where it has just come from; Skip goes on without that app (T23)."""
    async with a_world(every={"login": "two_step"}) as world, world.browser() as b:
        await at_second_app(world, b)
        await b.follow("Skip News")
        page = await b.walk_on()
        assert "2 of 3" in page.text
        assert set(await world.signed_in(b)) == {"shop", "bank"}
