"""The plan: as few hops as possible, and a reason in words for each decision."""

from __future__ import annotations

import pytest
from support.builders import NOW, a_chain, a_registry, an_app, an_entry

from chain_gateway.core.chain import Mode, Visit
from chain_gateway.core.ledger import Browser, Entry, Holding
from chain_gateway.core.plan import SILENT_HOPS, SignedIn, hops_of, plan_login, plan_logout

ALICE = SignedIn("alice", "s1", NOW)


def visited(decisions: tuple) -> list[str]:
    return [d.app.id for d in decisions if d.visited]


def browser(*entries: Entry) -> Browser:
    return Browser(b"B" * 16, ledger={entry.app: entry for entry in entries})


def test_a_first_login_visits_every_eager_app_in_the_operators_order() -> None:
    """Nothing is known, so all are walked."""
    assert visited(plan_login(a_chain(), {}, ALICE, now=NOW)) == ["shop", "news", "bank"]


@pytest.mark.parametrize(
    ("entry", "again"),
    [
        (an_entry(), False),
        (an_entry(sub="bob"), True),
        (an_entry(sid="s0"), True),
        (an_entry(auth_time=NOW - 10), True),
        (an_entry(holding=Holding.MAY_HOLD), True),
        (an_entry(holding=Holding.OWED), True),
        (an_entry(holding=Holding.NONE), True),
        (an_entry(since=NOW - 7 * 3600), True),
    ],
)
def test_a_fresh_session_of_the_same_sign_in_is_not_visited_again(entry: Entry, again: bool) -> None:
    """Another person, another session, a newer sign-in, doubt or age: the app is walked again."""
    decisions = plan_login(a_chain(), {"shop": entry}, ALICE, now=NOW)
    assert ("shop" in visited(decisions)) is again


def test_the_app_that_asks_is_visited_whatever_the_ledger_says() -> None:
    """It would not have asked if its session were there."""
    decisions = plan_login(a_chain(), {"shop": an_entry()}, ALICE, now=NOW, asking="shop")
    assert "shop" in visited(decisions)


def test_somebody_elses_session_is_replaced_even_at_a_lazy_app() -> None:
    """Bob signs in where Alice was: nowhere is anybody left signed in as Alice."""
    chain = a_chain(an_app("shop"), an_app("news", visit=Visit.LAZY))
    ledger = {"news": an_entry("news", sub="alice")}
    assert visited(plan_login(chain, ledger, SignedIn("bob", "s2", NOW), now=NOW)) == ["shop", "news"]
    outlived = {"news": an_entry("news", sub="alice", since=NOW - 13 * 3600)}
    assert visited(plan_login(chain, outlived, SignedIn("bob", "s2", NOW), now=NOW)) == ["shop"]


def test_lazy_and_recent_apps_wait_for_their_visit() -> None:
    """Lazy is never walked for others; recent only where this browser has been."""
    chain = a_chain(an_app("shop"), an_app("news", visit=Visit.LAZY), an_app("bank", visit=Visit.RECENT))
    assert visited(plan_login(chain, {}, ALICE, now=NOW)) == ["shop"]
    seen = {"bank": an_entry("bank", Holding.NONE)}
    assert visited(plan_login(chain, seen, ALICE, now=NOW)) == ["shop", "bank"]
    left_out = {"bank": an_entry("bank", Holding.NONE, sub="", sid="")}
    assert visited(plan_login(chain, left_out, ALICE, now=NOW)) == ["shop"]
    assert visited(plan_login(chain, {}, ALICE, now=NOW, asking="news")) == ["shop", "news"]


def test_a_silent_login_shows_no_page() -> None:
    """It visits the app that asked, or a few, by redirects alone."""
    decisions = plan_login(a_chain(), {}, ALICE, now=NOW, asking="bank", silent=True)
    assert [(d.app.id, d.mode) for d in decisions if d.visited] == [("bank", Mode.TWO_STEP)]
    many = plan_login(a_chain(*(an_app(f"a{i}") for i in range(9))), {}, ALICE, now=NOW, silent=True)
    assert len(visited(many)) == SILENT_HOPS


def test_a_logout_visits_only_where_a_session_is_or_may_be() -> None:
    """Held and possible sessions are walked, none and outlived ones are not."""
    known = browser(
        an_entry("shop"),
        an_entry("news", Holding.MAY_HOLD),
        an_entry("bank", Holding.NONE),
        an_entry("mail", since=NOW - 13 * 3600),
    )
    chain = a_chain(*(an_app(name) for name in ("shop", "news", "bank", "mail")))
    assert visited(plan_logout(chain, known, now=NOW)) == ["shop", "news"]


def test_a_logout_of_an_unknown_browser_visits_all() -> None:
    """Where the store knows nothing, every app may hold a session."""
    assert visited(plan_logout(a_chain(), None, now=NOW)) == ["shop", "news", "bank"]
    assert visited(plan_logout(a_chain(), browser(), now=NOW)) == ["shop", "news", "bank"]


@pytest.mark.parametrize("visit", list(Visit))
def test_only_a_line_says_that_an_app_holds_nothing(visit: Visit) -> None:
    """A memory that was lost leaves no trace of itself: an app without a line is visited once, and then has one."""
    chain = a_chain(an_app("shop"), an_app("news", visit=visit), an_app("bank", login=Mode.NONE))
    assert visited(plan_logout(chain, browser(an_entry("shop")), now=NOW)) == ["shop", "news"]
    after = browser(an_entry("shop", Holding.NONE), an_entry("news", Holding.NONE, sub="", sid=""))
    assert visited(plan_logout(chain, after, now=NOW)) == []


def test_what_is_owed_comes_first_and_external_apps_last() -> None:
    """An earlier sign-out that was not confirmed is made up for before anything else."""
    chain = a_chain(an_app("shop", logout=Mode.EXTERNAL, external_logout="x"), an_app("news"), an_app("bank"))
    known = browser(an_entry("shop"), an_entry("news"), an_entry("bank", Holding.OWED))
    assert visited(plan_logout(chain, known, now=NOW)) == ["bank", "news", "shop"]


def test_signed_out_means_out_of_apps_of_other_chains_too() -> None:
    """A session at a registered app outside this chain is ended as well, if this browser has one."""
    registry = a_registry(an_app("shop"), an_app("news"), an_app("bank"))
    known = browser(an_entry("shop"), an_entry("news", Holding.NONE), an_entry("bank"))
    decisions = plan_logout(a_chain(an_app("shop"), an_app("news")), known, now=NOW, others=registry.apps)
    assert visited(decisions) == ["shop", "bank"]


def test_one_app_alone() -> None:
    """`scope=app` visits that app even if the ledger doubts it, and no other."""
    known = browser(an_entry("shop"), an_entry("news", Holding.NONE))
    assert visited(plan_logout(a_chain(), known, now=NOW, only="news")) == ["news"]


def test_apps_that_take_no_hop_get_none_and_the_back_channel_comes_first() -> None:
    """`none` is left out; `back_channel` is told before the browser walks, as that takes its time."""
    chain = a_chain(an_app("shop", logout=Mode.NONE), an_app("news"), an_app("bank", logout=Mode.BACK_CHANNEL))
    known = browser(*(an_entry(name) for name in ("shop", "news", "bank")))
    assert visited(plan_logout(chain, known, now=NOW)) == ["bank", "news"]
    assert visited(plan_login(a_chain(an_app("shop", login=Mode.NONE)), {}, ALICE, now=NOW)) == []


@pytest.mark.parametrize(
    ("login", "mode"),
    [(Mode.FORM_POST, Mode.FORM_POST), (Mode.TWO_STEP, Mode.REDIRECT), (Mode.NONE, Mode.BACK_CHANNEL)],
)
@pytest.mark.parametrize("known", [None, browser(an_entry("bank", Holding.MAY_HOLD, sid=""))])
def test_a_session_without_a_name_is_ended_by_a_hop(known: Browser | None, login: Mode, mode: Mode) -> None:
    """A logout token must name a session; where none is known, the app sees for itself what the browser has."""
    chain = a_chain(an_app("bank", login=login, logout=Mode.BACK_CHANNEL))
    assert [(d.visited, d.mode) for d in plan_logout(chain, known, now=NOW)] == [(True, mode)]


def test_hops_carry_the_policy_of_their_apps() -> None:
    """What a hop does when it fails travels with the walk."""
    decisions = plan_login(a_chain(an_app("shop", required=True, retries=3)), {}, ALICE, now=NOW)
    hop = hops_of(decisions)[0]
    assert (hop.tag, hop.mode, hop.required, hop.retries) == (an_app("shop").tag, Mode.FORM_POST, True, 3)


@pytest.mark.parametrize(
    ("entry", "mode"),
    [
        (an_entry(), Mode.TWO_STEP),
        (an_entry(sid="s0"), Mode.TWO_STEP),
        (an_entry(since=NOW - 7 * 3600), Mode.TWO_STEP),
        (an_entry(since=NOW - 13 * 3600), Mode.FORM_POST),
        (an_entry(sub="bob"), Mode.FORM_POST),
        (an_entry(auth_time=NOW - 10), Mode.FORM_POST),
        (an_entry(holding=Holding.MAY_HOLD), Mode.FORM_POST),
        (an_entry(holding=Holding.NONE), Mode.FORM_POST),
    ],
)
def test_an_app_that_holds_the_same_sign_in_is_shown_its_own_cookies(entry: Entry, mode: Mode) -> None:
    """By two_step it deletes what it replaces; posted tickets would pile up sessions until its server refuses (T35)."""
    decisions = plan_login(a_chain(), {"shop": entry}, ALICE, now=NOW, asking="shop")
    assert decisions[0].visited
    assert decisions[0].mode is mode


@pytest.mark.parametrize(
    ("entry", "passed"),
    [
        (an_entry(holding=Holding.NONE), True),
        (an_entry(holding=Holding.OWED), True),
        (an_entry(holding=Holding.NONE, sub="", sid=""), True),
        (an_entry(holding=Holding.NONE, sub="bob"), False),
        (an_entry(holding=Holding.OWED, sub="bob"), False),
        (an_entry(holding=Holding.MAY_HOLD), False),
        (an_entry(holding=Holding.NONE, epoch=NOW * 1000 - 1), False),
        (an_entry(holding=Holding.NONE, since=NOW - 1), False),
    ],
)
def test_a_login_leaves_an_app_out_that_signed_out_after_it_had_begun(entry: Entry, passed: bool) -> None:
    """An older sign-out, by its epoch or by the clock, does not count; nor does what is owed for somebody else."""
    decisions = plan_login(a_chain(), {"shop": entry}, ALICE, now=NOW, asking="shop", since_ms=NOW * 1000)
    assert ("shop" not in visited(decisions)) is passed
