"""The authorization endpoint of the embedded provider and its login page."""

import pytest
from yarl import URL

CALLBACK = "http://login.localhost:9000/callback"


async def test_a_person_signs_in_and_comes_back_with_code_state_and_issuer(visit):
    """The answer goes to the registered URI and carries what RFC 6749 and RFC 9207 demand."""
    op = await visit()
    back = await op.sign_in()
    assert back.with_query(None) == URL(CALLBACK)
    assert back.query["state"] == "st&te"
    assert back.query["iss"] == op.op.issuer
    assert back.query["code"]


async def test_a_session_answers_without_a_page(visit):
    """Who is signed in is not asked again, nor with prompt=none."""
    op = await visit()
    await op.sign_in()
    for changes in ({}, {"prompt": "none"}, {"method": "POST"}):
        answer = await op.authorize(**changes)
        assert answer.status in {302, 303}
        assert "code" in URL(answer.headers["Location"]).query


async def test_prompt_none_without_a_session_shows_nothing(visit):
    """A silent request of a stranger ends in login_required at the client."""
    op = await visit()
    answer = await op.authorize(prompt="none")
    back = URL(answer.headers["Location"])
    assert (answer.status, back.query["error"], back.query["state"]) == (302, "login_required", "st&te")
    assert back.query["iss"] == op.op.issuer


@pytest.mark.parametrize("changes", [{"prompt": "login"}, {"prompt": "select_account"}, {"max_age": "0"}])
async def test_a_client_can_demand_a_fresh_sign_in(visit, changes):
    """A session does not answer who asks for the person."""
    op = await visit()
    await op.sign_in()
    assert (await op.authorize(**changes)).status == 200


async def test_max_age_lets_a_session_answer_until_it_is_older(visit):
    """A session of exactly max_age answers; a second later it does not, and silently it is login_required."""
    op = await visit()
    await op.sign_in()
    op.now += 60
    assert (await op.authorize(max_age="60")).status == 302
    op.now += 1
    assert (await op.authorize(max_age="60")).status == 200
    silent = await op.authorize(max_age="60", prompt="none")
    assert URL(silent.headers["Location"]).query["error"] == "login_required"


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "nobody"},
        {"redirect_uri": CALLBACK + "/"},
        {"redirect_uri": CALLBACK + "?a=b"},
        {"redirect_uri": "http://login.localhost:9000.evil.example/callback"},
        {"redirect_uri": "http://other.localhost:9000/cb"},
        {"drop": ("redirect_uri",)},
        {"drop": ("client_id",)},
    ],
)
async def test_nobody_is_sent_to_an_address_that_the_client_has_not_registered(visit, changes):
    """Client and redirect URI must fit to the letter, or the refusal is a page here."""
    op = await visit()
    answer = await op.authorize(**changes)
    assert answer.status == 400
    assert "Location" not in answer.headers


async def test_a_doubled_redirect_uri_is_a_page(visit):
    """Two redirect URIs leave open which one counts, so neither does."""
    op = await visit()
    answer = await op.browser.get(
        "/authorize",
        params=[("client_id", "gateway"), ("redirect_uri", CALLBACK), ("redirect_uri", CALLBACK)],
        allow_redirects=False,
    )
    assert answer.status == 400


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"drop": ("code_challenge",)}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "please"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"state": "s" * 3000}, "invalid_request"),
        ({"request": "x"}, "request_not_supported"),
        ({"request_uri": "https://x.example"}, "request_uri_not_supported"),
    ],
)
async def test_a_request_that_does_not_hold_is_refused_at_the_client(visit, changes, error):
    """A known client is told what is wrong, by the code that the specification names."""
    op = await visit()
    answer = await op.authorize(**changes)
    assert answer.status == 302
    assert URL(answer.headers["Location"]).query["error"] == error


async def test_login_hint_puts_its_account_first(visit):
    """The account that the hint names is the first button; a hint of nobody changes nothing."""
    op = await visit()
    plain = await (await op.authorize(login_hint="nobody")).text()
    hinted = await (await op.authorize(login_hint="bob@example.test")).text()
    assert plain.index("Alice") < plain.index("Bob")
    assert hinted.index("Bob") < hinted.index("Alice")


async def test_who_cancels_comes_back_with_access_denied(visit):
    """Cancel is an answer to the client, and signs nobody in."""
    op = await visit()
    answer = await op.press(await op.authorize(), cancel="yes")
    assert URL(answer.headers["Location"]).query["error"] == "access_denied"
    assert not await op.signed_in()


async def test_a_login_form_counts_only_in_the_browser_that_was_shown_it(visit):
    """Another browser's form signs nobody in: the attacker's account in the victim's browser."""
    op = await visit()
    form = await op.form(await op.authorize())
    op.browser.session.cookie_jar.clear()
    answer = await op.browser.post("/login", data={"form": form, "account": "bob"}, allow_redirects=False)
    assert answer.status == 400
    assert not await op.signed_in()


async def test_a_login_form_grows_old(visit):
    """A form that lay open for longer than ten minutes is refused."""
    op = await visit()
    page = await op.authorize()
    op.now += 601
    assert (await op.press(page, account="alice")).status == 400


@pytest.mark.parametrize("form", ["", "a.b.c", "eyJhbGciOiJub25lIn0.e30."])
async def test_a_login_form_that_was_not_sealed_here_is_refused(visit, form):
    """The hidden field is no place for anybody's own request."""
    op = await visit()
    await op.authorize()
    answer = await op.browser.post("/login", data={"form": form, "account": "bob"}, allow_redirects=False)
    assert answer.status == 400


async def test_an_unknown_account_is_refused(visit):
    """Only the accounts on the page can sign in."""
    op = await visit()
    assert (await op.press(await op.authorize(), account="mallory")).status == 400


async def test_each_sign_in_has_a_session_of_its_own(visit):
    """A second sign-in ends the first session of this browser and draws a new name for the cookie."""
    op = await visit()
    first = (await op.press(await op.authorize(), account="alice")).cookies["__Host-op-session"].value
    second_answer = await op.press(await op.authorize(prompt="login"), account="bob")
    second = second_answer.cookies["__Host-op-session"].value
    assert first != second
    op.browser.session.cookie_jar.update_cookies({"__Host-op-session": first}, op.browser.make_url("/"))
    assert not await op.signed_in()


async def test_the_session_cookie_is_tied_to_the_host(visit):
    """__Host-, Secure, HttpOnly, Lax and Path=/: no sibling can plant it and no script can read it."""
    op = await visit()
    answer = await op.press(await op.authorize(), account="alice")
    header = next(h for h in answer.headers.getall("Set-Cookie") if h.startswith("__Host-op-session="))
    attributes = {part.strip() for part in header.split(";")[1:]}
    assert attributes == {"HttpOnly", "Path=/", "SameSite=Lax", "Secure"}


async def test_pages_are_marked_and_strict(visit):
    """Each page says that it is for development; nothing is cached, framed, sniffed or scripted."""
    op = await visit()
    page = await op.authorize()
    assert "A provider for development" in await page.text()
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]


async def test_names_are_text_on_a_page(visit, carol):
    """An account's name is escaped, whatever it holds."""
    op = await visit(accounts=[carol])
    assert "Carol &lt;i&gt;" in await (await op.authorize()).text()


async def test_forgotten_sessions_are_gone(visit):
    """As after a restart: the browser's cookie names nothing."""
    op = await visit()
    await op.sign_in()
    assert await op.signed_in()
    op.op.forget_sessions()
    assert not await op.signed_in()
    assert URL((await op.authorize(prompt="none")).headers["Location"]).query["error"] == "login_required"


async def test_the_auth0_dialect_answers_without_an_issuer(visit):
    """A tenant sends no iss unless its owner switched it on."""
    op = await visit(dialect="auth0")
    assert "iss" not in (await op.sign_in()).query


@pytest.mark.parametrize("path", ["/authorize", "/login", "/token", "/session/end", "/session/end/confirm"])
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"state=%ed\xff", "application/x-www-form-urlencoded"),
        (b"state=x", "application/x-www-form-urlencoded; charset=none-such"),
        (b"--x", "multipart/form-data"),
    ],
)
async def test_a_form_that_cannot_be_read_is_a_page(visit, path, body, kind):
    """No bytes that a browser would never send make a failure of it, nor a traceback with what else came."""
    op = await visit()
    answer = await op.browser.post(path, data=body, headers={"Content-Type": kind})
    assert answer.status == 400
    assert "Traceback" not in await answer.text()
