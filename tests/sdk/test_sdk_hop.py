"""What the app says to a ticket, as tables."""

from dataclasses import replace

import pytest
from support.sdk_builders import BIND, LIFE, NOW, a_session, a_ticket, a_tombstone, a_visit

from chain_gateway.core.limits import EPOCH_AHEAD_MS
from chain_gateway.sdk.hop import CLAIMS_BYTES, LATE_SECONDS, Verdict, answer, bind_hash, repeat
from chain_gateway.sdk.session import BIND_COOKIE, EVERYBODY
from chain_gateway.tokens.receipt import ReceiptOutcome
from chain_gateway.tokens.ticket import Act

s, t = a_session, a_tombstone
CNF = bind_hash(BIND)
S, T = "__Host-chain-s-", "__Host-chain-t-"

LOGIN = [
    ("nothing there", (), "applied", ()),
    ("an older session goes", (s(5),), "applied", (f"{S}5",)),
    ("an older session of another browser goes too", (s(5, "them"),), "applied", (f"{S}5",)),
    ("the session of the same walk is made again", (s(10),), "applied", ()),
    ("a session of the same epoch of another browser", (s(10, "them"),), "stale", ()),
    ("a newer session", (s(11),), "stale", ()),
    ("a newer session that has run out is newer all the same", (s(11, exp=NOW - 1),), "stale", ()),
    ("an older tombstone stays", (t(9),), "applied", ()),
    ("a tombstone of the same epoch", (t(10),), "stale", ()),
    ("a newer tombstone", (t(11),), "stale", ()),
    ("a newer tombstone against everybody", (t(11, EVERYBODY),), "stale", ()),
    ("a newer tombstone of another browser is not its concern", (t(11, "them"),), "applied", ()),
]


@pytest.mark.parametrize(("why", "cookies", "outcome", "deleted"), LOGIN, ids=[row[0] for row in LOGIN])
def test_a_login_is_applied_unless_something_newer_is_shown(why, cookies, outcome, deleted):
    """Each row, by two_step: the cookies shown, the outcome, and the cookies deleted beside the bind cookie."""
    said = answer(a_visit(a_ticket(cnf=CNF), *cookies, bind=BIND), LIFE)
    assert said.outcome == outcome
    assert said.delete == (*deleted, BIND_COOKIE)
    assert (said.session is not None) == (outcome == "applied")
    assert said.tombstone is None


def test_a_login_makes_the_session_of_its_ticket():
    """What the provider said is in the session, with the ticket's epoch, browser and jti, for the app's own time."""
    ticket = a_ticket(auth_time=NOW - 9, acr="mfa", claims={"email": "alice@example.com"})
    made = answer(a_visit(ticket, posted=True), LIFE).session
    assert (made.epoch, made.bid, made.jti, made.sub, made.sid) == (10, "me", "login-10", "alice", "sid-1")
    assert (made.auth_time, made.acr, made.claims) == (NOW - 9, "mfa", {"email": "alice@example.com"})
    assert (made.iat, made.exp) == (NOW, NOW + LIFE)


def test_a_login_whose_sid_was_ended_meanwhile_is_stale():
    """A logout that came by the back channel counts, though no cookie of it is there."""
    visit = a_visit(a_ticket(), posted=True)
    assert answer(replace(visit, revoked=10), LIFE).outcome == "stale"
    assert answer(replace(visit, revoked=9), LIFE).outcome == "applied"


REFUSED = [
    ("a login in a URL that nothing ties to this browser", a_visit(a_ticket()), "unbound"),
    ("a bind without its cookie", a_visit(a_ticket(cnf=CNF)), "bind"),
    ("a bind with another cookie", a_visit(a_ticket(cnf=CNF), bind="c" * 43), "bind"),
    ("a posted ticket with a bind that does not match", a_visit(a_ticket(cnf=CNF), posted=True), "bind"),
    ("a logout with another cookie", a_visit(a_ticket(Act.LOGOUT, cnf=CNF), bind="c" * 43), "bind"),
    ("a begin where a ticket belongs", a_visit(a_ticket(Act.BEGIN), posted=True), "act"),
]


@pytest.mark.parametrize(("why", "visit", "reason"), REFUSED, ids=[row[0] for row in REFUSED])
def test_a_ticket_that_is_not_tied_to_this_browser_sets_nothing(why, visit, reason):
    """T08, T12: refused with its reason, spending nothing."""
    said = answer(visit, LIFE)
    assert (said.outcome, said.reason, said.spends, said.delete) == ("refused", reason, False, ())


@pytest.mark.parametrize("act", [Act.LOGIN, Act.LOGOUT])
def test_an_epoch_far_ahead_of_the_clock_is_refused(act):
    """T29: an absurd number must not lock the browser out; five minutes are borne."""
    limit = NOW * 1000 + EPOCH_AHEAD_MS
    said = answer(a_visit(a_ticket(act, limit + 1), posted=True), LIFE)
    assert (said.outcome, said.reason, said.spends) == ("refused", "epoch_ahead", False)
    assert answer(a_visit(a_ticket(act, limit), posted=True), LIFE).outcome == "applied"


def test_a_doubled_cookie_name_is_refused():
    """T11: of two cookies of one name nobody knows which is ours."""
    visit = a_visit(a_ticket(), posted=True)
    said = answer(replace(visit, shown=replace(visit.shown, doubled=True)), LIFE)
    assert (said.outcome, said.reason, said.spends) == ("refused", "doubled_cookie", False)


def test_claims_that_no_cookie_holds_are_an_error():
    """The session would not fit: the gateway is told so, and the browser keeps what it has."""
    said = answer(a_visit(a_ticket(claims={"groups": "g" * CLAIMS_BYTES}), s(5), posted=True), LIFE)
    assert (said.outcome, said.reason, said.spends, said.delete) == ("error", "claims_too_big", False, ())


LOGOUT = [
    ("nothing there", (), "absent", ()),
    ("its session", (s(5),), "applied", (f"{S}5",)),
    ("several of its sessions", (s(5), s(7)), "applied", (f"{S}5", f"{S}7")),
    ("an older tombstone of its own gives way", (t(4), s(5)), "applied", (f"{S}5", f"{T}4")),
    ("an older tombstone of another browser stays", (t(4, "them"),), "absent", ()),
    ("an older tombstone against everybody stays", (t(4, EVERYBODY),), "absent", ()),
    ("a newer tombstone stays", (t(11),), "absent", ()),
    ("a newer session", (s(11),), "stale", ()),
    ("a newer session of another browser", (s(11, "them"),), "stale", ()),
    ("another browser's session that is dead already", (s(5, "them"), t(6, "them")), "absent", ()),
]


@pytest.mark.parametrize(("why", "cookies", "outcome", "deleted"), LOGOUT, ids=[row[0] for row in LOGOUT])
def test_an_unbound_logout_acts_on_its_own_browser_alone(why, cookies, outcome, deleted):
    """T61, each row, by redirect: the outcome, what is deleted; a tombstone of its own ``bid`` is left every time."""
    said = answer(a_visit(a_ticket(Act.LOGOUT), *cookies), LIFE)
    assert (said.outcome, said.delete) == (outcome, deleted)
    assert (said.tombstone.epoch, said.tombstone.bid, said.tombstone.exp) == (10, "me", NOW + LIFE + LATE_SECONDS)


STRANGERS = [
    ("an older session", (s(5, "them"),)),
    ("a session of the same epoch", (s(10, "them"),)),
    ("its own session beside it", (s(7), s(5, "them"))),
    ("a tombstone under the same name", (t(10, "them"),)),
    ("a jar that somebody fills with theirs", tuple(t(n, f"them-{n}") for n in range(1, 5))),
]


@pytest.mark.parametrize(("why", "cookies"), STRANGERS, ids=[row[0] for row in STRANGERS])
def test_an_unbound_logout_that_meets_another_browser_is_refused(why, cookies):
    """T61: the gateway has to come by two_step; until then nothing is set and nothing ends."""
    said = answer(a_visit(a_ticket(Act.LOGOUT), *cookies), LIFE)
    assert (said.outcome, said.reason) == ("refused", "other_browser")
    assert (said.tombstone, said.delete, said.ended) == (None, (), ())


BOUND = [
    ("nothing there", (), "absent", ()),
    ("sessions of anybody", (s(5, "them"), s(7)), "applied", (f"{S}5", f"{S}7")),
    ("older tombstones of anybody", (t(4, "them"), t(5)), "absent", (f"{T}4", f"{T}5")),
    ("a newer session", (s(11),), "stale", ()),
]


@pytest.mark.parametrize(("why", "cookies", "outcome", "deleted"), BOUND, ids=[row[0] for row in BOUND])
def test_a_bound_logout_ends_everybody_of_this_browser(why, cookies, outcome, deleted):
    """Each row, by two_step: the outcome, and what is deleted beside the bind cookie; the tombstone counts for all."""
    said = answer(a_visit(a_ticket(Act.LOGOUT, cnf=CNF), *cookies, bind=BIND), LIFE)
    assert (said.outcome, said.delete) == (outcome, (*deleted, BIND_COOKIE))
    assert (said.tombstone.epoch, said.tombstone.bid) == (10, EVERYBODY)


def test_a_posted_logout_buries_what_it_cannot_see():
    """On a cross-site POST the cookies stay at home: the tombstone ends whatever there is, and that is applied."""
    said = answer(a_visit(a_ticket(Act.LOGOUT), posted=True), LIFE)
    assert (said.outcome, said.tombstone.bid) == ("applied", EVERYBODY)


def test_a_tombstone_never_narrows_the_one_under_its_name():
    """A logout made again by redirect after two_step keeps counting against everybody."""
    said = answer(a_visit(a_ticket(Act.LOGOUT), t(10, EVERYBODY)), LIFE)
    assert said.tombstone.bid == EVERYBODY


def test_a_logout_names_the_sids_that_it_ends():
    """The ticket's own, and those of the sessions it found; each once."""
    said = answer(a_visit(a_ticket(Act.LOGOUT, sid="sid-1"), s(5), s(7, sid="sid-2")), LIFE)
    assert said.ended == ("sid-1", "sid-2")


APPLIED = Verdict(ReceiptOutcome.APPLIED, "", NOW - 20)
AGAIN = [
    ("the session that it set", a_visit(a_ticket(), s(10), posted=True), "applied"),
    ("the bind cookie", a_visit(a_ticket(cnf=CNF), bind=BIND), "applied"),
    ("no cookie", a_visit(a_ticket(), posted=True), "used"),
    ("a session that another ticket set", a_visit(a_ticket(), s(9), posted=True), "used"),
    ("another bind cookie", a_visit(a_ticket(cnf=CNF), bind="c" * 43), "bind"),
    ("the tombstone that it set", a_visit(a_ticket(Act.LOGOUT), t(10)), "applied"),
    ("the session that it ends", a_visit(a_ticket(Act.LOGOUT), s(5)), "applied"),
    ("no cookie at a logout", a_visit(a_ticket(Act.LOGOUT)), "used"),
    ("another browser's session at a logout", a_visit(a_ticket(Act.LOGOUT), s(5, "them")), "used"),
    ("a tombstone of another logout", a_visit(a_ticket(Act.LOGOUT), t(9)), "used"),
]


@pytest.mark.parametrize(("why", "visit", "word"), AGAIN, ids=[row[0] for row in AGAIN])
def test_a_spent_ticket_gets_the_same_answer_from_the_same_browser_alone(why, visit, word):
    """T12, T57, each row: what the second request shows; else refused as used, setting nothing."""
    said = repeat(visit, LIFE, APPLIED)
    assert word in {said.outcome, said.reason}
    assert said.spends == (word == "applied")


def test_the_same_answer_does_not_make_the_session_younger():
    """A repetition sets the session with the times of the first answer."""
    said = repeat(a_visit(a_ticket(), s(10), posted=True), LIFE, APPLIED)
    assert (said.session.iat, said.session.exp) == (NOW - 20, NOW - 20 + LIFE)


def test_a_repeated_stale_logout_says_stale_again():
    """The outcome is that of the first answer, whatever has changed since."""
    first = Verdict(ReceiptOutcome.STALE, "", NOW)
    assert repeat(a_visit(a_ticket(Act.LOGOUT), t(10)), LIFE, first).outcome == "stale"
