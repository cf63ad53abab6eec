"""How the embedded provider's session ends, in both dialects."""

import pytest
from yarl import URL

LOGGED_OUT = "http://login.localhost:9000/logged-out"


async def end(op, path: str = "/session/end", **query: str):
    """One request to a logout endpoint."""
    return await op.browser.get(path, params=query, allow_redirects=False)


async def test_a_hint_of_this_session_ends_it_at_once(visit):
    """The client that shows this session's ID token, even a stale one, is not asked; its state comes back."""
    op = await visit()
    token = await op.id_token()
    op.now += 7200
    answer = await end(op, id_token_hint=token, post_logout_redirect_uri=LOGGED_OUT, state="a&b")
    assert URL(answer.headers["Location"]) == URL(LOGGED_OUT).with_query(state="a&b")
    assert not await op.signed_in()


@pytest.mark.parametrize("hint", ["none", "old"])
async def test_without_a_hint_of_this_session_the_page_asks(visit, hint):
    """No hint, or one of a session that is no longer this browser's, does not end a session by itself."""
    op = await visit()
    old = await op.id_token()
    await op.sign_in(account="bob", prompt="login")
    hints = {"id_token_hint": old} if hint == "old" else {"client_id": "gateway"}
    page = await end(op, post_logout_redirect_uri=LOGGED_OUT, state="s", **hints)
    assert page.status == 200
    assert await op.signed_in()
    answer = await op.press(page, "/session/end/confirm", logout="yes")
    assert answer.headers["Location"] == LOGGED_OUT + "?state=s"
    assert not await op.signed_in()


async def test_who_stays_comes_back_like_who_leaves(visit):
    """No, stay signed in: the same URL and state, and the session lives on. Coming back proves nothing."""
    op = await visit()
    await op.sign_in()
    page = await end(op, client_id="gateway", post_logout_redirect_uri=LOGGED_OUT, state="s")
    answer = await op.press(page, "/session/end/confirm", logout="no")
    assert answer.headers["Location"] == LOGGED_OUT + "?state=s"
    assert await op.signed_in()


async def test_the_question_counts_only_in_the_browser_that_was_asked(visit):
    """Another browser's form ends no session here."""
    op = await visit()
    await op.sign_in()
    stolen = await op.form(await end(op, client_id="gateway"))
    op.browser.session.cookie_jar.clear()
    await op.sign_in()
    data = {"form": stolen, "logout": "yes"}
    assert (await op.browser.post("/session/end/confirm", data=data, allow_redirects=False)).status == 400
    assert await op.signed_in()


async def test_a_login_form_is_no_logout_form(visit):
    """What was sealed for one page is refused at the other."""
    op = await visit()
    answer = await op.press(await op.authorize(), "/session/end/confirm", logout="yes")
    assert answer.status == 400


async def test_nobody_signed_in_goes_straight_back(visit):
    """There is nothing to ask."""
    op = await visit()
    answer = await end(op, client_id="gateway", post_logout_redirect_uri=LOGGED_OUT, state="s")
    assert answer.headers["Location"] == LOGGED_OUT + "?state=s"


async def test_a_post_asks_even_when_no_session_is_seen(visit):
    """A cross-site POST does not show a Lax cookie, so that no session is seen proves nothing."""
    op = await visit()
    data = {"client_id": "gateway", "post_logout_redirect_uri": LOGGED_OUT}
    answer = await op.browser.post("/session/end", data=data, allow_redirects=False)
    assert answer.status == 200


async def test_a_logout_without_a_target_ends_on_a_page(visit):
    """Without a return URL the provider says itself what happened."""
    op = await visit()
    answer = await end(op, id_token_hint=await op.id_token())
    assert answer.status == 200
    assert "Signed out" in await answer.text()
    assert not await op.signed_in()


@pytest.mark.parametrize(
    "changes",
    [
        {"post_logout_redirect_uri": LOGGED_OUT + "/"},
        {"post_logout_redirect_uri": LOGGED_OUT + "?a=b"},
        {"post_logout_redirect_uri": "https://evil.example/"},
        {"client_id": "other"},
        {"id_token_hint": "a.b.c"},
    ],
)
async def test_a_target_or_hint_that_does_not_fit_ends_nothing(visit, changes):
    """An error is a page here; no redirect, and the session stays."""
    op = await visit()
    query = {"id_token_hint": await op.id_token(), "post_logout_redirect_uri": LOGGED_OUT} | changes
    answer = await end(op, **query)
    assert answer.status == 400
    assert await op.signed_in()


async def test_a_hint_of_another_provider_is_refused(visit):
    """Keys of two providers differ; the hint of one says nothing at the other."""
    op, other = await visit(), await visit()
    token = await other.id_token()
    assert (await end(op, id_token_hint=token, post_logout_redirect_uri=LOGGED_OUT)).status == 400


async def test_auth0_ends_at_once_and_hands_nothing_back(visit):
    """/v2/logout asks nothing, and knows no state."""
    op = await visit(dialect="auth0")
    await op.sign_in()
    answer = await end(op, "/v2/logout", client_id="gateway", returnTo=LOGGED_OUT, state="s", federated="")
    assert answer.headers["Location"] == LOGGED_OUT
    assert not await op.signed_in()


@pytest.mark.parametrize(
    ("return_to", "fits"),
    [
        (LOGGED_OUT + "?any=thing", True),
        ("HTTP://LOGIN.localhost:9000/logged-out", True),
        (LOGGED_OUT + "/more", False),
        ("http://login.localhost:9000/Logged-Out", False),
        ("http://login.localhost:9001/logged-out", False),
        ("https://evil.example/logged-out", False),
    ],
)
async def test_auth0_knows_return_to_by_its_path(visit, return_to, fits):
    """The query is not looked at, scheme and host in any case, the path exactly."""
    op = await visit(dialect="auth0")
    await op.sign_in()
    answer = await end(op, "/v2/logout", client_id="gateway", returnTo=return_to)
    assert answer.status == (302 if fits else 400)
    assert await op.signed_in() is not fits


async def test_auth0_without_a_target_takes_the_first_of_the_list(visit):
    """With client_id alone it is the application's first URL; without client_id the tenant's list, which is empty."""
    op = await visit(dialect="auth0")
    assert (await end(op, "/v2/logout", client_id="gateway")).headers["Location"] == LOGGED_OUT
    assert (await end(op, "/v2/logout")).status == 200
    assert (await end(op, "/v2/logout", returnTo=LOGGED_OUT)).status == 400
    assert (await end(op, "/v2/logout", client_id="nobody")).status == 400


async def test_auth0_has_the_standard_endpoint_too(visit):
    """/oidc/logout matches exactly, echoes state, and takes the sid as logout_hint."""
    op = await visit(dialect="auth0")
    await op.sign_in()
    page = await end(op, "/oidc/logout", client_id="gateway", post_logout_redirect_uri=LOGGED_OUT, logout_hint="x")
    assert page.status == 200
    token = await op.id_token(path="/oauth/token", prompt="login")
    sid = op.op._keys.read(token)["sid"]
    answer = await end(
        op, "/oidc/logout", client_id="gateway", post_logout_redirect_uri=LOGGED_OUT, logout_hint=sid, state="s"
    )
    assert answer.headers["Location"] == LOGGED_OUT + "?state=s"
    assert not await op.signed_in()


@pytest.mark.parametrize(("dialect", "path"), [("oidc", "/v2/logout"), ("auth0", "/session/end")])
async def test_each_dialect_has_its_own_endpoints(visit, dialect, path):
    """What one speaks the other does not."""
    op = await visit(dialect=dialect)
    assert (await end(op, path)).status == 404
