"""What a walk's page says at the top: how it went, in a heading and a few sentences that claim nothing unproven.

"You are signed out" stands there only when every app, and the provider where it was asked, has confirmed. Anything
less is counted, and each gap is named with its cause.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from chain_gateway.core.walk import Kind, Outcome
from chain_gateway.service.views import WalkPage, WalkView
from chain_gateway.web.words import DOING, NOUN, listed

_TRIED_AGAIN: Final = {
    Outcome.UNREACHABLE: "{names} could not be reached.",
    Outcome.TIMED_OUT: "{names} did not answer in time.",
    Outcome.ERROR: "The {noun} failed at {names}.",
    Outcome.REFUSED: "The {noun} was refused by {names}.",
    Outcome.SKIPPED: "Skipped: {names}.",
    Outcome.PENDING: "Not visited: {names}.",
}
_LEFT: Final = {
    Outcome.TOLD: "Told in the background, not confirmed yet: {names}.",
    Outcome.UNPROVEN: "Not confirmed by {names}.",
    Outcome.STALE: "A newer sign-in or sign-out is in place at {names}.",
    Outcome.GONE: "No longer connected here: {names}.",
}
_NEXT_VISIT: Final = "Signing in there is tried again when you visit."
_STILL_IN: Final = "You may still be signed in there."
_OP_UNPROVEN: Final = "The sign-in provider has not confirmed that its own session ended."
_OP_FAILED: Final = "The sign-in provider could not be reached; its own session may still be open."


@dataclass(frozen=True, slots=True)
class Verdict:
    """The name of an icon, or empty; the heading; and the paragraphs under it."""

    icon: str
    heading: str
    paragraphs: tuple[str, ...] = ()


def verdict(page: WalkPage) -> Verdict:
    """How the walk on ``page`` stands or ended."""
    view = page.view
    noun = NOUN[view.kind]
    if page.aborted_by:
        cause = f"{page.aborted_by} is required and could not be signed in."
        return Verdict("bad", f"The {noun} was stopped", (cause,))
    if page.superseded:
        cause = "Something newer happened in this browser, this one was stopped."
        return Verdict("note", f"This {noun} was stopped", (cause,))
    if not view.ended:
        return Verdict("", progress(view), ("This has not finished yet.",))
    return _proven(view) if _all_proven(view) else _partly(view)


def progress(view: WalkView) -> str:
    """The heading of a walk under way, as ``Signing you in: 3 of 7``; between two hops the next one counts."""
    if not view.lines:
        return DOING[view.kind]
    step = view.step
    if not view.lines[step - 1].current:
        step = next((i for i, outcome in enumerate(view.outcomes, 1) if outcome is Outcome.PENDING), step)
    return f"{DOING[view.kind]}: {step} of {len(view.lines)}"


def _all_proven(view: WalkView) -> bool:
    return view.done == len(view.lines) and (view.op_outcome is None or view.op_outcome.proven)


def _proven(view: WalkView) -> Verdict:
    total = len(view.lines)
    by = [view.lines[0].name if total == 1 else f"all {total} sites"] if total else []
    if view.op_outcome is not None:
        by.append("the sign-in provider")
    heading = "You are signed in" if view.kind is Kind.LOGIN else "You are signed out"
    return Verdict("ok", heading, (f"Confirmed by {listed(by)}.",) if by else ())


def _partly(view: WalkView) -> Verdict:
    done, total = view.done, len(view.lines)
    verb = "Signed in to" if view.kind is Kind.LOGIN else "Signed out of"
    heading = f"{verb} {done} of {total}" if total else f"The {NOUN[view.kind]} is not confirmed"
    outcomes = [*view.outcomes, *(() if view.op_outcome is None else (view.op_outcome,))]
    missed = any(outcome.failed or outcome is Outcome.PENDING for outcome in outcomes)
    return Verdict("bad" if missed else "ask", heading, tuple(p for p in (" ".join(_gaps(view)), _op_gap(view)) if p))


def _gaps(view: WalkView) -> Iterator[str]:
    """One sentence per cause, and what that means."""
    missed = list(_named(view, _TRIED_AGAIN))
    yield from missed
    if missed:
        yield from (_NEXT_VISIT,) if view.kind is Kind.LOGIN else _consequence(view)
    yield from _named(view, _LEFT)


def _consequence(view: WalkView) -> Iterator[str]:
    """What a person must know of a logout that did not come about: who goes on with it, if anybody does."""
    yield _STILL_IN
    lines = [line for line in view.lines if line.outcome in _TRIED_AGAIN]
    owed = [line.name for line in lines if line.owed]
    left = [line.name for line in lines if not line.owed]
    if owed:
        yield f"We keep trying at {listed(owed)}." if left else "We keep trying."
    if left:
        yield f"Try again, or sign out at {listed(left)} yourself."


def _named(view: WalkView, causes: Mapping[Outcome, str]) -> Iterator[str]:
    for outcome, sentence in causes.items():
        names = [line.name for line in view.lines if line.outcome is outcome]
        if names:
            # The names go in last and by replacement: a name with braces of its own stays a name.
            yield sentence.replace("{noun}", NOUN[view.kind]).replace("{names}", listed(names))


def _op_gap(view: WalkView) -> str:
    if view.op_outcome is None or view.op_outcome.proven:
        return ""
    return _OP_FAILED if view.op_outcome.failed else _OP_UNPROVEN
