"""Where a browser ends the provider's own session, at Auth0 and elsewhere."""

from __future__ import annotations

import pytest
from support.op import Op
from yarl import URL

from chain_gateway.oidc.logout import HINT_CHARS, logout_url
from chain_gateway.oidc.metadata import read_metadata

TENANT = "https://tenant.eu.auth0.com/"
RETURN = "https://login.example/logged-out"
OIDC, AUTH0 = Op(issuer="https://op.example"), Op(issuer=TENANT.rstrip("/"))


def url_at(op: Op, *, announced: bool = True, id_token: str = "", sid: str = "", **client: object) -> URL | None:
    issuer = TENANT if op is AUTH0 else op.issuer
    document = {**op.document(), "issuer": issuer}
    if not announced:
        del document["end_session_endpoint"]
    kind = "auth0" if op is AUTH0 else "oidc"
    settings = op.client(kind=kind, issuer=issuer, **client)
    url = logout_url(settings, read_metadata(document, issuer), id_token=id_token, sid=sid, state="a-state")
    return None if url is None else URL(url, encoded=True)


def test_an_announced_endpoint_gets_the_hint_and_our_state() -> None:
    """RP-Initiated Logout 1.0, section 2: who, whose client, where to, and which walk."""
    url = url_at(OIDC, id_token="h.p.s", sid="op-session")
    assert url is not None
    assert str(url).startswith("https://op.example/logout?")
    assert dict(url.query) == {
        "client_id": "gateway",
        "post_logout_redirect_uri": RETURN,
        "state": "a-state",
        "id_token_hint": "h.p.s",
    }


@pytest.mark.parametrize("op", [OIDC, AUTH0])
def test_the_session_id_is_the_hint_where_there_is_no_token(op: Op) -> None:
    """One hint and never two, as hints that contradict each other are an error."""
    url = url_at(op, sid="op-session")
    assert url is not None
    assert url.query["logout_hint"] == "op-session"
    assert "id_token_hint" not in url.query


def test_a_token_too_long_for_a_url_gives_way_to_the_session_id() -> None:
    """A logout that a server refuses for its length is no logout."""
    url = url_at(OIDC, id_token="t" * (HINT_CHARS + 1), sid="op-session")
    assert url is not None
    assert (url.query.get("id_token_hint"), url.query["logout_hint"]) == (None, "op-session")
    assert "id_token_hint" in url_at(OIDC, id_token="t" * HINT_CHARS).query


def test_without_any_hint_the_provider_is_asked_all_the_same() -> None:
    """A lost store must not keep anybody signed in: the provider will ask the person."""
    url = url_at(OIDC)
    assert url is not None
    assert set(url.query) == {"client_id", "post_logout_redirect_uri", "state"}


def test_a_provider_without_a_logout_has_none() -> None:
    """Nothing is made up for a provider that announces no endpoint."""
    assert url_at(OIDC, announced=False, id_token="h.p.s") is None


def test_auth0_without_an_announced_endpoint_has_its_own() -> None:
    """Older tenants: by client_id the application's return URLs count, and ours is the bare registered one."""
    for url in (url_at(AUTH0, announced=False, id_token="h.p.s", sid="op-session"), url_at(AUTH0)):
        assert str(url) == f"{TENANT}v2/logout?client_id=gateway&returnTo=https%3A%2F%2Flogin.example%2Flogged-out"


def test_auth0_with_an_announced_endpoint_uses_it() -> None:
    """There the session is known by the hint, and our state comes back."""
    url = url_at(AUTH0, id_token="h.p.s")
    assert url is not None
    assert str(url).startswith("https://tenant.eu.auth0.com/logout?")
    assert url.query["state"] == "a-state"


@pytest.mark.parametrize("announced", [True, False])
def test_federated_ends_the_upstream_session_at_auth0_alone(*, announced: bool) -> None:
    """It is a parameter without a value, and means nothing to another provider."""
    url = url_at(AUTH0, announced=announced, id_token="h.p.s", federated=True)
    assert str(url).endswith("&federated")
    assert "federated" not in str(url_at(OIDC, id_token="h.p.s", federated=True))
    assert "federated" not in str(url_at(AUTH0, announced=announced, id_token="h.p.s"))
