"""What has happened in an explored world, as far as the invariants ask for it: gathered from the notes on answers."""

from __future__ import annotations

from collections.abc import Hashable
from functools import cache
from typing import NamedTuple

from exploration_values import ANSWERS, Note
from support.exploration import Numbered


class Older(NamedTuple):
    """A login of ``epoch`` that is an older intention than a logout although its epoch is higher.

    The logout is ``logout``, and ``scope`` the one app that it is about, or empty.
    """

    epoch: int
    scope: str
    logout: int


class Facts(NamedTuple):
    """``away`` are logins that are at the provider, each with the logouts that began since somebody acted for it.

    ``outdated`` are logins whose walk began all the same (``Older``), ``scopes`` the apps that logouts are about;
    ``treated`` is what apps did with tickets, ``reached`` what of that came to the browser; ``receipts`` those that
    apps gave, ``applied`` tickets that brought a cookie, ``ended`` walks that ended, with their outcomes; ``spent`` are
    the chain nonces that moved a walk; ``walks`` are those that began, with their epochs and browsers, ``told`` the
    apps that took a logout token, each with its epoch.
    """

    away: frozenset[tuple[str, frozenset[tuple[int, str]]]] = frozenset()
    outdated: frozenset[Older] = frozenset()
    scopes: frozenset[tuple[int, str]] = frozenset()
    treated: frozenset[tuple[Hashable, ...]] = frozenset()
    reached: frozenset[tuple[Hashable, ...]] = frozenset()
    receipts: frozenset[tuple[Hashable, ...]] = frozenset()
    applied: frozenset[tuple[Hashable, ...]] = frozenset()
    ended: frozenset[tuple[Hashable, ...]] = frozenset()
    spent: frozenset[str] = frozenset()
    walks: frozenset[tuple[str, int, str]] = frozenset()
    told: frozenset[tuple[str, int]] = frozenset()
    wrong: tuple[str, ...] = ()


FACTS: Numbered[Facts] = Numbered(Facts())


@cache
def said(facts: int, answer: int) -> int:
    """The facts after a server gave an answer."""
    return noted(facts, ANSWERS.values[answer].said)


@cache
def heard(facts: int, answer: int) -> int:
    """The facts after an answer arrived."""
    return noted(facts, ANSWERS.values[answer].heard)


def noted(number: int, notes: tuple[Note, ...]) -> int:
    """The facts after these notes."""
    facts = FACTS.values[number]
    for note in notes:
        facts = _noted(facts, note.what, note.about)
    return FACTS.number(facts)


def _noted(facts: Facts, what: str, about: tuple[Hashable, ...]) -> Facts:
    if what in GATHERED:
        name = GATHERED[what]
        return facts._replace(**{name: getattr(facts, name) | {about}})
    return READ[what](facts, *about)


def _left(facts: Facts, state: str) -> Facts:
    others = {(each, later) for each, later in facts.away if each != state}
    return facts._replace(away=frozenset(others | {(state, frozenset())}))


def _signed_in(facts: Facts, state: str, at: int) -> Facts:
    """The provider answers a login from a session that somebody made by hand at ``at`` (milliseconds)."""
    away = frozenset((each, _since(at, later) if each == state else later) for each, later in facts.away)
    return facts._replace(away=away)


def _since(at: int, logouts: frozenset[tuple[int, str]]) -> frozenset[tuple[int, str]]:
    return frozenset((epoch, scope) for epoch, scope in logouts if epoch >= at)


def _wrong(facts: Facts, words: str) -> Facts:
    return facts._replace(wrong=(*facts.wrong, words))


def _claimed(facts: Facts, walk: str, hop: int, outcome: str, app: str) -> Facts:
    epoch = next((epoch for each, epoch, _ in facts.walks if each == walk), None)
    if epoch is None:
        return facts  # it began before these facts did
    if (walk, hop, outcome) in facts.receipts or any(by == app and at >= epoch for by, at in facts.told):
        return facts
    return _wrong(facts, f"I4: hop {hop} is called {outcome} without a receipt")


def _spent(facts: Facts, nonce: str, epoch: int, browser: str) -> Facts:
    if any(of == browser and newer > epoch for _, newer, of in facts.walks):
        return _wrong(facts, f"I1: walk {epoch} goes on although a newer one has begun")
    if nonce in facts.spent:
        return _wrong(facts, "I3: a return moved its walk twice")
    return facts._replace(spent=facts.spent | {nonce})


def _applied(facts: Facts, app: str, jti: str, recognised: bool) -> Facts:
    if (app, jti) in facts.applied and not recognised:
        return _wrong(facts, f"I3: a ticket was applied twice at {app}")
    return facts._replace(applied=facts.applied | {(app, jti)})


def _begun(facts: Facts, walk: str, epoch: int, browser: str, kind: str, scope: str, state: str) -> Facts:
    facts = facts._replace(walks=facts.walks | {(walk, epoch, browser)})
    if kind == "logout":
        away = frozenset((each, later | {(epoch, scope)}) for each, later in facts.away)
        return facts._replace(away=away, scopes=facts.scopes | {(epoch, scope)})
    later = next(later for each, later in facts.away if each == state)
    older = {Older(epoch, about, logout) for logout, about in later}
    return facts._replace(outdated=facts.outdated | older)


GATHERED = {"receipt": "receipts", "ended": "ended", "treated": "treated", "reached": "reached", "told": "told"}
READ = {
    "left": _left,
    "signed in": _signed_in,
    "begun": _begun,
    "spent": _spent,
    "wrong": _wrong,
    "claimed": _claimed,
    "applied": _applied,
}
