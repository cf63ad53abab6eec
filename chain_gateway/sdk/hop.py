"""What an app says to a ticket: one pure function from a verified request to an answer (PROTOCOL.md 3 and 6).

``answer`` is asked with the ticket, the way it came, and the cookies that its request showed. It says which receipt to
give and which cookies to set and delete; who calls it seals, signs and writes. The rules, in the order of the lines:

1. a doubled cookie name proves nothing: ``refused``;
2. an epoch far ahead of the clock would lock the browser out: ``refused``;
3. a login must be tied to this browser, by the gateway's ``Origin`` or by the bind cookie; a bind that is asked for
   must match: ``refused``;
4. a login below a session or not above a tombstone is ``stale`` and sets nothing; otherwise it sets its session;
5. a logout leaves its tombstone, whatever it finds. Unbound, it acts on its own ``bid`` alone, and where it meets
   another browser's session it is ``refused``, so that the gateway comes again by ``two_step``.

A ticket whose ``jti`` was spent before goes to ``repeat``.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, replace
from typing import Final

from chain_gateway.core.limits import EPOCH_AHEAD_MS, SKEW_SECONDS, TICKET_SECONDS
from chain_gateway.sdk.session import BIND_COOKIE, EVERYBODY, NEVER, Session, Shown, Tombstone, compact, highest
from chain_gateway.tokens.encoding import b64e
from chain_gateway.tokens.receipt import ReceiptOutcome
from chain_gateway.tokens.ticket import Act, Ticket

CLAIMS_BYTES: Final = 1536
"""Of JSON in one session: three sessions that no answer has tidied up yet still fit into one Cookie header of 8 KiB."""
LATE_SECONDS: Final = TICKET_SECONDS + 2 * SKEW_SECONDS
"""How much later than a logout a ticket of before it can still set a session: a tombstone lives that much longer."""
STRANGERS: Final = 4
"""Tombstones of other browsers that an unbound logout may add to; more is somebody filling this jar with their own."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A request that brought a verified ticket.

    ``posted``: by a POST whose ``Origin`` is the gateway's. ``revoked``: the epoch up to which the ticket's ``sid`` was
    ended already, by the back channel or in another browser; -1 if it was not.
    """

    ticket: Ticket
    posted: bool
    shown: Shown
    now: int
    revoked: int = NEVER

    @property
    def bound(self) -> bool:
        """Whether the request is known to come from the browser whose walk it is, if ``unbound_reason`` is empty."""
        return self.posted or bool(self.ticket.cnf)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is remembered of a spent ticket: the words of its receipt and when it was judged (seconds)."""

    outcome: ReceiptOutcome
    reason: str
    at: int


@dataclass(frozen=True, slots=True)
class Answer:
    """The receipt's words, the cookies to set, the names of cookies to delete, and the ``sid``s that end here."""

    outcome: ReceiptOutcome
    reason: str = ""
    session: Session | None = None
    tombstone: Tombstone | None = None
    delete: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()

    @property
    def spends(self) -> bool:
        """Whether the ticket is used up by it: it is, when the answer sets something."""
        return self.session is not None or self.tombstone is not None


def answer(visit: Visit, session_max: int) -> Answer:
    """What to say to the ticket of ``visit``, seen for the first time; ``session_max`` is in seconds."""
    reason = _refusal(visit)
    if reason:
        return Answer(ReceiptOutcome.REFUSED, reason)
    if visit.ticket.act is Act.LOGIN:
        return _login(visit, session_max)
    return _logout(visit, session_max)


def repeat(visit: Visit, session_max: int, first: Verdict) -> Answer:
    """What to say to a ticket that was spent before, with the verdict ``first``.

    The same again, cookies and their ages included, where the request shows that it is the same browser; otherwise
    ``refused``, reason ``used``, and nothing is set.
    """
    reason = _refusal(visit)
    if reason:
        return Answer(ReceiptOutcome.REFUSED, reason)
    if not _same_browser(visit):
        return Answer(ReceiptOutcome.REFUSED, "used")
    then = replace(visit, now=first.at)
    if visit.ticket.act is Act.LOGIN:
        return Answer(first.outcome, first.reason, session=_session(then, session_max), delete=_settled(visit))
    return replace(_end(then, session_max), outcome=first.outcome, reason=first.reason)


def bind_hash(cookie: str) -> str:
    """What ``cnf`` holds of a bind cookie: base64url of the SHA-256 of its ASCII text.

    >>> bind_hash("A" * 43)
    'DwBzhbb51LfusnSGBa_hqYSgo7-j8BTQnip4TOnlzRo'
    """
    return b64e(hashlib.sha256(cookie.encode()).digest())


def _refusal(visit: Visit) -> str:
    """Why the ticket is not judged at all, as the receipt's reason; empty if it is."""
    ticket = visit.ticket
    if visit.shown.doubled:
        return "doubled_cookie"
    if ticket.act is Act.BEGIN:
        return "act"
    if ticket.epoch > visit.now * 1000 + EPOCH_AHEAD_MS:
        return "epoch_ahead"
    if ticket.cnf and not _bind_matches(visit.shown.bind, ticket.cnf):
        return "bind"
    if ticket.act is Act.LOGIN and not visit.bound:
        return "unbound"
    return ""


def _bind_matches(cookie: str, cnf: str) -> bool:
    """Whether the bind cookie is the one whose hash the ticket carries, found out in constant time."""
    return bool(cookie) and hmac.compare_digest(bind_hash(cookie).encode(), cnf.encode())


def _login(visit: Visit, session_max: int) -> Answer:
    """A login that is tied to this browser."""
    ticket, shown = visit.ticket, visit.shown
    buried = ticket.epoch <= max(shown.barrier(ticket.bid), visit.revoked)
    newer = any(s.epoch > ticket.epoch or (s.epoch == ticket.epoch and s.bid != ticket.bid) for s in shown.sessions)
    if buried or newer:
        return Answer(ReceiptOutcome.STALE, delete=_settled(visit, sessions=False))
    if len(compact(ticket.claims)) > CLAIMS_BYTES:
        return Answer(ReceiptOutcome.ERROR, "claims_too_big", delete=_settled(visit, sessions=False))
    return Answer(ReceiptOutcome.APPLIED, session=_session(visit, session_max), delete=_settled(visit))


def _logout(visit: Visit, session_max: int) -> Answer:
    """A logout, bound or not."""
    if not visit.bound and _meets_a_stranger(visit):
        return Answer(ReceiptOutcome.REFUSED, "other_browser")
    done = _end(visit, session_max)
    if highest(s.epoch for s in visit.shown.sessions) > visit.ticket.epoch:
        return replace(done, outcome=ReceiptOutcome.STALE)
    if visit.posted and not visit.shown.sessions:
        # the cookies stayed at home on the cross-site POST: what there was is ended by the tombstone all the same
        return replace(done, outcome=ReceiptOutcome.APPLIED)
    return done


def _end(visit: Visit, session_max: int) -> Answer:
    """The tombstone, the cookies that it makes needless, and what it ends, told from what the request showed."""
    ticket, shown = visit.ticket, visit.shown
    scope = EVERYBODY if visit.bound else ticket.bid
    stone = Tombstone(ticket.epoch, scope, ticket.jti, visit.now, visit.now + session_max + LATE_SECONDS)
    if any(s.epoch == ticket.epoch and s.counts_against(scope) and s.bid != scope for s in shown.tombstones):
        stone = replace(stone, bid=EVERYBODY)  # one name, one cookie: the wider one stays
    ended = [s for s in shown.sessions if s.epoch <= ticket.epoch and stone.counts_against(s.bid)]
    needless = [s.cookie for s in shown.tombstones if stone.makes_needless(s)]
    sids = dict.fromkeys(sid for sid in (ticket.sid, *(s.sid for s in ended)) if sid)
    return Answer(
        ReceiptOutcome.APPLIED if ended else ReceiptOutcome.ABSENT,
        tombstone=stone,
        delete=(*(s.cookie for s in ended), *needless, *_settled(visit, sessions=False)),
        ended=tuple(sids),
    )


def _meets_a_stranger(visit: Visit) -> bool:
    """Whether an unbound logout would have to decide about another browser's session or tombstone."""
    ticket, shown = visit.ticket, visit.shown
    others = [stone for stone in shown.tombstones if not stone.counts_against(ticket.bid)]
    return (
        any(s.bid != ticket.bid and s.epoch <= ticket.epoch and not shown.buried(s) for s in shown.sessions)
        or any(stone.epoch == ticket.epoch for stone in others)
        or len(others) >= STRANGERS
    )


def _same_browser(visit: Visit) -> bool:
    """Whether the request shows what only the browser of the first answer has.

    That is the bind cookie (``_refusal`` has compared it), or the session or tombstone that this very ticket set; for
    a logout, a session of the ticket's own ``bid`` says the same.
    """
    ticket, shown = visit.ticket, visit.shown
    if ticket.cnf:
        return True
    if ticket.act is Act.LOGIN:
        return any(s.jti == ticket.jti for s in shown.sessions)
    return any(t.jti == ticket.jti for t in shown.tombstones) or any(s.bid == ticket.bid for s in shown.sessions)


def _session(visit: Visit, session_max: int) -> Session:
    """The session that the login ticket makes."""
    ticket, now = visit.ticket, visit.now
    return Session(
        epoch=ticket.epoch,
        bid=ticket.bid,
        jti=ticket.jti,
        sub=ticket.sub,
        sid=ticket.sid,
        iat=now,
        exp=now + session_max,
        auth_time=ticket.auth_time,
        acr=ticket.acr,
        claims=dict(ticket.claims),
    )


def _settled(visit: Visit, *, sessions: bool = True) -> tuple[str, ...]:
    """Cookies that are done with: the bind cookie that matched, and the sessions below a login's own."""
    older = tuple(s.cookie for s in visit.shown.sessions if s.epoch < visit.ticket.epoch) if sessions else ()
    return (*older, BIND_COOKIE) if visit.ticket.cnf else older
