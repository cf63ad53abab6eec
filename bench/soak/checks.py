"""The invariants: each is a check that reads a trace and names what breaks it. An empty trace is no success."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from bench.soak.trace import ENDS, PROVEN, Delivery, Held, Logout, Receipt, Trace

REDIRECTS: Final = 19
"""As many in a row as Chromium follows."""


def every_walk_ends(trace: Trace) -> Iterator[str]:
    """I4: once their time is over, no walk is open."""
    yield from (f"walk {walk} is open" for walk in trace.open_walks)


def nothing_stays_owed(trace: Trace) -> Iterator[str]:
    """I6: once every app is back, and the queue had its time, nobody is owed a logout."""
    yield from (f"{owed} is owed" for owed in trace.owed)


def newest_intention_wins(trace: Trace) -> Iterator[str]:
    """I1, I2: no app has a session of a browser from before that browser's last logout.

    That is of the logouts that people saw to their end, and of those that they left: the back channel sees to these.
    """
    for held, logout in _revived(trace):
        if not _may_be_forgotten(trace, held, logout):
            yield f"{held.app} has a session of {held.epoch} in browser {held.browser}, signed out at {logout.epoch}"


def forgotten(trace: Trace) -> int:
    """How many sessions outlived a logout that nobody saw confirmed, as Redis lost it in its failover.

    ``docs/decisions/0008-redis.md`` says why no rule brings these back.
    """
    return sum(_may_be_forgotten(trace, held, logout) for held, logout in _revived(trace))


def copies_are_dead(trace: Trace) -> Iterator[str]:
    """I2: where an app has confirmed a logout, a copy of the cookies from before it opens nothing."""
    confirmed = {(told.walk, app) for told in trace.told for app, said in told.outcomes.items() if said == "applied"}
    for held in trace.held:
        if (held.of_copy, held.app) in confirmed:
            yield f"{held.app} takes a copy of the cookies from before logout {held.of_copy}"


def nobody_is_somebody_else(trace: Trace) -> Iterator[str]:
    """No browser has the session of another person."""
    for held in trace.held:
        if held.sub != trace.people[held.browser]:
            yield f"{held.app} takes browser {held.browser} of {trace.people[held.browser]} for {held.sub}"


def what_is_told_is_proven(trace: Trace) -> Iterator[str]:
    """I5: where a person read that an app has confirmed, the app had signed that, or confirmed a delivery."""
    for told in trace.told:
        for app, outcome in told.outcomes.items():
            signed = Receipt(app, told.walk, outcome) in trace.receipts
            if outcome in PROVEN and not signed and Delivery(app, told.epoch) not in trace.deliveries:
                yield f"walk {told.walk} told {outcome} of {app}, which has not said so"


def nothing_twice(trace: Trace) -> Iterator[str]:
    """I3: no ticket and no logout token takes effect twice at an app."""
    yield from (f"{name} took effect {count} times" for name, count in trace.effects.items() if count > 1)


def nobody_is_stranded(trace: Trace) -> Iterator[str]:
    """Every trip ends at a site, on a page that says how it went, or with its tab."""
    for trip in trace.trips:
        if trip.end not in ENDS:
            yield f"the {trip.wanted} of browser {trip.browser} ended as {trip.end}"


def browsers_follow(trace: Trace) -> Iterator[str]:
    """No run of redirects is longer than browsers follow."""
    for trip in trace.trips:
        if trip.redirects > REDIRECTS:
            yield f"{trip.redirects} redirects in a row in browser {trip.browser}: {' > '.join(trip.way)}"


def no_exception_is_unhandled(trace: Trace) -> Iterator[str]:
    """The logs have none."""
    yield from trace.exceptions


def nothing_secret_is_logged(trace: Trace) -> Iterator[str]:
    """I7: no secret of the configuration, no key, no token and no cookie that a browser had."""
    yield from trace.leaks


def gateways_end_calmly(trace: Trace) -> Iterator[str]:
    """F18: whoever is asked to stop ends with 0."""
    yield from (f"{count} gateways ended with {code}" for code, count in trace.codes.items() if code)


CHECKS: Final[tuple[Callable[[Trace], Iterator[str]], ...]] = (
    every_walk_ends,
    nothing_stays_owed,
    newest_intention_wins,
    copies_are_dead,
    nobody_is_somebody_else,
    what_is_told_is_proven,
    nothing_twice,
    nobody_is_stranded,
    browsers_follow,
    no_exception_is_unhandled,
    nothing_secret_is_logged,
    gateways_end_calmly,
)


def violations(trace: Trace) -> dict[str, list[str]]:
    """What each check has found, by its name; a trace in which nothing happened holds nothing, and says so."""
    found = {check.__name__: list(check(trace)) for check in CHECKS}
    if not (trace.trips and trace.told and trace.deliveries):
        found["something_happened"] = ["nobody signed in, nobody signed out, or no logout was delivered"]
    return found


def _revived(trace: Trace) -> Iterator[tuple[Held, Logout]]:
    """Sessions in a browser's own jar that are no newer than its last logout, each with that."""
    last: dict[int, Logout] = {}
    for logout in trace.logouts.values():
        known = last.get(logout.browser)
        if known is None or known.epoch < logout.epoch:
            last[logout.browser] = logout
    for held in trace.held:
        newest = last.get(held.browser)
        if newest is not None and not held.of_copy and held.epoch <= newest.epoch:
            yield held, newest


def _may_be_forgotten(trace: Trace, held: Held, logout: Logout) -> bool:
    """Whether a logout was written down while Redis could lose it, and no app's word for it came back to a page."""
    said = [told.outcomes.get(held.app, "") for told in trace.told if told.walk == logout.walk]
    return trace.in_outage(logout.at) and not PROVEN.intersection(said)
