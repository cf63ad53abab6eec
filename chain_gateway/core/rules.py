"""The guards and effects that ``core.table`` names: every rule about policy, redirect budget and the end of a walk."""

from __future__ import annotations

from typing import Final

from chain_gateway.core.actions import (
    Action,
    Finish,
    SendAway,
    SendBegin,
    SendTicket,
    SendToOp,
    Settle,
    ShowPause,
)
from chain_gateway.core.chain import Mode
from chain_gateway.core.events import Bound, Event, HopFailed, Proceed, Receipted
from chain_gateway.core.limits import EXTERNAL_REDIRECTS, OP_REDIRECTS, RETRIES
from chain_gateway.core.walk import OUT, Hops, Kind, OpLogout, Outcome, Walk

Change = tuple[Walk, tuple[Action, ...]]
PROCEED: Final = Proceed()

HOP_REDIRECTS: Final = {
    Mode.REDIRECT: 2,
    Mode.TWO_STEP: 4,
    Mode.EXTERNAL: 1 + EXTERNAL_REDIRECTS,
}
"""Redirects in a row that a hop of each mode makes; a ``form_post`` hop is a page and needs none."""

NOT_TRIED_AGAIN: Final = frozenset({Outcome.UNREACHABLE, Outcome.SKIPPED, Outcome.TIMED_OUT})


def always(walk: Walk, event: Event) -> bool:
    """The guard of the last row of a pair."""
    return True


def op_is_due(walk: Walk, event: Event) -> bool:
    """The provider's logout comes now: before the first hop, or after the last."""
    return walk.op is OpLogout.FIRST or (walk.op is OpLogout.LAST and walk.through)


def is_through(walk: Walk, event: Event) -> bool:
    """No hop is left."""
    return walk.through


def is_back_channel(walk: Walk, event: Event) -> bool:
    """The next app is told over the back channel, without a hop of the browser."""
    return walk.mode is Mode.BACK_CHANNEL


def is_external(walk: Walk, event: Event) -> bool:
    """The next hop goes to an app without the SDK."""
    return walk.mode is Mode.EXTERNAL


def is_two_step(walk: Walk, event: Event) -> bool:
    """The next hop proves the browser by a cookie of the app's own first."""
    return walk.mode is Mode.TWO_STEP


def next_redirects(walk: Walk) -> int:
    """How many redirects in a row the next thing adds to the run."""
    if op_is_due(walk, PROCEED):
        return 1 + OP_REDIRECTS
    if walk.through:
        return 1
    return HOP_REDIRECTS.get(walk.mode, 0)


def leaves_registry(walk: Walk) -> bool:
    """Whether the next thing passes through hosts that nobody listed: an external app's provider, or ours."""
    return op_is_due(walk, PROCEED) or walk.mode is Mode.EXTERNAL


def needs_page(walk: Walk, event: Event) -> bool:
    """A page must come first: the run would exceed the budget, or began with a form whose targets are all named.

    Chromium holds a page's ``form-action`` against every redirect after the POST, so a run that began with a form must
    not pass through hosts that the page could not name.
    """
    if walk.silent or not walk.redirects:
        return False
    return walk.redirects + next_redirects(walk) > walk.budget or (walk.form_run and leaves_registry(walk))


def is_answered(walk: Walk, event: Event) -> bool:
    """The app did what was asked, had nothing to do, or has seen something newer."""
    if not isinstance(event, Receipted):
        return False
    return event.outcome in {Outcome.APPLIED, Outcome.STALE} or (
        event.outcome is Outcome.ABSENT and walk.kind is Kind.LOGOUT
    )


def is_other_browser(walk: Walk, event: Event) -> bool:
    """A logout by plain redirect met a session of another browser id; only a bound ticket can tell."""
    return (
        isinstance(event, Receipted)
        and event.reason == "other_browser"
        and walk.kind is Kind.LOGOUT
        and walk.mode is Mode.REDIRECT
    )


def is_used(walk: Walk, event: Event) -> bool:
    """The ticket had been applied before by somebody who could not be recognised; a new one settles it."""
    return isinstance(event, Receipted) and event.reason == "used" and not walk.silent and walk.attempt < RETRIES


def may_try_again(walk: Walk, event: Event) -> bool:
    """The app's policy allows another try, and another try could help."""
    helps = isinstance(event, Receipted | HopFailed) and event.outcome not in NOT_TRIED_AGAIN
    return helps and not walk.silent and walk.mode is not Mode.EXTERNAL and walk.attempt < walk.hop.retries


def ends_the_login(walk: Walk, event: Event) -> bool:
    """A required app failed at login; no app can keep a logout from going on."""
    return walk.hop.required and walk.kind is Kind.LOGIN


def pause(walk: Walk, event: Event) -> Change:
    """A page is shown."""
    return walk, (ShowPause(),)


def start_run(walk: Walk, event: Event) -> Change:
    """A page was shown: the count of redirects begins anew."""
    return walk._replace(redirects=0, form_run=False), ()


def send_to_op(walk: Walk, event: Event) -> Change:
    """The browser leaves for the provider's logout."""
    return walk._replace(redirects=walk.redirects + 1 + OP_REDIRECTS), (SendToOp(),)


def op_unproven(walk: Walk, event: Event) -> Change:
    """Back from the provider, which may have kept the session all the same."""
    return walk._replace(op=OpLogout.UNPROVEN), ()


def op_failed(walk: Walk, event: Event) -> Change:
    """The provider's logout could not be made."""
    return walk._replace(op=OpLogout.FAILED), ()


def send_away(walk: Walk, event: Event) -> Change:
    """The browser leaves for an app without the SDK."""
    return walk._replace(redirects=walk.redirects + HOP_REDIRECTS[Mode.EXTERNAL]), (SendAway(),)


def send_begin(walk: Walk, event: Event) -> Change:
    """The first of the two steps.

    Both are counted: a hop that ends after the first leads no further than the page before the run has named.
    """
    return walk._replace(redirects=walk.redirects + HOP_REDIRECTS[Mode.TWO_STEP]), (SendBegin(),)


def send_ticket(walk: Walk, event: Event) -> Change:
    """The ticket goes out, on a page or by a redirect."""
    if walk.mode is Mode.FORM_POST:
        return walk._replace(redirects=1, form_run=True), (SendTicket(),)
    return walk._replace(redirects=walk.redirects + 2), (SendTicket(),)


def send_bound_ticket(walk: Walk, event: Event) -> Change:
    """The second of the two steps: the ticket carries what the app's own cookie must match."""
    cnf = event.value if isinstance(event, Bound) else ""
    return walk, (SendTicket(cnf),)


def left_out(walk: Walk) -> Walk:
    """``walk`` whose hop was to go out and will not: no other try, and another page in place of one that is not shown.

    That page is what the form before it was allowed to lead to, and where the count of redirects begins anew.
    """
    if not awaits_hop(walk):
        return walk
    if walk.mode is Mode.FORM_POST:
        walk = walk._replace(redirects=walk.budget)
    return walk._replace(attempt=RETRIES)


def try_again(walk: Walk, event: Event) -> Change:
    """The same hop once more, with a new ticket."""
    return walk._replace(attempt=walk.attempt + 1), ()


def prove_browser(walk: Walk, event: Event) -> Change:
    """The same hop once more, by ``two_step``."""
    return walk._replace(hops=walk.hops.with_mode(walk.cursor, Mode.TWO_STEP)), ()


def _settled(walk: Walk, outcome: Outcome) -> Change:
    hops = walk.hops.settled(walk.cursor, outcome)
    return walk._replace(hops=hops, cursor=walk.cursor + 1, attempt=0), (Settle(walk.cursor, outcome),)


def settle_receipt(walk: Walk, event: Event) -> Change:
    """What the receipt says is what came of the hop."""
    return _settled(walk, event.outcome if isinstance(event, Receipted) else Outcome.ERROR)


def settle_failed(walk: Walk, event: Event) -> Change:
    """The hop ends as failed and the walk goes on without it; a good word in the wrong place is an error."""
    outcome = event.outcome if isinstance(event, Receipted | HopFailed) else Outcome.ERROR
    return _settled(walk, outcome if outcome.failed else Outcome.ERROR)


def settle_unproven(walk: Walk, event: Event) -> Change:
    """Back from an app without the SDK: it may have done it."""
    return _settled(walk, Outcome.UNPROVEN)


def settle_told(walk: Walk, event: Event) -> Change:
    """The app is owed a logout, which the back channel delivers while the browser goes on."""
    return _settled(walk, Outcome.TOLD)


def finish(walk: Walk, event: Event) -> Change:
    """The walk is through."""
    return walk, (Finish(),)


def abort(walk: Walk, event: Event) -> Change:
    """The walk ends at a required app."""
    settled, actions = settle_failed(walk, event)
    return settled._replace(cursor=walk.cursor), (*actions, Finish())


def _rest(walk: Walk, outcome: Outcome) -> Change:
    """The walk ends; what is still pending is settled all the same, so that nothing is forgotten."""
    settles = tuple(Settle(i, outcome) for i in range(walk.cursor, len(walk.hops)) if not walk.hops.outcomes[i])
    outcomes = bytes(known or outcome for known in walk.hops.outcomes)
    return walk._replace(hops=Hops(walk.hops.plan, outcomes)), (*settles, Finish())


def expire(walk: Walk, event: Event) -> Change:
    """The walk's time is over: what is pending has timed out."""
    return _rest(walk, Outcome.TIMED_OUT)


def abandon(walk: Walk, event: Event) -> Change:
    """The person has had enough: what is pending is skipped."""
    return _rest(walk, Outcome.SKIPPED)


def give_way(walk: Walk, event: Event) -> Change:
    """The walk ends; the newer one decides about every app that this one did not reach."""
    return walk, (Finish(),)


def shown_after(stands: Walk, run: Walk) -> Walk:
    """Where a walk ``stands``, shown in the run of redirects in which ``run``, a state of the same walk, came back.

    A store that forgot its last moments stands behind that: what is made again goes on with the run's count, and after
    a form not at all, as that named the apps that were still to come.
    """
    if (stands.cursor, stands.attempt) >= (run.cursor, run.attempt) or stands.through:
        return stands
    more = HOP_REDIRECTS.get(stands.mode)
    if more is None:
        return stands
    redirects = stands.budget + 1 if run.form_run else run.redirects + more
    return stands._replace(redirects=max(stands.redirects, redirects))


def awaits_hop(walk: Walk) -> bool:
    """Whether a hop is out."""
    return walk.place in OUT
