"""What the dashboard shows of walks, owed logouts, apps and hops, and what can be done from there."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from ops_desk import BEARER, HTML, TOKEN, Desk, a_desk, a_listener, busy
from support.builders import an_entry

from chain_gateway.config.secret import Secret
from chain_gateway.core.ledger import Holding
from chain_gateway.ops import overview
from chain_gateway.ops.charts import BARS, DOWN, STEP, UP, charts
from chain_gateway.ops.dashboard import Dashboard
from chain_gateway.ops.history import Tally
from chain_gateway.service.audit import AuditEvent
from chain_gateway.service.health import FRESH_SECONDS
from chain_gateway.service.walk_book import reference
from chain_gateway.tokens.encoding import b64e


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    """A desk that somebody sits at."""
    async with a_desk() as made:
        await made.sign_in()
        yield made


class Rows(HTMLParser):
    """The cells of each row of a page's tables, by the names that they have where a table is a list."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[dict[str, str]] = []
        self._cell: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "tr":
            self.rows.append({})
        if tag == "td" and "data-name" in values:
            self._cell = values["data-name"] or ""
            self.rows[-1][self._cell] = ""

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self.rows[-1][self._cell] = " ".join((self.rows[-1][self._cell] + data).split())

    def handle_endtag(self, tag: str) -> None:
        if tag == "td":
            self._cell = None


def rows(text: str) -> list[dict[str, str]]:
    return [row for row in Rows(text).rows if row]


def plain(text: str) -> str:
    """The words of a page."""
    return " ".join(re.sub(r"<[^>]*>", " ", text).split())


async def text_of(desk: Desk, path: str = "") -> str:
    return await (await desk.get(path)).text()


async def the_walk(desk: Desk) -> str:
    (walk,) = await desk.world.store.open_everywhere(1)
    return b64e(walk.id)


async def the_owed(desk: Desk) -> str:
    (owed,) = (await desk.world.owed()).values()
    return reference(owed)


async def test_an_idle_gateway_is_said_to_be_idle(desk: Desk) -> None:
    """Nothing is under way, owed or left out, and nothing was counted."""
    words = plain(await text_of(desk))
    assert "0 walks under way 0 logouts owed 0 apps left out" in words
    assert "The gateway has asked no app yet" in words
    assert "There was no hop in a whole minute" in words


async def test_everything_is_there_at_a_glance(desk: Desk) -> None:
    """The walk, the owed logout, the app that is left out and since when."""
    await busy(desk.world)
    text = await text_of(desk)
    assert "1 walk under way 1 logout owed 1 app left out" in plain(text)
    assert re.search(r"Bank since 15 Jan 08:00:\d\d UTC \(\d+ s ago\)", plain(text))
    owed, walk = rows(text)
    assert (owed["App"], owed["Id"], owed["Attempts"]) == ("Bank", await the_owed(desk), "0")
    assert {name: walk[name] for name in ("Walk", "Kind", "Chain", "Place", "At", "Confirmed", "Failed")} == {
        "Walk": await the_walk(desk),
        "Kind": "login",
        "Chain": "main",
        "Place": "visiting",
        "At": "News",
        "Confirmed": "1 of 3",
        "Failed": "0",
    }


async def test_an_app_that_is_back_is_left_out_no_more(desk: Desk) -> None:
    """As soon as the gateway's own question is answered."""
    await busy(desk.world)
    desk.world.fronts["bank"].well()
    desk.world.clock.now += 11
    await desk.world.look()
    assert "None: all 3 apps that the gateway has asked so far answer." in plain(await text_of(desk))


async def test_a_walk_is_told_hop_by_hop_and_why(desk: Desk) -> None:
    """Where it stands, what came of each hop, what lies ahead, and what a sign-out would do at each app."""
    await busy(desk.world)
    text = await text_of(desk, f"/walks/{await the_walk(desk)}")
    words = plain(text)
    assert "visiting : a ticket is out at the app, and its receipt is awaited; at News" in words
    assert "bank: a page posts the ticket" in words
    hops, ledger = rows(text)[:3], rows(text)[3:]
    assert [(hop["App"], hop["Mode"], hop["Outcome"]) for hop in hops] == [
        ("Shop", "form_post", "applied"),
        ("News", "form_post", "pending"),
        ("Bank", "form_post", "pending"),
    ]
    assert [(line["App"], line["Holds"], line["A sign-out now"], line["Why"]) for line in ledger] == [
        ("News", "may hold a session", "visits it by redirect", "may hold a session: a ticket went out"),
        ("Shop", "holds a session", "visits it by redirect", "holds a session"),
        ("Bank", "not known", "visits it by redirect", "may hold a session: this browser has not signed out of it yet"),
    ]


async def test_a_walk_that_is_over_is_shown_too(desk: Desk) -> None:
    """Without a way to drop it, and with what its browser is owed."""
    async with desk.world.browser() as b:
        await desk.world.sign_in(b)
        desk.world.fronts["bank"].down()
        await desk.world.sign_out(b)
    (name,) = [fields["walk"] for event, fields in desk.told if event == AuditEvent.SIGN_OUT]
    text = await text_of(desk, f"/walks/{name}")
    assert "done : is through" in plain(text)
    assert "Drop this walk" not in text
    assert ("Bank", "is owed a sign-out") in {(row["App"], row.get("Holds", "")) for row in rows(text)}


@pytest.mark.parametrize("path", ["/walks/nothing", "/walks/!!", "/walks/x/drop", "/owed/x/drop"])
async def test_an_id_that_is_nobodys_is_told(desk: Desk, path: str) -> None:
    """With a way back."""
    answer = await desk.get(path)
    assert (answer.status, "There is no such walk" in await answer.text()) == (404, True)


async def test_what_is_owed_is_made_due(desk: Desk) -> None:
    """All of it, or what one app is owed; the page says so."""
    await busy(desk.world)
    for app, said in (("", "due now"), ("news", "Nothing was owed"), ("bank", "due now")):
        (owed,) = await desk.world.store.all_owed(10)
        later = desk.world.realm.now() + 1000
        await desk.world.store.defer(owed.browser, owed.entry.app, owed.entry.epoch, later, 7)
        answer = await desk.change("/retry", **({"app": app} if app else {}))
        page = await desk.client.get(answer.headers["Location"], headers={"Cookie": desk.cookie})
        assert said in await page.text()
        (owed,) = await desk.world.store.all_owed(10)
        assert (owed.due, owed.attempts) == (later if app == "news" else desk.world.realm.now(), 7)
    assert (await desk.change("/retry", app="nobody")).status == 404
    assert [event["app"] for event in desk.events("owed_retried")] == ["", "news", "bank"]
    assert {event["by"] for event in desk.events("owed_retried")} == {"dashboard"}


async def test_what_is_not_listed_is_counted_and_can_be_retried(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page lists so many; the numbers are of all, and every app can be chosen."""
    monkeypatch.setattr(overview, "SHOWN", 1)
    entries = [an_entry(app, Holding.OWED) for app in desk.world.apps]
    await desk.world.store.note(b"B" * 16, entries)
    text = await text_of(desk)
    assert "3 logouts owed" in plain(text)
    assert "2 more are not listed here." in plain(text)
    assert re.findall(r'<option value="(\w+)">', text) == list(desk.world.apps)


async def test_an_owed_logout_is_dropped_after_a_page_that_asks(desk: Desk) -> None:
    """It says what that means; then the ledger calls it lapsed, and never confirmed."""
    await busy(desk.world)
    (owed,) = await desk.world.store.all_owed(10)
    name = await the_owed(desk)
    asked = plain(await text_of(desk, f"/owed/{name}/drop"))
    assert "Bank was first owed it" in asked
    assert "the app may keep the session" in asked
    answer = await desk.change(f"/owed/{name}/drop")
    assert answer.headers["Location"] == "/dashboard?said=owed"
    known = await desk.world.store.browser(owed.browser)
    assert known.ledger["bank"].holding is Holding.LAPSED
    assert (await desk.change(f"/owed/{name}/drop")).status == 404
    assert desk.events("owed_dropped") == [{"by": "dashboard", "owed": name, "app": "bank"}]


async def test_a_newer_logout_than_was_asked_about_is_not_dropped(desk: Desk) -> None:
    """It has the same id; who asked saw another one, and is told so (I6)."""
    world = desk.world
    async with world.browser() as b:
        epochs = []
        for _ in range(2):
            world.fronts["bank"].well()
            world.clock.now += FRESH_SECONDS + 1
            await world.look()
            await world.sign_in(b)
            world.fronts["bank"].down()
            world.clock.now += FRESH_SECONDS + 1
            await world.sign_out(b)
            owed = {each.entry.app: each for each in (await world.owed()).values()}["bank"]
            epochs.append(owed.entry.epoch)
            if len(epochs) == 1:
                await desk.sign_in()
                name = reference(owed)
                page = await text_of(desk, f"/owed/{name}/drop")
                fields = dict(re.findall(r'name="(key|epoch)" value="([^"]+)"', page))
    assert epochs[0] < epochs[1]
    answer = await desk.post(f"/owed/{name}/drop", desk.from_here, **fields)
    assert answer.headers["Location"] == "/dashboard?said=anew"
    assert name in {reference(each) for each in (await world.owed()).values()}
    assert desk.events("owed_dropped") == []


async def test_a_walk_is_dropped_after_a_page_that_asks(desk: Desk) -> None:
    """It stays where it stood; a second time says that it had ended."""
    await busy(desk.world)
    name = await the_walk(desk)
    assert "with 1 of 3 apps confirmed" in plain(await text_of(desk, f"/walks/{name}/drop"))
    assert (await desk.change(f"/walks/{name}/drop")).headers["Location"] == "/dashboard?said=walk"
    assert (await desk.change(f"/walks/{name}/drop")).headers["Location"] == "/dashboard?said=gone"
    assert "stopped" in plain(await text_of(desk, f"/walks/{name}"))
    assert desk.events("walk_dropped") == [{"by": "dashboard", "walk": name}]


async def test_a_page_says_nothing_that_its_address_makes_up(desk: Desk) -> None:
    """The address has a word of ours, or none."""
    for said in ("<b>x</b>", "You+were+hacked", "retried%20x"):
        text = await text_of(desk, f"?said={said}")
        assert 'role="status"' not in text
        assert "hacked" not in text


async def test_a_store_that_is_down_is_told(desk: Desk) -> None:
    """What was counted is shown all the same; what needs the store is refused calmly."""
    await busy(desk.world)
    name = await the_walk(desk)
    await desk.world.store.close()
    answer = await desk.get()
    words = plain(await answer.text())
    assert answer.status == 200
    assert "The store does not answer." in words
    assert "? walks under way ? logouts owed 1 app left out" in words
    assert (await desk.get(f"/walks/{name}")).status == 503
    assert (await desk.client.post("/dashboard/retry", headers=BEARER)).status == 503


async def test_names_are_text_and_nothing_else(desk: Desk) -> None:
    """An app's name is the operator's own word, and still escaped (T46)."""
    name = "<script>alert(1)</script>&\"'"
    await busy(desk.world)
    apps = desk.world.realm.registry.apps
    for app in list(apps):
        apps[app] = replace(apps[app], name=name)
    named = Dashboard(desk.world.realm, desk.world.realm.meter, Secret(TOKEN), name)
    async with a_listener(named) as client:
        for path in ("", f"/walks/{await the_walk(desk)}", f"/owed/{await the_owed(desk)}/drop"):
            text = await (await client.get(f"/dashboard{path}", headers={**HTML, **BEARER})).text()
            assert "<script" not in text
            assert text.count("&lt;script&gt;alert(1)") >= 2


async def test_nothing_of_a_person_is_on_any_page(desk: Desk) -> None:
    """No subject, no address, no session's name, no browser's id, no token; as page and as object (T45)."""
    world = desk.world
    await busy(world)
    walk, owed = await the_walk(desk), await the_owed(desk)
    (browser,) = {each.browser for each in await world.store.open_everywhere(1)}
    (other,) = {each.browser for each in await world.store.all_owed(1)}
    words = {"alice", "bob", "demo|", "example.test"}
    for each in (browser, other):
        known = await world.store.browser(each)
        words |= {each.hex(), b64e(each), *(entry.sid for entry in known.ledger.values() if entry.sid)}
    (stored,) = await world.store.open_everywhere(1)
    words |= {stored.nonce.hex(), b64e(stored.nonce)}
    assert len(words) >= 10
    for path in ("", f"/walks/{walk}", f"/walks/{walk}/drop", f"/owed/{owed}/drop"):
        for accept in ("text/html", "application/json"):
            text = await (await desk.get(path, Accept=accept)).text()
            assert not [word for word in words if word in text], path


async def test_hops_are_drawn_and_told(desk: Desk) -> None:
    """One drawing an app, named for who cannot see it, and its numbers in a table."""
    history = desk.world.realm.meter.history
    now = desk.world.realm.now() // 60 * 60
    history.began = now - 3600
    history.minutes.append((now - 60, {"shop": Tally(40, 0, 2), "gone": Tally(0, 3, 0)}))
    text = await text_of(desk)
    words = plain(text)
    assert "Shop 40 confirmed, 0 failed, 2 neither; at most 42 in five minutes" in words
    assert words.index("gone 0 confirmed, 3 failed") < words.index("Shop 40 confirmed")
    assert text.count('<svg viewBox="0 0 360 70" role="img" aria-label="Bars of ') == 2
    assert len(re.findall(r'<rect class="down"', text)) == 1
    assert re.search(r'<th scope="row"><time [^>]*>[^<]*</time></th><td>40</td><td>0</td><td>2</td>', text)


def test_bars_fit_their_drawing() -> None:
    """The tallest fills its side, one hop among thousands is seen, and what is too old is left out."""
    now = 1_800_000_000
    minutes = [
        (now - 60, {"shop": Tally(1000, 500, 0)}),
        (now - 600, {"shop": Tally(1, 1, 1)}),
        (now - 10_799, {"shop": Tally(5, 0, 0)}),
        (now - 10_800, {"shop": Tally(7, 0, 0), "old": Tally(7, 0, 0)}),
    ]
    (chart,) = charts(minutes, now)
    oldest, later, last = chart.bars
    assert (oldest.x, last.x) == (0, (BARS - 1) * STEP)
    assert last.failed == DOWN
    assert last.confirmed <= UP
    assert (later.confirmed, later.failed, later.other) == (2, 2, 2)
    assert (chart.total, chart.most) == (Tally(1006, 501, 1), 1000)
    (chart,) = charts([(now, {"shop": Tally(300, 1, 0)})], now)
    assert (chart.bars[0].confirmed, chart.bars[0].failed) == (UP, 2)
