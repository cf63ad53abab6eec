"""What surrounds a hop in an app: its sessions, its memory, its own store, and the gateway's keys."""

import json
import secrets
from dataclasses import replace
from functools import partial

from support.sdk_site import NOW, BrokenMemory, Site, told, who

from chain_gateway.sdk.jwks import fetch_jwks
from chain_gateway.sdk.keys import KeyCache
from chain_gateway.tokens.keyring import Keyring
from chain_gateway.tokens.ticket import Act

BIND = "__Host-chain-bind"


async def test_a_planted_session_is_not_adopted(site):
    """T10: a session cookie that this app did not seal, or sealed for another epoch, is nobody."""
    browser = site.browser()
    await browser.login("alice")
    ((name, value),) = browser.jar.items()
    browser.jar = {f"{name}1": value}
    assert await who(browser) == "nobody"
    browser.jar = {name: value[:-1] + ("A" if value[-1] != "A" else "B")}
    assert await who(browser) == "nobody"


async def test_one_cookie_name_twice_is_nobody(site):
    """T11: of two cookies of one name neither is believed; a hop says so."""
    browser = site.browser()
    await browser.login("alice")
    ((name, value),) = browser.jar.items()
    doubled = {"Cookie": f"{name}={value}; {name}={value}"}
    answer = await site.client.get("/", headers=doubled)
    assert await answer.text() == "nobody"
    ticket = site.gateway.sign(site.ticket(browser, Act.LOGOUT))
    answer = await site.client.get("/chain/hop", params={"ticket": ticket}, headers=doubled, allow_redirects=False)
    assert "receipt=" in answer.headers["Location"]
    assert answer.headers.getall("Set-Cookie", ()) == ()


async def test_claims_that_fit_no_cookie_are_reported(site):
    """The gateway is told why, and the browser is not left with half a session."""
    landing = await site.browser().login("alice", claims={"groups": ["g" * 10] * 150})
    assert (told(landing), landing.set_cookies) == ("error claims_too_big", ())


async def test_sessions_that_newer_ones_outlived_are_tidied_up(site):
    """Form-post logins do not see older sessions; the next page deletes those."""
    browser = site.browser()
    await browser.login("alice")
    await browser.login("bob")
    assert len(browser.jar) == 2
    assert await who(browser) == "bob"
    assert len(browser.jar) == 1
    assert await who(browser) == "bob"


async def test_a_session_ends_with_its_time(site):
    """``session_max`` counts from the login."""
    browser = site.browser()
    await browser.login("alice")
    site.clock.now += site.chain.life - 1
    assert await who(browser) == "alice"
    site.clock.now += 1
    assert await who(browser) == "nobody"


async def test_a_tombstone_outlives_what_a_late_ticket_can_still_set(site):
    """A ticket of before the logout, delivered as late as it is taken, never outlives the tombstone."""
    browser = site.browser()
    late = site.ticket(browser)
    await browser.logout()
    (stone,) = browser.jar
    site.clock.now += 119
    assert told(await browser.form_post(late)) == "applied"
    site.clock.now += site.chain.life - 1
    assert await who(browser) == "nobody"
    assert stone in browser.jar


async def test_clear_site_data_is_sent_where_configured(aiohttp_client, site):
    """A logout empties the browser's cache for this app, if the app wants it; a login never does."""
    browser = (await Site(aiohttp_client, clear_site_data=True).start()).browser()
    assert "Clear-Site-Data" not in (await browser.login("alice")).headers
    assert (await browser.logout()).headers["Clear-Site-Data"] == '"cache"'
    assert "Clear-Site-Data" not in (await site.browser().logout()).headers


async def test_the_apps_own_store_is_told(aiohttp_client):
    """``on_login`` gets the session before it is set, ``on_logout`` the sid and the epoch up to which it ends."""
    calls = []

    async def on_login(session):
        calls.append(("in", session.sub, session.epoch))

    async def on_logout(sid, epoch):
        calls.append(("out", sid, epoch))

    site = await Site(aiohttp_client, on_login=on_login, on_logout=on_logout).start()
    browser = site.browser()
    login = site.ticket(browser)
    await browser.form_post(login)
    logout = site.ticket(browser, Act.LOGOUT)
    await browser.redirect(logout)
    assert calls == [("in", "alice", login.epoch), ("out", "sid-1", logout.epoch)]


async def test_a_hook_that_fails_is_told_to_the_gateway(aiohttp_client):
    """What the app's own store did not take is not reported as done; a logout clears the browser all the same."""

    async def fails(*_):
        raise RuntimeError("the app's database is down")

    site = await Site(aiohttp_client, on_login=fails).start()
    landing = await site.browser().login("alice")
    assert (told(landing), landing.set_cookies) == ("error hook", ())
    site = await Site(aiohttp_client, on_logout=fails).start()
    browser = site.browser()
    await browser.login("alice")
    assert told(await browser.logout()) == "error hook"
    assert await who(browser) == "nobody"


async def test_without_a_memory_logins_close_and_logouts_go_on(aiohttp_client, site):
    """What could not be taken back later is not begun; nothing stands in the way of signing out."""
    broken = await Site(aiohttp_client, memory=BrokenMemory()).start()
    browser = broken.browser()
    landing = await browser.login("alice")
    assert (told(landing), landing.set_cookies) == ("error memory", ())
    assert told(await browser.logout()) == "absent"
    assert any(name.startswith("__Host-chain-t-") for name in browser.jar)
    healthy = site.browser()
    await healthy.login("alice")
    browser.jar = healthy.jar
    assert (await browser.get("/")).status == 503
    assert (await browser.get("/account")).status == 503
    assert (await browser.get("/public")).status == 200


async def test_keys_that_the_gateway_rotated_are_fetched(aiohttp_client):
    """A ticket under a key that is not known yet makes the app ask once, and succeeds."""
    asked = []

    async def fetch():
        asked.append(1)
        return json.dumps(site.gateway.keyring.jwks(NOW)).encode()

    site = await Site(aiohttp_client, keys=KeyCache(fetch)).start()
    browser = site.browser()
    assert told(await browser.login("alice")) == "applied"
    site.gateway.keyring = Keyring.generate(NOW, secrets.token_bytes)
    assert told(await browser.login("alice")) == "applied"
    site.gateway.keyring = Keyring.generate(NOW, secrets.token_bytes)
    assert (await browser.login("alice")).status == 400
    assert len(asked) == 2


async def test_a_gateway_whose_keys_are_out_of_reach_gives_a_page(aiohttp_client, unused_tcp_port):
    """Nothing can be verified: 503, and the way back."""
    site = Site(aiohttp_client)
    site.chain = replace(site.chain, gateway=f"http://127.0.0.1:{unused_tcp_port}")
    site.gateway.url = site.chain.gateway
    site._keys = KeyCache(partial(fetch_jwks, site.chain.gateway))
    await site.start()
    landing = await site.browser().login("alice")
    assert (landing.status, landing.set_cookies) == (503, ())
    assert f'href="{site.chain.gateway}/resume"' in landing.text
