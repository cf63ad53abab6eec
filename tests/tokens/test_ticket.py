"""Tickets: what an app takes, and at which check everything else falls (T12 to T16)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from token_builders import (
    BEGIN,
    BOUND,
    EPOCH,
    GATEWAY,
    LOGIN,
    LOGIN_WITH_ALL,
    LOGOUT,
    NOW,
    ORIGIN,
    a_keyring,
    an_id,
    claims_of,
    header_of,
    public_keys,
    refusal,
)

from chain_gateway.core import limits
from chain_gateway.tokens.encoding import b64e
from chain_gateway.tokens.purposes import TICKET_TYP
from chain_gateway.tokens.refusals import Check
from chain_gateway.tokens.ticket import CLAIMS, Act, GatewayKeys, Ticket, sign_ticket, verify_ticket

RING = a_keyring()
KEYS = public_keys(RING)

EVERY_ACT = pytest.mark.parametrize("ticket", [LOGIN, LOGIN_WITH_ALL, LOGOUT, BEGIN], ids=lambda t: t.act)

TABLE = {
    "iss": "must must must",
    "aud": "must must must",
    "act": "must must must",
    "bid": "must must must",
    "jti": "must must must",
    "iat": "must must must",
    "exp": "must must must",
    "epoch": "must must must",
    "walk": "must must must",
    "hop": "must must must",
    "return": "must must must",
    "sub": "must not not",
    "sid": "must may not",
    "auth_time": "may not not",
    "acr": "may not not",
    "claims": "may not not",
    "cnf": "may may not",
    "watch": "may may not",
}
"""The table of docs/protocol.md for login, logout and begin, written a second time."""

VALUES = claims_of(sign_ticket(LOGIN_WITH_ALL, RING, NOW))


def opened(text: str, keys: GatewayKeys = KEYS, origin: str = ORIGIN, gateway: str = GATEWAY, now: int = NOW) -> Ticket:
    """What the app at ``origin`` reads."""
    return verify_ticket(text, keys, gateway=gateway, origin=origin, now=now)


def signed(claims: Mapping[str, object]) -> str:
    """A ticket of any claims, by the gateway's own key: what a faulty or a newer gateway would send."""
    return RING.sign(TICKET_TYP, claims, NOW)


def changed(**claims: object) -> str:
    """A login ticket with all that it may carry, and these claims changed."""
    return signed(VALUES | claims)


@EVERY_ACT
def test_a_ticket_arrives_as_it_was_sent(ticket: Ticket) -> None:
    """Each act, with all that it may carry and with the least."""
    assert opened(sign_ticket(ticket, RING, NOW)) == ticket


@EVERY_ACT
def test_the_header_says_type_algorithm_and_key_and_no_more(ticket: Ticket) -> None:
    """And the kid is one that the key set names."""
    header = header_of(sign_ticket(ticket, RING, NOW))
    assert header.keys() == {"alg", "typ", "kid"}
    assert (header["alg"], header["typ"]) == ("ES256", "chain-ticket+jwt")
    assert header["kid"] in KEYS


def test_claims_have_the_names_of_the_protocol() -> None:
    """What another language reads."""
    assert VALUES["return"] == f"{GATEWAY}/relay?state=sealed"
    assert VALUES["cnf"] == {"cb#S256": BOUND}
    assert VALUES["act"] == "login"
    assert VALUES.keys() == TABLE.keys()
    assert len(fields(Ticket)) == len(TABLE)


def test_what_is_empty_is_left_out() -> None:
    """A logout or begin ticket in a URL tells as little as it can (T12)."""
    assert claims_of(sign_ticket(BEGIN, RING, NOW)).keys() == CLAIMS[Act.BEGIN].must
    assert claims_of(sign_ticket(LOGOUT, RING, NOW)).keys() == CLAIMS[Act.LOGOUT].must | {"sid"}
    assert claims_of(sign_ticket(LOGIN, RING, NOW)).keys() == CLAIMS[Act.LOGIN].must


@pytest.mark.parametrize("name", TABLE)
def test_the_claims_table_is_the_one_of_the_protocol(name: str) -> None:
    """Each claim of each act: with one that must not be there, or without one that must, no ticket is taken."""
    for act, want in zip(Act, TABLE[name].split(), strict=True):
        rule = CLAIMS[act]
        least = {claim: VALUES[claim] for claim in rule.must} | {"act": act}
        without = signed({claim: value for claim, value in least.items() if claim != name})
        with_it = signed(least | {name: act if name == "act" else VALUES[name]})
        if want == "must":
            refusal(Check.CLAIMS, lambda text=without: opened(text))
        else:
            assert opened(without).act is act
        if want == "not":
            refusal(Check.CLAIMS, lambda text=with_it: opened(text))
        else:
            assert opened(with_it).act is act


@pytest.mark.parametrize("name", ["nonce", "nbf", "azp", "events", "Return", "return_to", "", "cb#S256"])
@EVERY_ACT
def test_a_claim_that_is_not_in_the_table_is_refused(ticket: Ticket, name: str) -> None:
    """A ticket with more is no ticket of this version."""
    refusal(Check.CLAIMS, lambda: opened(signed(claims_of(sign_ticket(ticket, RING, NOW)) | {name: "x"})))


@pytest.mark.parametrize(
    "ticket",
    [
        replace(LOGIN, sub=""),
        replace(LOGIN, sid=""),
        replace(LOGOUT, sub="auth0|ada"),
        replace(LOGOUT, claims={"email": "ada@example.com"}),
        replace(LOGOUT, auth_time=NOW),
        replace(BEGIN, sid="session-1"),
        replace(BEGIN, cnf=BOUND),
    ],
)
def test_a_ticket_with_less_or_more_is_not_made(ticket: Ticket) -> None:
    """The gateway's own mistake shows at the gateway, not at the app (T12: no subject in a URL)."""
    with pytest.raises(ValueError, match=f"a {ticket.act} ticket with"):
        sign_ticket(ticket, RING, NOW)


def test_a_ticket_for_another_app_is_refused() -> None:
    """The audience is the exact origin (T13)."""
    text = sign_ticket(LOGIN, RING, NOW)
    for origin in (
        "https://bank.example",
        "https://shop.example:8443",
        "http://shop.example",
        f"{ORIGIN}/",
        "shop",
        "",
    ):
        refusal(Check.AUDIENCE, lambda origin=origin: opened(text, origin=origin))


@pytest.mark.parametrize("aud", [[ORIGIN], [ORIGIN, "https://bank.example"], ORIGIN.upper(), f"{ORIGIN}/", None, {}, 1])
def test_an_audience_is_one_text(aud: object) -> None:
    """No list of several, no other spelling (T13)."""
    refusal(Check.AUDIENCE, lambda: opened(changed(aud=aud)))


@pytest.mark.parametrize("iss", ["https://evil.example", f"{GATEWAY}/", GATEWAY.upper(), None, [GATEWAY]])
def test_a_ticket_of_another_gateway_is_refused(iss: object) -> None:
    """Even under a key that is known."""
    refusal(Check.ISSUER, lambda: opened(changed(iss=iss)))


def test_a_ticket_under_an_unknown_key_says_so() -> None:
    """The app may fetch the keys anew on this code alone."""
    refusal(Check.KEY, lambda: opened(sign_ticket(LOGIN, a_keyring("another"), NOW)))
    refusal(Check.KEY, lambda: opened(sign_ticket(LOGIN, RING, NOW), GatewayKeys({})))


def test_a_ticket_lives_from_its_time_to_its_time_and_a_minute_of_skew() -> None:
    """To the second, on both sides (T12)."""
    text = sign_ticket(LOGIN, RING, NOW)
    assert opened(text, now=LOGIN.iat - limits.SKEW_SECONDS) == LOGIN
    assert opened(text, now=LOGIN.exp + limits.SKEW_SECONDS - 1) == LOGIN
    refusal(Check.EARLY, lambda: opened(text, now=LOGIN.iat - limits.SKEW_SECONDS - 1))
    refusal(Check.EXPIRED, lambda: opened(text, now=LOGIN.exp + limits.SKEW_SECONDS))


@pytest.mark.parametrize("life", [61, 3600, 2**40, 0, -1, -60])
def test_a_ticket_that_lives_longer_or_not_at_all_is_refused(life: int) -> None:
    """Sixty seconds at most, one at least (T12)."""
    refusal(Check.CLAIMS, lambda: opened(changed(exp=NOW + life)))


_TEXT = (None, True, 1, 1.5, [], {}, ["a"], "")
_INT = (None, True, False, "1", 1.0, 1.5, -1, 2**53, 2**64 - 1, [], {}, "")
_IDENT = (*_TEXT, "a" * 33, "a b", "a=", "a.b", "a+b", "a/b", "ä", "a\n", "\u0661")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("sub", value) for value in (*_TEXT, "a" * 256, "a\r\nb", "a\0", "\u202eadmin")),
        *(("sid", value) for value in (*_TEXT, "a" * 256, "a\nb")),
        *(("bid", value) for value in (*_TEXT, "a" * 256, "a\nb")),
        *(("acr", value) for value in (*_TEXT, "a" * 256, "a\nb")),
        *(("act", value) for value in (*_TEXT, "Login", "login ", "delete")),
        *(("jti", value) for value in _IDENT),
        *(("walk", value) for value in _IDENT),
        *(("epoch", value) for value in _INT),
        *(("auth_time", value) for value in _INT),
        *(("iat", value) for value in _INT),
        *(("exp", value) for value in _INT),
        *(("hop", value) for value in (*_INT, limits.CHAIN_APPS)),
        *(("claims", value) for value in (None, True, 1, "a", [], [["email", "a"]])),
        *(("watch", value) for value in (*_TEXT, "a b", "a\n", "ä", "a" * 1025)),
        *(("return", value) for value in _TEXT),
        *(("cnf", value) for value in (None, True, "a", [], {}, BOUND)),
    ],
)
def test_a_claim_of_another_type_or_size_is_refused(name: str, value: object) -> None:
    """Types are strict: true is no integer, "1" and 1.0 neither; texts have bounds and no control character."""
    refusal(Check.CLAIMS, lambda: opened(changed(**{name: value})))


@pytest.mark.parametrize(
    "cnf",
    [
        {"cb#S256": ""},
        {"cb#S256": BOUND[:-1]},
        {"cb#S256": BOUND + "="},
        {"cb#S256": BOUND[:-1] + "B"},
        {"cb#S256": b64e(bytes(31))},
        {"cb#S256": b64e(bytes(33))},
        {"cb#S256": 1},
        {"cb#S256": None},
        {"cb#S256": [BOUND]},
        {"cb#S256": BOUND, "jkt": BOUND},
        {"jkt": BOUND},
        {"CB#S256": BOUND},
    ],
)
def test_a_confirmation_is_one_hash(cnf: object) -> None:
    """Exactly the member ``cb#S256``, exactly a SHA-256 in its one spelling: no ticket is half bound (T08)."""
    refusal(Check.CLAIMS, lambda: opened(changed(cnf=cnf)))


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/relay?state=x",
        "https://login.example.evil.example/relay",
        "https://login.example@evil.example/",
        "https://login.example",
        "//login.example/relay",
        "/relay?state=x",
        "http://login.example/relay",
        "javascript:alert(1)",
        f"{GATEWAY}/relay?a=\r\nb",
        f"{GATEWAY}/relay?a= b",
        f"{GATEWAY}/relay?a=ä",
    ],
)
def test_a_ticket_returns_to_its_own_gateway(url: str) -> None:
    """The app answers with a redirect there, so it is checked although it is signed (T01)."""
    refusal(Check.CLAIMS, lambda: opened(changed(**{"return": url})))


def test_a_return_url_has_a_bound_of_its_own() -> None:
    """Below that of the ticket: an address and the longest chain token."""
    most = limits.URL_CHARS + limits.CHAIN_TOKEN_BYTES
    fits = replace(BEGIN, return_to=f"{GATEWAY}/".ljust(most, "a"))
    assert opened(sign_ticket(fits, RING, NOW)) == fits
    over = claims_of(sign_ticket(fits, RING, NOW)) | {"return": f"{fits.return_to}a"}
    refusal(Check.CLAIMS, lambda: opened(signed(over)))


def test_a_ticket_that_no_app_would_take_is_not_sent() -> None:
    """Too many claims show at the gateway; the longest ticket that is sent is taken."""
    room = limits.TICKET_BYTES - len(sign_ticket(LOGIN, RING, NOW))
    fits = replace(LOGIN, claims={"about": "x" * (room * 3 // 4 - 30)})
    assert opened(sign_ticket(fits, RING, NOW)) == fits
    refusal(Check.SIZE, lambda: sign_ticket(replace(LOGIN, claims={"about": "x" * room}), RING, NOW))


def test_a_long_chain_token_fits_into_a_ticket() -> None:
    """The longest state that the relay takes, beside a person's usual claims."""
    state = "s" * limits.CHAIN_TOKEN_BYTES
    ticket = replace(LOGIN_WITH_ALL, return_to=f"{GATEWAY}/relay?state={state}", watch="")
    assert opened(sign_ticket(ticket, RING, NOW)) == ticket


_NAMES = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1, max_size=40)
_IDENTS = st.binary(min_size=1, max_size=24).map(b64e)


@settings(deadline=None, max_examples=40)
@given(
    st.builds(
        Ticket,
        iss=st.just(GATEWAY),
        aud=st.just(ORIGIN),
        act=st.just(Act.LOGIN),
        bid=_IDENTS,
        jti=_IDENTS,
        iat=st.just(NOW),
        exp=st.integers(NOW + 1, NOW + 60),
        epoch=st.integers(0, 2**53 - 1),
        walk=_IDENTS,
        hop=st.integers(0, limits.CHAIN_APPS - 1),
        return_to=_IDENTS.map(lambda state: f"{GATEWAY}/relay?state={state}"),
        sub=_NAMES,
        sid=_NAMES,
        auth_time=st.none() | st.integers(0, 2**40),
        acr=st.just("") | _NAMES,
        claims=st.dictionaries(
            st.text(max_size=8), st.text(max_size=8) | st.booleans() | st.integers(0, 9), max_size=3
        ),
        cnf=st.just("") | st.binary(min_size=32, max_size=32).map(b64e),
        watch=st.just("") | _IDENTS,
    )
)
def test_any_ticket_arrives_as_it_was_sent(ticket: Ticket) -> None:
    """Whatever the values."""
    assert opened(sign_ticket(ticket, RING, NOW)) == ticket


def test_a_login_s_epoch_is_taken_as_it_is() -> None:
    """How far ahead an epoch may be is for the app's session rule; a ticket's is any exact integer."""
    assert opened(changed(epoch=0)).epoch == 0
    assert opened(changed(epoch=2**53 - 1)).epoch == 2**53 - 1
    assert opened(changed(epoch=EPOCH)).epoch == EPOCH


def test_two_tickets_are_told_apart_by_their_jti() -> None:
    """Identity is the jti: two texts of one ticket are one ticket, two jtis are two."""
    one, two = sign_ticket(LOGIN, RING, NOW), sign_ticket(replace(LOGIN, jti=an_id("another")), RING, NOW)
    assert opened(one).jti != opened(two).jti
    assert opened(sign_ticket(LOGIN, RING, NOW)) == opened(one)
