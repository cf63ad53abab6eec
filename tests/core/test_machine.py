"""The machine: every pair of a place and an event has a defined answer, and every walk ends."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.builders import NOW, a_walk

from chain_gateway.core.actions import Finish, Present, SendAway, SendBegin, SendTicket, SendToOp, Settle, ShowPause
from chain_gateway.core.chain import Mode
from chain_gateway.core.events import (
    EVENTS,
    Abandoned,
    Bound,
    CameBack,
    Continued,
    DeadlinePassed,
    Event,
    HopFailed,
    OpReturned,
    Overtaken,
    Proceed,
    Receipted,
)
from chain_gateway.core.limits import RETRIES
from chain_gateway.core.machine import step
from chain_gateway.core.table import TABLE
from chain_gateway.core.walk import Hops, Kind, OpLogout, Outcome, Place, Walk

SAMPLES: dict[type[Event], Event] = {
    Proceed: Proceed(),
    Bound: Bound("x" * 43),
    Receipted: Receipted(Outcome.APPLIED),
    HopFailed: HopFailed(Outcome.ERROR, "no_receipt"),
    CameBack: CameBack(),
    OpReturned: OpReturned(),
    Continued: Continued(),
    Abandoned: Abandoned(),
    DeadlinePassed: DeadlinePassed(),
    Overtaken: Overtaken(),
}
PAIRS = [(place, event) for place in Place for event in EVENTS]


def at(walk: Walk, place: Place) -> Walk:
    return walk._replace(place=place)


@pytest.mark.parametrize(("place", "event"), PAIRS, ids=[f"{p.name}-{e.__name__}" for p, e in PAIRS])
def test_every_pair_has_a_defined_answer(place: Place, event: type[Event]) -> None:
    """A pair with rows moves the walk to a place that one of the rows names; a pair without changes nothing."""
    walk = at(a_walk(op=OpLogout.UNPROVEN, kind=Kind.LOGOUT), place)
    after, actions = step(walk, SAMPLES[event], NOW)
    if (place, event) in TABLE:
        assert actions
        assert after.place is not Place.READY
    else:
        assert after == walk
        assert actions == (Present(),)


@pytest.mark.parametrize("place", [p for p in Place if p.ended])
@pytest.mark.parametrize("event", EVENTS)
def test_nothing_leaves_an_end(place: Place, event: type[Event]) -> None:
    """A walk that has ended stays as it ended, whatever comes late."""
    walk = at(a_walk(), place)
    assert step(walk, SAMPLES[event], NOW) == (walk, (Present(),))
    assert step(walk, SAMPLES[event], NOW + 10_000) == (walk, (Present(),))


def test_the_last_row_of_every_pair_always_fits() -> None:
    """No event falls through: the guard of each pair's last row holds for any walk."""
    for rows in TABLE.values():
        assert rows[-1].guard.__name__ == "always"
        assert all(row.guard.__name__ != "always" for row in rows[:-1])


def test_a_login_walks_every_app_in_order_and_ends() -> None:
    """Three receipts make a walk of three hops done, each settled at its own index."""
    walk, actions = step(a_walk(), Proceed(), NOW)
    for index in range(3):
        assert actions[-1] == SendTicket()
        assert walk.cursor == index
        walk, actions = step(walk, Receipted(Outcome.APPLIED), NOW)
        assert actions[0] == Settle(index, Outcome.APPLIED)
    assert actions[-1] == Finish()
    assert walk.place is Place.DONE


def test_a_walk_without_hops_ends_at_once() -> None:
    """Nothing to visit is done, not stuck."""
    walk, actions = step(a_walk()._replace(hops=Hops(b"", b"")), Proceed(), NOW)
    assert (walk.place, actions) == (Place.DONE, (Finish(),))


def test_two_step_binds_before_it_tells() -> None:
    """The ticket goes out only after the bind, and carries it."""
    walk, actions = step(a_walk(Mode.TWO_STEP), Proceed(), NOW)
    assert (walk.place, actions) == (Place.BINDING, (SendBegin(),))
    walk, actions = step(walk, Bound("h" * 43), NOW)
    assert (walk.place, actions) == (Place.VISITING, (SendTicket("h" * 43),))


def test_an_applied_receipt_for_a_begin_ticket_is_an_error() -> None:
    """A good word in the wrong place settles nothing as done."""
    walk, _ = step(a_walk(Mode.TWO_STEP, retries=0), Proceed(), NOW)
    walk, actions = step(walk, Receipted(Outcome.APPLIED), NOW)
    assert actions[0] == Settle(0, Outcome.ERROR)
    assert walk.hops.outcome(0) is Outcome.ERROR


def test_absent_is_no_answer_to_a_login() -> None:
    """`absent` says that there was nothing to sign out of; as an answer to a login it is an error."""
    walk, _ = step(a_walk(retries=0), Proceed(), NOW)
    _, actions = step(walk, Receipted(Outcome.ABSENT), NOW)
    assert actions[0] == Settle(0, Outcome.ERROR)


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.ERROR])
def test_a_failed_hop_is_tried_again_as_often_as_its_policy_says(outcome: Outcome) -> None:
    """Two retries make three visits, then the walk goes on without the app."""
    walk, actions = step(a_walk(Mode.FORM_POST, Mode.FORM_POST, retries=2), Proceed(), NOW)
    visits = 0
    while walk.cursor == 0:
        visits += 1
        walk, actions = step(walk, Receipted(outcome, "busy"), NOW)
    assert visits == 3
    assert actions[0] == Settle(0, outcome)
    assert walk.place is Place.VISITING


@pytest.mark.parametrize("outcome", [Outcome.UNREACHABLE, Outcome.SKIPPED, Outcome.TIMED_OUT])
def test_what_a_retry_cannot_help_is_not_retried(outcome: Outcome) -> None:
    """An app that this browser cannot reach, or that its person skipped, is left out at once."""
    walk, _ = step(a_walk(retries=3), Proceed(), NOW)
    walk, actions = step(walk, HopFailed(outcome), NOW)
    assert actions[0] == Settle(0, outcome)
    assert walk.cursor == 1


def test_a_required_app_ends_a_login_but_never_a_logout() -> None:
    """`required` aborts a login after its retries; a logout goes on to the apps that remain."""
    walk, _ = step(a_walk(required=True, retries=0), Proceed(), NOW)
    walk, actions = step(walk, Receipted(Outcome.ERROR), NOW)
    assert walk.place is Place.ABORTED
    assert actions[-1] == Finish()
    walk, _ = step(a_walk(Mode.REDIRECT, Mode.REDIRECT, kind=Kind.LOGOUT, required=True, retries=0), Proceed(), NOW)
    walk, actions = step(walk, Receipted(Outcome.ERROR), NOW)
    assert walk.place is Place.VISITING
    assert walk.cursor == 1


def test_other_browser_is_answered_by_two_step_once() -> None:
    """A logout refused for another browser id is made again by a bound ticket, and that refusal is final."""
    walk, _ = step(a_walk(Mode.REDIRECT, kind=Kind.LOGOUT, retries=0), Proceed(), NOW)
    walk, actions = step(walk, Receipted(Outcome.REFUSED, "other_browser"), NOW)
    assert (walk.place, actions) == (Place.BINDING, (SendBegin(),))
    walk, _ = step(walk, Bound("h" * 43), NOW)
    walk, actions = step(walk, Receipted(Outcome.REFUSED, "other_browser"), NOW)
    assert actions == (Settle(0, Outcome.REFUSED), Finish())


def test_a_used_ticket_is_replaced_a_bounded_number_of_times() -> None:
    """`used` gets a new ticket even without retries, but not for ever."""
    walk, _ = step(a_walk(Mode.FORM_POST, retries=0), Proceed(), NOW)
    for _ in range(RETRIES):
        walk, _ = step(walk, Receipted(Outcome.REFUSED, "used"), NOW)
        assert walk.place is Place.VISITING
    walk, _ = step(walk, Receipted(Outcome.REFUSED, "used"), NOW)
    assert walk.place is Place.DONE


@pytest.mark.parametrize(("op", "first"), [(OpLogout.FIRST, SendToOp), (OpLogout.LAST, SendTicket)])
def test_the_providers_logout_comes_when_it_is_configured(op: OpLogout, first: type) -> None:
    """Before the apps or after them, once, and unproven by the return alone."""
    walk, actions = step(a_walk(Mode.REDIRECT, kind=Kind.LOGOUT, op=op), Proceed(), NOW)
    assert isinstance(actions[-1], first)
    seen = 0
    while not walk.place.ended:
        seen += walk.place is Place.AT_OP
        event: Event = OpReturned() if walk.place is Place.AT_OP else Receipted(Outcome.APPLIED)
        walk, actions = step(walk, event, NOW)
    assert seen == 1
    assert walk.op is OpLogout.UNPROVEN


def test_an_external_app_is_never_proven() -> None:
    """Its return counts as unproven, whatever it did."""
    walk, actions = step(a_walk(Mode.EXTERNAL), Proceed(), NOW)
    assert (walk.place, actions[-1]) == (Place.AWAY, SendAway())
    walk, _ = step(walk, CameBack(), NOW)
    assert walk.hops.outcome(0) is Outcome.UNPROVEN


def test_an_app_of_the_back_channel_is_told_without_a_hop() -> None:
    """It is settled at once as told, which is neither proven nor failed, and the browser goes to the next one."""
    walk, actions = step(a_walk(Mode.BACK_CHANNEL, Mode.REDIRECT, kind=Kind.LOGOUT), Proceed(), NOW)
    assert actions == (Settle(0, Outcome.TOLD), SendTicket())
    assert walk.cursor == 1
    assert not Outcome.TOLD.proven
    assert not Outcome.TOLD.failed


@pytest.mark.parametrize("budget", [6, 10, 15, 19])
@pytest.mark.parametrize("mode", [Mode.REDIRECT, Mode.TWO_STEP])
def test_a_page_comes_before_the_budget_is_exceeded(budget: int, mode: Mode) -> None:
    """Redirects in a row never exceed the budget over a hundred hops, and the return URL is counted too."""
    walk, actions = step(a_walk(*(mode,) * 100, kind=Kind.LOGOUT, budget=budget), Proceed(), NOW)
    pauses = 0
    while not walk.place.ended:
        assert walk.redirects <= budget
        pauses += isinstance(actions[-1], ShowPause)
        events: dict[Place, Event] = {
            Place.BINDING: Bound("h" * 43),
            Place.VISITING: Receipted(Outcome.APPLIED),
            Place.PAUSED: Continued(),
        }
        walk, actions = step(walk, events[walk.place], NOW)
    assert walk.redirects + 1 <= budget
    assert pauses


def test_a_run_that_began_with_a_form_does_not_leave_the_registry() -> None:
    """Before an external app, or the provider, a page comes: Chromium holds the form's CSP against every redirect."""
    walk, _ = step(a_walk(Mode.FORM_POST, Mode.EXTERNAL), Proceed(), NOW)
    walk, actions = step(walk, Receipted(Outcome.APPLIED), NOW)
    assert actions[-1] == ShowPause()
    walk, actions = step(walk, Continued(), NOW)
    assert actions[-1] == SendAway()


def test_a_walk_past_its_time_ends_with_everything_settled() -> None:
    """What is still pending when the walk's time is over is told as timed out, each app once."""
    walk, _ = step(a_walk(), Proceed(), NOW)
    walk, _ = step(walk, Receipted(Outcome.APPLIED), NOW)
    walk, actions = step(walk, Receipted(Outcome.APPLIED), NOW + 900)
    assert walk.place is Place.EXPIRED
    assert actions == (Settle(1, Outcome.TIMED_OUT), Settle(2, Outcome.TIMED_OUT), Finish())
    assert [walk.hops.outcome(i) for i in range(3)] == [Outcome.APPLIED, Outcome.TIMED_OUT, Outcome.TIMED_OUT]


def test_a_person_can_end_a_walk_here() -> None:
    """What is still pending is skipped, each app once, and the walk is done."""
    walk, _ = step(a_walk(kind=Kind.LOGOUT), Proceed(), NOW)
    walk, _ = step(walk, Receipted(Outcome.APPLIED), NOW)
    walk, actions = step(walk, Abandoned(), NOW)
    assert walk.place is Place.DONE
    assert actions == (Settle(1, Outcome.SKIPPED), Settle(2, Outcome.SKIPPED), Finish())


EVENT = st.one_of(
    st.just(Proceed()),
    st.just(Bound("h" * 43)),
    st.builds(
        Receipted,
        st.sampled_from([Outcome.APPLIED, Outcome.ABSENT, Outcome.STALE, Outcome.REFUSED, Outcome.ERROR]),
        st.sampled_from(["", "used", "other_browser", "busy"]),
    ),
    st.builds(
        HopFailed,
        st.sampled_from([Outcome.ERROR, Outcome.UNREACHABLE, Outcome.SKIPPED, Outcome.TIMED_OUT, Outcome.GONE]),
    ),
    st.just(CameBack()),
    st.just(OpReturned()),
    st.just(Continued()),
)
MODES = st.lists(st.sampled_from([Mode.FORM_POST, Mode.TWO_STEP, Mode.REDIRECT, Mode.EXTERNAL]), min_size=1, max_size=5)


@settings(max_examples=400)
@given(
    modes=MODES,
    events=st.lists(EVENT, max_size=60),
    kind=st.sampled_from(Kind),
    op=st.sampled_from([OpLogout.NONE, OpLogout.FIRST, OpLogout.LAST]),
    retries=st.integers(0, 3),
    required=st.booleans(),
    silent=st.booleans(),
)
def test_whatever_happens_no_step_undoes_what_was_settled(
    modes: list[Mode], events: list[Event], kind: Kind, op: OpLogout, retries: int, required: bool, silent: bool
) -> None:
    """Outcomes are set once, the cursor never goes back, and only a valid receipt makes an app proven."""
    walk = a_walk(*modes, kind=kind, op=op, retries=retries, required=required, silent=silent)
    walk, _ = step(walk, Proceed(), NOW)
    for event in events:
        before = walk
        walk, actions = step(walk, event, NOW)
        assert walk.cursor >= before.cursor
        for index in range(len(walk.hops)):
            old, new = before.hops.outcome(index), walk.hops.outcome(index)
            assert old in {Outcome.PENDING, new}
            if old is Outcome.PENDING and new.proven:
                assert isinstance(event, Receipted)
                assert before.place is Place.VISITING
                assert index == before.cursor
        assert actions


@settings(max_examples=200)
@given(
    modes=MODES, kind=st.sampled_from(Kind), answers=st.lists(EVENT, min_size=1, max_size=8), retries=st.integers(0, 3)
)
def test_every_walk_ends(modes: list[Mode], kind: Kind, answers: list[Event], retries: int) -> None:
    """However the apps answer, a walk that is answered at each hop ends after a bounded number of answers."""
    walk, _ = step(a_walk(*modes, kind=kind, retries=retries), Proceed(), NOW)
    for turn in range(len(modes) * (2 * RETRIES + 8) + 8):
        if walk.place.ended:
            return
        fitting: dict[Place, Event] = {Place.PAUSED: Continued(), Place.AT_OP: OpReturned(), Place.AWAY: CameBack()}
        answer = answers[turn % len(answers)]
        if walk.place is Place.BINDING and isinstance(answer, Bound | HopFailed | Receipted):
            event: Event = answer
        elif walk.place is Place.VISITING and isinstance(answer, HopFailed | Receipted):
            event = answer
        else:
            event = fitting.get(walk.place, HopFailed(Outcome.TIMED_OUT))
        walk, _ = step(walk, event, NOW)
    assert walk.place.ended
