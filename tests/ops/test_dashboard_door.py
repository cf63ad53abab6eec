"""Who may use the dashboard: a token, from this machine, by a page of its own (T47, T52)."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator

import pytest
from aiohttp.test_utils import TestClient
from ops_desk import BEARER, HTML, TOKEN, Desk, a_desk, busy
from support.patience import PATIENCE

from chain_gateway.config.secret import Secret
from chain_gateway.ops import dashboard
from chain_gateway.ops.door import BURST, LIFE_SECONDS, Door
from chain_gateway.service.walk_book import reference
from chain_gateway.store.base import Counts
from chain_gateway.tokens.encoding import b64e

FORM = "Content-Type: application/x-www-form-urlencoded"
SEEN = ("Owed logouts", "Walks under way")


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with a_desk() as made:
        yield made


async def addresses(desk: Desk) -> dict[str, str]:
    """Every address of a busy desk: its method by its path."""
    await busy(desk.world)
    (owed,) = (await desk.world.owed()).values()
    (walk,) = await desk.world.store.open_everywhere(1)
    walk_path, owed_path = f"/walks/{b64e(walk.id)}", f"/owed/{reference(owed)}"
    return {
        "": "GET",
        walk_path: "GET",
        f"{walk_path}/drop": "POST",
        f"{owed_path}/drop": "POST",
        "/retry": "POST",
        "/sign-out": "POST",
    }


async def stands(desk: Desk) -> tuple[object, ...]:
    """What a change would change."""
    return (await desk.world.store.counts(), *[each.due for each in await desk.world.store.all_owed(10)])


async def test_the_public_listener_has_no_dashboard(desk: Desk) -> None:
    """404 there, whatever is shown, and the same as for any address that is none."""
    async with desk.world.browser() as b:
        for path in ("/dashboard", "/dashboard/style.css", "/dashboard/walks/x", "/metrics", "/healthz", "/readyz"):
            page = await b.open(desk.world.gateway + path, **BEARER)
            assert page.status == 404, path


async def test_without_a_token_in_the_configuration_it_shows_nothing() -> None:
    """A page says how to name one; nothing opens it, and nothing is changed."""
    async with a_desk(None) as desk:
        asked = await addresses(desk)
        stood = await stands(desk)
        for path, method in asked.items():
            for headers in ({}, BEARER, {"Cookie": "chain-dashboard=x"}):
                answer = await desk.client.request(
                    method, f"/dashboard{path}", headers={**desk.from_here, **headers}, allow_redirects=False
                )
                text = await answer.text()
                assert (answer.status, "dashboard_token" in text) == (403, True)
                assert not [word for word in SEEN if word in text]
        answer = await desk.sign_in("")
        assert (answer.status, "Set-Cookie" in answer.headers) == (403, False)
        assert await stands(desk) == stood


async def test_without_the_token_it_shows_a_form_and_changes_nothing(desk: Desk) -> None:
    """At each address, and tells programs how to show the token."""
    asked = await addresses(desk)
    stood = await stands(desk)
    for path, method in asked.items():
        for headers in ({}, {"Cookie": "chain-dashboard=1.x.y"}, {"Authorization": "Basic eDp5"}):
            answer = await desk.client.request(
                method, f"/dashboard{path}", headers={**desk.from_here, **headers}, allow_redirects=False
            )
            text = await answer.text()
            assert answer.status in {401, 429}
            assert 'type="password"' in text
            assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
            assert not [word for word in SEEN if word in text]
    assert await stands(desk) == stood


async def test_the_token_opens_it_and_is_not_in_the_cookie(desk: Desk) -> None:
    """The cookie is of the dashboard alone, out of reach for scripts and other sites, and has a bound."""
    answer = await desk.sign_in()
    assert (answer.status, answer.headers["Location"]) == (303, "/dashboard")
    cookie = answer.headers["Set-Cookie"]
    for part in ("HttpOnly", "SameSite=Strict", "Path=/dashboard", f"Max-Age={LIFE_SECONDS}"):
        assert part in cookie
    assert "Domain" not in cookie
    plain = {TOKEN, b64e(TOKEN.encode()), hashlib.sha256(TOKEN.encode()).hexdigest()}
    assert not [text for text in plain if text in cookie]
    page = await desk.get()
    assert page.status == 200
    assert all([word in await page.text() for word in SEEN])
    assert desk.events("dashboard_opened") == [{"by": "person"}]


@pytest.mark.parametrize("shown", ["", "x", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "é" * 20, "\x00"])
async def test_a_wrong_token_opens_nothing(desk: Desk, shown: str) -> None:
    """By the form or as a bearer."""
    answer = await desk.sign_in(shown)
    assert (answer.status, "Set-Cookie" in answer.headers) == (401, False)
    assert "That is not the token." in await answer.text()
    if shown.isascii() and "\x00" not in shown:
        assert (await desk.get(Authorization=f"Bearer {shown}")).status == 401
    assert desk.events("dashboard_refused")[0] == {"reason": "token"}


async def test_no_token_is_told_to_anybody(
    desk: Desk, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither the right one nor a wrong one, which may be a slip of it; no cookie and no key either (T45)."""
    wrong = TOKEN.replace("long", "wrong")
    await desk.sign_in(wrong)
    await desk.sign_in()
    await desk.get(Authorization=f"Bearer {wrong}")
    await desk.change("/retry")
    await desk.post("/retry", {}, key=await desk.key())
    said = f"{desk.told} {caplog.text} {capfd.readouterr()}"
    assert "audit.dashboard_refused" in said
    assert not [word for word in (TOKEN, wrong, desk.cookie, await desk.key()) if word in said]
    assert TOKEN not in await (await desk.get()).text()


async def test_wrong_tokens_have_a_rate(desk: Desk) -> None:
    """After a few the right one is not looked at either, by form or bearer; who is signed in stays so (T52)."""
    await desk.sign_in()
    for _ in range(BURST):
        assert (await desk.sign_in("wrong")).status == 401
    for answer in (await desk.sign_in("wrong"), await desk.sign_in(TOKEN), await desk.get(**BEARER)):
        assert (answer.status, answer.headers["Retry-After"]) == (429, "10")
    assert (await desk.get()).status == 200
    assert len(desk.events("dashboard_refused")) == BURST


async def test_wrong_tokens_that_come_together_have_the_same_rate(desk: Desk) -> None:
    """Forms that are all waited for at once are not all let through because none was wrong yet (T52)."""
    head = f"POST /dashboard/sign-in HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\n{FORM}\r\n"
    ends = [await asyncio.open_connection(desk.client.host, desk.client.port) for _ in range(4 * BURST)]
    for _, writer in ends:
        writer.write(f"{head}Content-Length: 11\r\n\r\ntoken=".encode())
    assert (await desk.get("/style.css")).status == 200  # so all of them are being waited for
    for _, writer in ends:
        writer.write(b"wrong")
    answers = [(await asyncio.wait_for(reader.readline(), 30)).split()[1] for reader, _ in ends]
    for _, writer in ends:
        writer.close()
    assert answers.count(b"401") == BURST
    assert answers.count(b"429") == 3 * BURST


def test_an_attempt_comes_back_in_ten_seconds() -> None:
    """One, and never more than there were at first."""
    now = [0.0]
    door = Door(Secret(TOKEN), lambda: 0, bytes, clock=lambda: now[0])
    for _ in range(BURST):
        assert door.attempts.left()
        door.attempts.spend()
    now[0] = 9.9
    assert not door.attempts.left()
    now[0] = 10.1
    assert door.attempts.left()
    door.attempts.spend()
    assert not door.attempts.left()
    now[0] = 10_000
    for _ in range(BURST):
        assert door.attempts.left()
        door.attempts.spend()
    assert not door.attempts.left()


async def test_a_cookie_ends_with_its_time_and_with_its_token(desk: Desk) -> None:
    """Nobody has to remember it: it is known by its MAC, which is made from the token."""
    await desk.sign_in()
    desk.world.clock.now += LIFE_SECONDS - 1
    assert (await desk.get()).status == 200
    desk.world.clock.now += 1
    assert (await desk.get()).status == 401
    desk.world.clock.now -= 2 * LIFE_SECONDS
    assert (await desk.get()).status == 401
    now, draws = (lambda: 1000), bytes
    old, new = (Door(Secret(token), now, draws) for token in (TOKEN, TOKEN + " of tomorrow"))
    assert old.holds(old.cookie())
    assert not new.holds(old.cookie())


async def test_a_changed_cookie_is_none(desk: Desk) -> None:
    """No letter of it, no later date, nothing that is no text of ours, and no second one beside it."""
    await desk.sign_in()
    good = desk.cookie
    name, _, value = good.partition("=")
    date, nonce, mac = value.split(".")
    flipped = [value[:at] + ("A" if value[at] != "A" else "B") + value[at + 1 :] for at in range(len(value) - 1)]
    for bad in (*flipped, f"{int(date) + 1}.{nonce}.{mac}", mac, f"{date}.{mac}", "x", "..", "", value + ".x"):
        desk.cookie = f"{name}={bad}"
        assert (await desk.get()).status == 401, bad
    desk.cookie = f"{good}; {good}"
    assert (await desk.get()).status == 401
    desk.cookie = f"other=1; {good}"
    assert (await desk.get()).status == 200


@pytest.mark.parametrize(
    ("name", "headers"),
    [
        ("another site", {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}),
        ("a port beside it", {"Origin": "http://127.0.0.1:1", "Sec-Fetch-Site": "same-site"}),
        ("an older browser at a port beside it", {"Origin": "http://127.0.0.1:1"}),
        ("no origin", {"Origin": "null", "Sec-Fetch-Site": "same-origin"}),
        ("who claims both", {"Origin": "{here}", "Sec-Fetch-Site": "same-site"}),
        ("who says nothing", {}),
    ],
)
async def test_a_form_of_another_place_changes_nothing(desk: Desk, name: str, headers: dict[str, str]) -> None:
    """Whoever sends it, with the cookie and even with what the dashboard's own forms carry; nor does it sign in."""
    asked = await addresses(desk)
    await desk.sign_in()
    key, stood = await desk.key(), await stands(desk)
    told = {header: value.format(here=desk.origin) for header, value in headers.items()}
    for path in (path for path, method in asked.items() if method == "POST"):
        answer = await desk.post(path, told, key=key)
        assert (answer.status, "came from elsewhere" in await answer.text()) == (403, True)
        assert "Set-Cookie" not in answer.headers
    assert (await desk.post("/sign-in", told, token=TOKEN)).status == 403
    assert await stands(desk) == stood
    assert desk.events("dashboard_refused")[0]["reason"] == "origin"
    assert len(desk.events("dashboard_refused")) <= BURST


@pytest.mark.parametrize("key", ["", "x", "another"])
async def test_a_form_without_its_key_changes_nothing(desk: Desk, key: str) -> None:
    """Also with the key of another session (T52)."""
    asked = await addresses(desk)
    await desk.sign_in()
    if key == "another":
        key = await desk.key()
        await desk.sign_in()
    stood = await stands(desk)
    for path in (path for path, method in asked.items() if method == "POST"):
        assert (await desk.post(path, desk.from_here, key=key)).status == 403
    assert await stands(desk) == stood


async def test_what_changes_something_is_no_link(desk: Desk) -> None:
    """A GET of it is a page that asks, or nothing."""
    asked = await addresses(desk)
    await desk.sign_in()
    stood = await stands(desk)
    for path in (path for path, method in asked.items() if method == "POST"):
        assert (await desk.get(path)).status in {200, 405}
    assert await stands(desk) == stood


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.9.9.9:80", "localhost", "LOCALHOST:9", "ops.localhost:9", "[::1]:9"]
)
async def test_names_of_this_machine_are_its_own(desk: Desk, host: str) -> None:
    """Whatever the port is: a tunnel ends at another one."""
    assert (await desk.get(Host=host, **BEARER)).status == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:9090",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "10.0.0.1",
        "0.0.0.0",
        "[::]",
        "",
    ],
)
async def test_a_name_of_another_machine_leads_nowhere(desk: Desk, host: str) -> None:
    """A page that lets its own name lead here sees no more of it than the status (DNS rebinding)."""
    await desk.sign_in()
    for path in ("", "/style.css"):
        answer = await desk.get(path, Host=host)
        assert answer.status == 421
        assert not [word for word in SEEN if word in await answer.text()]
    answer = await desk.post("/sign-in", {"Host": host, "Origin": f"http://{host}"}, token=TOKEN)
    assert (answer.status, "Set-Cookie" in answer.headers) == (421, False)


async def test_a_program_shows_the_token_with_each_request(desk: Desk) -> None:
    """And needs neither cookie nor form; it gets objects, and pages if it asks for them."""
    asked = await addresses(desk)
    program = {**BEARER, "Accept": "*/*"}
    found = await (await desk.client.get("/dashboard", headers=program)).json()
    assert found["stands"] == {"walks": 1, "owed": 1}
    walk = next(path for path, method in asked.items() if path.startswith("/walks") and method == "GET")
    shown = await (await desk.client.get(f"/dashboard{walk}", headers=program)).json()
    assert [hop["outcome"] for hop in shown["walk"]["hops"]] == ["applied", "pending", "pending"]
    told = await (await desk.client.post("/dashboard/retry", headers=program, data={"app": "bank"})).json()
    assert told == {"due": 1}
    drops = [path for path in asked if path.endswith("/drop")]
    for path in drops:
        assert await (await desk.client.post(f"/dashboard{path}", headers=program)).json() == {"dropped": True}
        assert (await desk.client.post(f"/dashboard{path}", headers=program)).status in {200, 404}
    assert await stands(desk) == (Counts(walks=0, owed=0),)
    assert (await desk.get("/walks/nothing", **program)).status == 404
    assert (await desk.get(**BEARER)).content_type == "text/html"


async def test_no_other_origin_may_read_it(desk: Desk) -> None:
    """No answer has a word of CORS, whoever asks; a question before a request with the token gets no yes."""
    for headers in ({"Origin": "https://evil.example"}, {"Origin": desk.origin}):
        answer = await desk.get(**BEARER, **headers)
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"}
    answer = await desk.client.options(
        "/dashboard", headers={**asked, "Access-Control-Request-Headers": "authorization"}
    )
    assert answer.status == 405
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


async def test_every_answer_is_sealed_off(desk: Desk) -> None:
    """No script, no style in a page, no frame, nothing kept; also of refusals and of the style sheet (T47)."""
    answers = [await desk.get(), await desk.get("/style.css"), await desk.get(Host="evil.example")]
    answers += [await desk.sign_in("wrong"), await desk.sign_in(), await desk.get(), await desk.get("/walks/x")]
    answers += [await desk.get(Accept="application/json"), await desk.post("/retry", {})]
    for answer in answers:
        policy = dict(part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; "))
        assert policy == {
            "default-src": "'none'",
            "style-src": "'self'",
            "form-action": "'self'",
            "frame-ancestors": "'none'",
            "base-uri": "'none'",
        }
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        text = await answer.text()
        assert "<script" not in text
        assert "<style" not in text
        assert " style=" not in text


async def test_a_form_that_does_not_end_is_not_read(desk: Desk) -> None:
    """A body has a bound, and other kinds of bodies say nothing."""
    await desk.sign_in()
    long = await desk.change("/retry", app="x" * 20_000)
    assert (long.status, long.headers["X-Frame-Options"]) == (413, "DENY")
    headers = {**desk.from_here, "Cookie": desk.cookie, "Content-Type": "application/json"}
    answer = await desk.client.post("/dashboard/retry", headers=headers, data=f'{{"key": "{await desk.key()}"}}')
    assert answer.status == 403


@pytest.mark.parametrize("charset", ["utf-8", "utf-16", "none-such"])
async def test_a_form_that_is_no_text_is_an_empty_one(desk: Desk, charset: str) -> None:
    """No failure of the gateway's: it holds no token."""
    headers = {**HTML, **desk.from_here, "Content-Type": f"application/x-www-form-urlencoded; charset={charset}"}
    answer = await desk.client.post("/dashboard/sign-in", headers=headers, data=b"token=\xff")
    assert (answer.status, answer.headers["X-Frame-Options"]) == (401, "DENY")


async def test_a_form_that_does_not_come_is_not_waited_for(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has its time, and then the request is answered."""
    monkeypatch.setattr(dashboard, "BODY_SECONDS", 0.05)
    reader, writer = await asyncio.open_connection(desk.client.host, desk.client.port)
    head = f"POST /dashboard/sign-in HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\n{FORM}\r\n"
    writer.write(f"{head}Content-Length: 100\r\n\r\ntoken=".encode())
    try:
        answer = await asyncio.wait_for(reader.readline(), PATIENCE)
    finally:
        writer.close()
    assert answer.startswith(b"HTTP/1.1 408")


async def test_signing_out_ends_the_cookie_in_this_browser(desk: Desk) -> None:
    """By a form of its own."""
    await desk.sign_in()
    answer = await desk.change("/sign-out")
    assert (answer.status, answer.headers["Location"]) == (303, "/dashboard")
    assert 'chain-dashboard=""' in answer.headers["Set-Cookie"]
    assert "Max-Age=0" in answer.headers["Set-Cookie"]


def test_the_client_of_these_tests_keeps_no_cookie(desk: Desk) -> None:
    """Or a request would show more than it says."""
    assert isinstance(desk.client, TestClient)
    assert list(desk.client.session.cookie_jar) == []
