"""The tables of docs/protocol.md say what the code does; whoever changes one changes both."""

from __future__ import annotations

import json
import os
import re

import doc_source
import pytest
from doc_pages import page, plain, section, table

from chain_gateway.core import limits, rules
from chain_gateway.core.chain import TAG_BYTES, Mode, app_tag
from chain_gateway.core.packing import pack
from chain_gateway.core.walk import HOP_BYTES, Hop, Hops, Kind, Outcome, Walk
from chain_gateway.hops.modes import MODES
from chain_gateway.sdk import backchannel
from chain_gateway.sdk.cookies import set_bind
from chain_gateway.sdk.hop import LATE_SECONDS, bind_hash
from chain_gateway.sdk.session import BIND_COOKIE, Session, Tombstone
from chain_gateway.service import away, identity, logout, notes, transactions
from chain_gateway.tokens import logout_request, receipt, ticket
from chain_gateway.tokens.encoding import b64d
from chain_gateway.tokens.keyring import Keyring
from chain_gateway.tokens.logout_token import LOGOUT_TOKEN_TYP, LogoutToken, sign_logout_token
from chain_gateway.tokens.purposes import LOGOUT_REQUEST_TYP, RECEIPT_TYP, TICKET_TYP
from chain_gateway.web import cookies
from chain_gateway.web.metadata import ENDPOINTS, metadata
from chain_gateway.web.parse import LENGTHS
from chain_gateway.web.routes import JWKS_SECONDS, Endpoints

PAGE = page("docs/protocol.md")
MUST, MAY = "●", "○"
NOW = 1_800_000_000


def test_every_endpoint_that_is_there_is_on_the_page():
    """The table and the routes name the same methods and paths."""
    named = {tuple(plain(row[0]).split(" ")) for row in table(PAGE, "endpoint")}
    routes = {(route.method, route.path) for route in Endpoints(None, "https://login.example.com", dict).routes()}
    assert named == routes
    assert set(ENDPOINTS.values()) <= {path for _, path in routes}


def test_parameters_of_endpoints_are_known_ones():
    """No endpoint is said to take what the gateway passes over."""
    for row in table(PAGE, "endpoint"):
        for name in re.findall(r"`(\w+)`", row[2]):
            assert name in LENGTHS, (row[0], name)


def test_every_parameter_has_its_length():
    """The table of lengths is that of the code."""
    cells = [plain(cell) for row in table(PAGE, "parameter") for cell in row]
    named = dict(zip(cells[::2], map(int, cells[1::2]), strict=True))
    assert named == dict(LENGTHS)


def test_limits_are_those_of_the_code():
    """Each number on the page is the constant that stands beside it."""
    for what, number, constant in table(PAGE, "what"):
        assert int(number) == getattr(limits, plain(constant)), what


def test_the_key_set_may_be_kept_for_five_minutes():
    """As the page says."""
    assert JWKS_SECONDS == 300
    assert "the key set may be kept for five minutes" in PAGE


def marks(rule) -> dict[str, str]:
    return {**dict.fromkeys(rule.must, MUST), **dict.fromkeys(rule.may, MAY)}


def test_the_ticket_has_the_claims_of_its_table():
    """Which claims each act must and may carry."""
    rows = table(section(PAGE, "### Ticket"), "claim")
    for column, act in enumerate((ticket.Act.LOGIN, ticket.Act.LOGOUT, ticket.Act.BEGIN), 1):
        named = {plain(row[0]): row[column] for row in rows if row[column]}
        assert named == marks(ticket.CLAIMS[act]), act
    assert all(len(row) == 5 and row[4] for row in rows)


@pytest.mark.parametrize(
    ("heading", "rule"), [("### Receipt", receipt.CLAIMS), ("### Logout request", logout_request.CLAIMS)]
)
def test_what_an_app_signs_has_the_claims_of_its_table(heading, rule):
    """Which claims a receipt and a logout request must and may carry."""
    rows = table(section(PAGE, heading), "claim")
    assert {plain(row[0]): row[1] for row in rows} == marks(rule)


def test_the_logout_token_has_the_claims_of_its_table():
    """Those that the gateway writes, and those that the SDK demands."""
    token = LogoutToken("https://login.example.com", "https://shop.example", "sid", 1, "jti", NOW)
    text = sign_logout_token(token, Keyring.generate(NOW, os.urandom))
    claims = json.loads(b64d(text.split(".")[1]))
    rows = {plain(row[0]): row for row in table(section(PAGE, "### Logout token"), "claim")}
    assert rows.keys() == claims.keys() == backchannel.MUST
    assert all(row[1] == MUST for row in rows.values())
    assert rows["exp"][2] == f"{claims['exp'] - claims['iat']} seconds later"


def test_types_are_named():
    """The page names the types that headers carry."""
    for typ in (TICKET_TYP, RECEIPT_TYP, LOGOUT_REQUEST_TYP, LOGOUT_TOKEN_TYP):
        assert f"`typ` = `{typ}`" in PAGE


def test_every_outcome_of_a_receipt_is_named():
    """In the table of its claims, and in the words under it."""
    text = section(PAGE, "### Receipt")
    for outcome in receipt.ReceiptOutcome:
        assert f"`{outcome}`" in text


def test_every_reason_that_the_sdk_gives_is_explained():
    """And no other is."""
    assert {plain(row[0]) for row in table(section(PAGE, "### Receipt"), "reason")} == doc_source.reasons()


def test_a_receipt_is_as_fresh_as_the_page_says():
    """The page gives the seconds."""
    assert f"after {receipt.RECEIPT_SECONDS} seconds it counts no more" in PAGE


def test_modes_are_those_of_the_code():
    """Every mode is in the table; the ones that make a hop are those that the metadata announce."""
    named = [plain(row[0]) for row in table(PAGE, "mode")]
    assert named == [mode.word for mode in Mode if mode is not Mode.NONE and mode in MODES] + ["back_channel", "none"]
    announced = metadata("https://login.example.com")["hop_modes_supported"]
    assert announced == [mode.word for mode in Mode if mode in MODES]


def test_the_bind_cookie_is_set_as_the_page_says():
    """Name, attributes and age."""
    line = set_bind("x")
    assert line.startswith(f"{BIND_COOKIE}=x; ")
    for attribute in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=120"):
        assert attribute in line
        assert f"`{attribute}`" in PAGE
    assert len(bind_hash("x")) == 43


def test_the_gateways_cookies_are_the_ones_of_the_table():
    """Names and ages."""
    rows = {plain(row[0]): int(row[3]) for row in table(PAGE, "cookie")}
    assert rows == {
        cookies.BROWSER: limits.BROWSER_SECONDS,
        logout.ASK: limits.CONFIRM_SECONDS,
        transactions.PREFIX + "…": limits.TRANSACTION_SECONDS,
        identity.PREFIX + "…": limits.WALK_SECONDS,
        away.PREFIX + "…": limits.WALK_SECONDS,
    }


def test_an_apps_cookies_are_the_ones_of_the_table():
    """Names by epoch, and how much longer than a session a tombstone stays."""
    rows = table(section(PAGE, "## 6. Races"), "cookie")
    session = Session(epoch=7, bid="b", jti="j", sub="alice", sid="s", iat=0, exp=1)
    stone = Tombstone(epoch=7, bid="b", jti="j", iat=0, exp=1)
    names = [plain(row[0]).replace("EPOCH", "7") for row in rows]
    assert names == [session.cookie, stone.cookie, BIND_COOKIE]
    assert rows[1][2] == f"the session's life and {LATE_SECONDS} seconds"
    assert rows[2][2] == f"{limits.BIND_SECONDS} seconds"


def a_walk(apps: int, chain: str, return_to: str) -> Walk:
    hops = Hops.of(tuple(Hop(app_tag(f"app-{n}"), Mode.FORM_POST) for n in range(apps)))
    return Walk(
        id=bytes(16),
        kind=Kind.LOGIN,
        browser=bytes(16),
        epoch=1,
        chain=chain,
        hops=hops,
        nonce=bytes(16),
        issued_at=0,
        expires_at=900,
        return_to=return_to,
    )


def test_the_chain_token_has_the_fields_of_its_table():
    """The bytes of the table are the bytes of a packed walk, and each field of a walk is named."""
    rows = table(PAGE, "field")
    fixed = sum(int(row[1]) for row in rows if row[1].isdecimal())
    assert len(pack(a_walk(0, "", ""))) == fixed
    assert len(pack(a_walk(0, "main", "https://shop.example/"))) == fixed + 4 + 21
    assert len(pack(a_walk(9, "", ""))) == fixed + 9 * 5
    assert (TAG_BYTES, HOP_BYTES + 1) == (3, 5)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row[0])}
    assert named == set(a_walk(0, "", "")._fields)


def test_outcomes_are_the_ones_of_the_table():
    """What is proven, and what the ledger learns from each."""
    rows = {plain(row[0]): row for row in table(PAGE, "what came of a hop")}
    assert set(rows) == {outcome.word for outcome in Outcome}
    for outcome in Outcome:
        _, who, proven, *after = rows[outcome.word]
        assert who
        assert (proven == "yes") == outcome.proven, outcome
        for kind, cell in zip(Kind, after, strict=True):
            if plain(cell):
                holding = notes.AFTER.get((kind, outcome), notes.OTHERWISE[kind])
                assert plain(cell) == (holding.value if holding else "as it was"), (kind, outcome)


def test_failures_that_a_retry_cannot_help_are_named():
    """The page and the rules name the same ones, and as many tries after ``used``."""
    text = section(PAGE, "## 7. When a hop fails")
    named = re.search(r"another try cannot help \(([^)]*)\)", text)
    assert named is not None
    words = set(re.findall(r"`(\w+)`", named[1]))
    assert words == {outcome.word for outcome in rules.NOT_TRIED_AGAIN}
    assert limits.RETRIES == 3
    assert "up to three times" in text


def test_redirects_in_a_row_are_counted_as_the_page_says():
    """What each thing adds to the run."""
    rows = {plain(row[0]): row[1] for row in table(PAGE, "what follows")}
    for mode, count in rules.HOP_REDIRECTS.items():
        assert rows[mode.word].startswith(str(count)), mode
    assert rows["the provider's logout"].startswith(str(1 + limits.OP_REDIRECTS))
    assert Mode.FORM_POST not in rules.HOP_REDIRECTS
