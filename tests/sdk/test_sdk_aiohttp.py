"""Hops on the wire: the aiohttp adapter behind a real server, with a browser that keeps cookies as browsers do."""

import asyncio
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from support.patience import STEP_PATIENCE
from support.sdk_site import NOW, told, who

from chain_gateway.core.limits import EPOCH_AHEAD_MS, TICKET_BYTES
from chain_gateway.sdk.hop import bind_hash
from chain_gateway.tokens.ticket import Act

BIND = "__Host-chain-bind"


async def test_a_posted_login_signs_in_and_a_redirect_logout_signs_out(site):
    """The two default hops do what they say: 303 from POST, 302 from GET, with receipts of outcome applied."""
    browser = site.browser()
    landing = await browser.login("alice")
    assert (landing.status, told(landing)) == (303, "applied")
    assert await who(browser) == "alice"
    landing = await browser.logout()
    assert (landing.status, told(landing)) == (302, "applied")
    assert await who(browser) == "nobody"


async def test_the_receipt_goes_to_the_tickets_own_return(site):
    """The answer is the ticket's ``return`` as it stands, with the receipt appended."""
    browser = site.browser()
    ticket = site.ticket(browser)
    landing = await browser.form_post(ticket)
    assert landing.location.startswith(f"{ticket.return_to}&receipt=")
    assert landing.headers["Cache-Control"] == "no-store"
    assert landing.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize(
    "origin",
    [None, "null", "https://evil.example", "https://login.example.com/", "https://login.example.com:443", "*"],
)
async def test_a_ticket_that_another_page_posts_signs_nobody_in(site, origin):
    """T08: without the gateway's exact Origin a posted ticket sets nothing, and is not spent."""
    browser = site.browser()
    ticket = site.ticket(browser)
    landing = await browser.form_post(ticket, origin)
    assert (landing.status, landing.location, landing.set_cookies) == (403, "", ())
    assert f'href="{site.gateway.url}/resume"' in landing.text
    assert await who(browser) == "nobody"
    assert told(await browser.form_post(ticket)) == "applied"


async def test_two_origins_are_none(site):
    """T08: a header that came twice is not read by halves."""
    data = {"ticket": site.gateway.sign(site.ticket(site.browser()))}
    headers = [("Origin", site.gateway.url), ("Origin", site.gateway.url)]
    answer = await site.client.post("/chain/hop", data=data, headers=headers, allow_redirects=False)
    assert answer.status == 403


async def test_two_step_ties_the_ticket_to_the_browser_by_a_cookie(site):
    """``begin`` sets the bind cookie and tells its hash; the ticket that carries the hash clears it."""
    browser = site.browser()
    ticket = site.ticket(browser)
    begun = await browser.begin(ticket)
    assert begun.status == 302
    (set_cookie,) = begun.set_cookies
    assert set_cookie.startswith(f"{BIND}=")
    assert set_cookie.endswith("; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=120")
    assert begun.bind == bind_hash(browser.jar[BIND])
    landing = await browser.redirect(replace(ticket, cnf=begun.bind))
    assert (landing.status, told(landing)) == (302, "applied")
    assert BIND not in browser.jar
    assert await who(browser) == "alice"


async def test_each_begin_draws_its_own_bind(site):
    """T10: a bind that is there already, planted or left over, is not adopted."""
    browser = site.browser()
    browser.jar[BIND] = "p" * 43
    begun = await browser.begin(site.ticket(browser))
    assert browser.jar[BIND] != "p" * 43
    assert begun.bind == bind_hash(browser.jar[BIND])


async def test_a_bound_ticket_in_another_browser_is_refused(site):
    """T08, T12: whoever opens the URL without the cookie gets nothing, and spends nothing."""
    browser, thief = site.browser(), site.browser()
    ticket = site.ticket(browser)
    bound = replace(ticket, cnf=(await browser.begin(ticket)).bind)
    await thief.begin(ticket)
    landing = await thief.redirect(bound)
    assert told(landing) == "refused bind"
    assert landing.set_cookies == ()
    assert told(await browser.redirect(bound)) == "applied"


async def test_a_login_in_a_plain_url_is_refused(site):
    """A login ticket is never accepted unbound."""
    browser = site.browser()
    landing = await browser.redirect(site.ticket(browser))
    assert (landing.status, told(landing), landing.set_cookies) == (302, "refused unbound", ())


async def test_a_ticket_read_from_elsewhere_is_used_up(site):
    """T12: the same ticket in a second jar is refused as used, whatever its mode."""
    browser, thief = site.browser(), site.browser()
    login = site.ticket(browser)
    await browser.form_post(login)
    landing = await thief.form_post(login)
    assert (told(landing), landing.set_cookies) == ("refused used", ())
    logout = site.ticket(browser, Act.LOGOUT)
    assert told(await browser.redirect(logout)) == "applied"
    landing = await thief.redirect(logout)
    assert (told(landing), landing.set_cookies) == ("refused used", ())


async def test_a_repetition_in_the_same_browser_gets_the_same_answer(site):
    """T57: a proxy or a reload brings the ticket again; one application, and the same receipt's words."""
    browser = site.browser()
    ticket = site.ticket(browser)
    bound = replace(ticket, cnf=(await browser.begin(ticket)).bind)
    jar = dict(browser.jar)
    assert told(await browser.redirect(bound)) == "applied"
    browser.jar = jar
    assert told(await browser.redirect(bound)) == "applied"
    logout = site.ticket(browser, Act.LOGOUT)
    assert told(await browser.redirect(logout)) == "applied"
    assert told(await browser.redirect(logout)) == "applied"
    assert await who(browser) == "nobody"


@pytest.mark.parametrize("purpose", [{"Sec-Purpose": "prefetch;prerender"}, {"Purpose": "prefetch"}])
async def test_nothing_happens_ahead_of_time(site, purpose):
    """T57: a prefetch gets 503, sets nothing and spends nothing."""
    browser = site.browser()
    await browser.login("alice")
    logout = site.ticket(browser, Act.LOGOUT)
    answer = await browser.get(f"/chain/hop?ticket={site.gateway.sign(logout)}", purpose)
    assert (answer.status, answer.headers.getall("Set-Cookie", ())) == (503, ())
    assert await who(browser) == "alice"
    assert told(await browser.redirect(logout)) == "applied"


async def test_a_head_request_makes_no_hop(site):
    """T57: link scanners ask with HEAD; a hop is a GET or a POST."""
    browser = site.browser()
    ticket = site.gateway.sign(site.ticket(browser, Act.LOGOUT))
    answer = await site.client.head("/chain/hop", params={"ticket": ticket}, allow_redirects=False)
    assert answer.status == 405


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "https://bank.example"},
        {"iss": "https://login.example.net", "return_to": "https://login.example.net/relay?state=x"},
        {"iat": NOW - 200, "exp": NOW - 140},
        {"iat": NOW + 100, "exp": NOW + 150},
        {"return_to": "https://login.example.com/elsewhere?state=x"},
        {"return_to": "https://login.example.com/relays?state=x"},
        {"return_to": "https://login.example.com.evil.example/relay?state=x"},
        {"return_to": "https://evil.example/relay?state=x"},
    ],
    ids=str,
)
async def test_a_ticket_that_proves_nothing_here_ends_on_a_plain_page(site, changed):
    """T13 and the rest: no redirect, no cookie, no receipt; the page leads to the configured gateway alone."""
    browser = site.browser()
    landing = await browser.form_post(site.ticket(browser, **changed))
    assert (landing.status, landing.location, landing.set_cookies) == (400, "", ())
    assert f'href="{site.gateway.url}/resume"' in landing.text
    assert "evil" not in landing.text


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?ticket=",
        "?ticket=x",
        "?ticket=<script>alert(1)</script>",
        "?ticket=" + "x" * (TICKET_BYTES + 1),
        "?ticket=a&ticket=b",
        "?ticket=a&begin=b",
    ],
)
async def test_a_malformed_hop_ends_on_a_plain_page(site, query):
    """Nothing of what came in is on the page, and nothing on it can run."""
    answer = await site.browser().get(f"/chain/hop{query}")
    text = await answer.text()
    assert answer.status == 400
    assert "script" not in text
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"ticket=x", {"Content-Type": "text/plain"}),
        (b"ticket=x", {"Content-Type": "application/json"}),
        (b"ticket=x" * 2000, {}),
        (b"&".join([b"a=b"] * 20), {}),
        (b"ticket=\xff", {}),
        (b"ticket=%ff", {}),
        (b"ticket=a&ticket=b", {}),
        (b"begin=a", {}),
        (b"", {}),
        (b"ticket=x", {"Content-Encoding": "gzip"}),
    ],
)
async def test_a_body_that_is_no_small_plain_form_is_refused(site, body, headers):
    """T40: type, size, number of fields, encoding and repetition are checked before anything is parsed further."""
    headers = form_headers(site) | headers
    answer = await site.client.post("/chain/hop", data=body, headers=headers, allow_redirects=False)
    assert answer.status == 400


LONG = b"ticket=" + b"x" * 3 * TICKET_BYTES


def form_headers(site):
    """What the gateway's page sends along with its form."""
    return {"Origin": site.gateway.url, "Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize("later", [False, True], ids=["at once", "later"])
async def test_a_form_may_come_after_its_headers(site, later):
    """A browser may send head and body in one piece or in several; a form that is too long is refused either way."""

    async def post(data):
        return await site.client.post(
            "/chain/hop", data=data, headers=form_headers(site), allow_redirects=False, expect100=later
        )

    ticket = site.gateway.sign(site.ticket(site.browser()))
    assert (await post(f"ticket={ticket}".encode())).status == 303
    refused = await post(LONG)
    assert (refused.status, "bad_input.too_long" in await refused.text()) == (400, True)


async def test_a_form_that_does_not_end_is_not_waited_for(site, monkeypatch):
    """T40: whoever sends a form and stops in the middle is answered all the same."""
    monkeypatch.setattr("chain_gateway.sdk.aiohttp.REQUEST_SECONDS", 0.05)
    answered = asyncio.Event()

    async def stuck():
        yield b"ticket="
        await answered.wait()

    async with asyncio.timeout(STEP_PATIENCE):
        answer = await site.client.post("/chain/hop", data=stuck(), headers=form_headers(site), allow_redirects=False)
    assert answer.status == 400
    answered.set()


async def test_a_ticket_under_the_wrong_name_is_refused(site):
    """A begin is no ticket, and a ticket no begin."""
    browser = site.browser()
    login = site.gateway.sign(site.ticket(browser))
    begin = site.gateway.sign(replace(site.ticket(browser, Act.BEGIN)))
    assert (await browser.get(f"/chain/hop?begin={login}")).status == 400
    assert (await browser.get(f"/chain/hop?ticket={begin}")).status == 400
    assert BIND not in browser.jar


async def test_a_late_login_loses_to_the_logout_that_is_done(site):
    """T25: the answer of an older login arrives last, and nobody is signed in."""
    browser = site.browser()
    late = site.ticket(browser)
    assert told(await browser.logout()) == "absent"
    assert told(await browser.form_post(late)) == "applied"
    assert await who(browser) == "nobody"
    assert told(await browser.two_step(site.ticket(browser, epoch=late.epoch))) == "stale"


async def test_an_old_logout_does_not_end_a_newer_login(site):
    """T27: a logout ticket that comes late is stale, and its tombstone hits only what is older."""
    browser = site.browser()
    late = site.ticket(browser, Act.LOGOUT)
    await browser.login("alice")
    assert told(await browser.redirect(late)) == "stale"
    assert f"__Host-chain-t-{late.epoch}" in browser.jar
    assert await who(browser) == "alice"


async def test_the_newer_of_two_accounts_stays_whatever_order_they_arrive_in(site):
    """T26: two tabs, two accounts; the later sign-in is the one that counts."""
    browser = site.browser()
    first, second = site.ticket(browser, sub="alice"), site.ticket(browser, sub="bob")
    await browser.form_post(second)
    await browser.form_post(first)
    assert await who(browser) == "bob"


@pytest.mark.parametrize("act", [Act.LOGIN, Act.LOGOUT])
async def test_an_absurd_epoch_is_refused(site, act):
    """T29: more than five minutes ahead of the app's clock sets neither session nor tombstone."""
    browser = site.browser()
    landing = await browser.form_post(site.ticket(browser, act, epoch=NOW * 1000 + EPOCH_AHEAD_MS + 1))
    assert (told(landing), landing.set_cookies) == ("refused epoch_ahead", ())


async def test_somebody_elses_logout_ticket_signs_nobody_out(site):
    """T61: an attacker's own, unspent logout ticket; the gateway's second try proves the browser and ends all."""
    browser, attacker = site.browser(), site.browser()
    await browser.login("alice")
    theirs = site.ticket(attacker, Act.LOGOUT)
    landing = await browser.redirect(theirs)
    assert (told(landing), landing.set_cookies) == ("refused other_browser", ())
    assert await who(browser) == "alice"
    assert told(await browser.two_step(site.ticket(attacker, Act.LOGOUT))) == "applied"
    assert await who(browser) == "nobody"


async def test_the_tombstone_of_somebody_else_does_not_count(site):
    """T61: their logout in this browser, before this browser signs in, leaves nothing that matters."""
    browser, attacker = site.browser(), site.browser()
    old = site.ticket(browser)
    assert told(await browser.redirect(site.ticket(attacker, Act.LOGOUT))) == "absent"
    assert told(await browser.two_step(old)) == "applied"
    assert await who(browser) == "alice"


async def test_the_host_header_chooses_nothing(site):
    """T37: every address comes from the configuration."""
    answer = await site.client.get(
        "/account", headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"}, allow_redirects=False
    )
    assert urlsplit(answer.headers["Location"]).netloc == "login.example.com"
    assert "evil" not in answer.headers["Location"]


async def test_the_ping_answers_204(site):
    """A page of the gateway finds out by it whether this browser reaches the app."""
    answer = await site.client.get("/chain/ping")
    assert (answer.status, answer.headers["Cache-Control"]) == (204, "no-store")
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
