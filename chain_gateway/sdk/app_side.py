"""The app's side of a hop, whatever the framework: verify the ticket, decide, remember, and answer with a receipt.

The decision itself is pure (``hop``); here are the parts around it that wait: keys, memory, and the app's own hooks.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from chain_gateway.core.limits import SKEW_SECONDS
from chain_gateway.errors import BadInput, ChainGatewayError, StoreUnavailable, TokenRefused
from chain_gateway.sdk import hop
from chain_gateway.sdk.backchannel import LogoutToken, verify_logout_token
from chain_gateway.sdk.config import ChainConfig
from chain_gateway.sdk.cookies import CookieJar, delete_cookie, set_bind
from chain_gateway.sdk.hop import LATE_SECONDS, Answer, Verdict, Visit
from chain_gateway.sdk.keys import KeySource
from chain_gateway.sdk.memory import InProcessMemory
from chain_gateway.sdk.reply import Reply, json_reply, page, redirect
from chain_gateway.sdk.session import Session, Shown, live
from chain_gateway.tokens.encoding import b64e
from chain_gateway.tokens.receipt import Receipt, ReceiptOutcome, sign_receipt
from chain_gateway.tokens.refusals import Check, refused
from chain_gateway.tokens.sealer import NONCE_BYTES
from chain_gateway.tokens.ticket import Act, GatewayKeys, Ticket, verify_ticket

ID_BYTES: Final = 16
SERVER_ERROR: Final = 500
BIND_BYTES: Final = 32

_T = TypeVar("_T")

log = logging.getLogger("chain_gateway.sdk")


class ForeignOrigin(ChainGatewayError):
    """A POST that no page of the right origin made; what it carried was not looked at."""

    code = "foreign_origin"
    status = 403
    text = "This step did not come from the sign-in service."
    help = "Continue at the sign-in service, or start again at the page that you wanted."


class Prefetched(ChainGatewayError):
    """A browser that fetches ahead; the person has not come yet."""

    code = "prefetched"
    status = 503
    text = "This step is not made ahead of time."
    help = "Open the link again."


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request at the hop's URL. ``ticket`` and ``begin`` are empty where absent, ``origin`` is the header."""

    posted: bool
    origin: str
    ticket: str
    begin: str
    shown: Shown


class AppSide:
    """One app's side of the protocol; ``clock`` gives seconds, ``random`` that many random bytes."""

    def __init__(
        self, chain: ChainConfig, keys: KeySource, clock: Callable[[], float], random: Callable[[int], bytes]
    ) -> None:
        """``chain`` was checked when it was made; without a memory of its own it gets one in this process."""
        self.chain = chain
        self.memory = chain.memory or InProcessMemory()
        self.jar = CookieJar(chain.sealer())
        self.key = chain.key()
        self.life = chain.life
        self.keys = keys
        self.random = random
        self._clock = clock

    @property
    def now(self) -> int:
        """The time in whole seconds."""
        return int(self._clock())

    async def session(self, shown: Shown) -> Session | None:
        """The live session of a request, unless its ``sid`` was ended; StoreUnavailable if that cannot be known."""
        now = self.now
        session = live(shown, now)
        if session is None:
            return None
        revoked = await self.memory.revoked(session.sid, now)
        return None if revoked is not None and session.epoch <= revoked else session

    async def hop(self, arrival: Arrival) -> Reply:
        """The answer to a hop: on to the gateway with a receipt, or a plain page where nothing could be verified."""
        try:
            if arrival.posted and arrival.origin != self.chain.gateway:
                raise ForeignOrigin("the Origin of a posted ticket is not the gateway's")
            if bool(arrival.ticket) == bool(arrival.begin) or (arrival.posted and arrival.begin):
                raise BadInput("a hop takes one ticket, or by GET one begin")
            ticket = await self.verified(arrival.ticket or arrival.begin)
            if (ticket.act is Act.BEGIN) != bool(arrival.begin):
                raise refused(Check.CLAIMS, "a ticket under the wrong name")
            return self._bind(ticket) if arrival.begin else await self._answer(ticket, arrival)
        except ChainGatewayError as refusal:
            log.warning("hop refused: %s: %s", refusal.code, refusal.detail)
            return page(refusal, self.chain.gateway)

    async def verified(self, text: str) -> Ticket:
        """The ticket in ``text``, for this app and from its gateway; TokenRefused or KeysUnavailable if it is none."""
        now, chain = self.now, self.chain

        def verify(keys: GatewayKeys) -> Ticket:
            return verify_ticket(text, keys, gateway=chain.gateway, origin=chain.origin, now=now)

        ticket = await self._with_keys(verify, now)
        if not ticket.return_to.startswith(f"{chain.gateway}/relay?"):
            raise refused(Check.CLAIMS, "a ticket that returns to another place than the relay")
        return ticket

    async def end(self, sid: str, epoch: int) -> None:
        """Ends the sessions of ``sid`` up to ``epoch``, here and in the app's own store (``on_logout``)."""
        now = self.now
        try:
            await self.memory.revoke(sid, epoch, now + self.life + LATE_SECONDS, now)
        finally:
            if self.chain.on_logout is not None:
                await self.chain.on_logout(sid, epoch)

    async def backchannel_logout(self, text: str) -> Reply:
        """The answer to a logout token: 200, or 400 with what OAuth calls an error (Back-Channel Logout 1.0, 2.8)."""
        now, chain = self.now, self.chain
        names = frozenset({chain.app_id, chain.origin})

        def verify(keys: GatewayKeys) -> LogoutToken:
            return verify_logout_token(text, keys, gateway=chain.gateway, audiences=names, now=now)

        try:
            token = await self._with_keys(verify, now)
            if await self.memory.first(f"logout {token.jti}", "", token.until, now) is not None:
                raise refused(Check.HOP, "a logout token that came before")
            await self.end(token.sid, token.epoch)
        except ChainGatewayError as refusal:
            log.warning("back-channel logout refused: %s: %s", refusal.code, refusal.detail)
            error = {"error": "invalid_request", "error_description": refusal.code}
            return json_reply(refusal.status if refusal.status >= SERVER_ERROR else 400, error)
        return json_reply(200, {})

    async def _with_keys(self, verify: Callable[[GatewayKeys], _T], now: int) -> _T:
        """What ``verify`` makes of the gateway's keys, fetched anew if it meets a kid that is not among them."""
        try:
            return verify(await self.keys.keys(now))
        except TokenRefused as refusal:
            newer = await self.keys.newer(now) if refusal.code == Check.KEY.code else None
            if newer is None:
                raise
        return verify(newer)

    def _bind(self, ticket: Ticket) -> Reply:
        """The first half of ``two_step``: a cookie that only this browser has, and its hash for the gateway."""
        value = b64e(self.random(BIND_BYTES))
        cookies = (set_bind(value),)
        return redirect(ticket.return_to, {"bind": hop.bind_hash(value)}, posted=False, cookies=cookies)

    async def _answer(self, ticket: Ticket, arrival: Arrival) -> Reply:
        """The receipt, and the cookies, which are set before anything is said."""
        visit = Visit(ticket, arrival.posted, arrival.shown, self.now)
        try:
            answer = await self._decided(visit)
        except StoreUnavailable as error:
            log.warning("hop of walk %s without a memory: %s", ticket.walk, error.detail)
            answer = Answer(ReceiptOutcome.ERROR, "memory")
            if ticket.act is Act.LOGOUT:  # nothing must stand in the way of signing out
                answer = hop.answer(visit, self.life)
        answer = await self._told(ticket, answer)
        cookies = self._cookies(answer, visit.now)
        receipt = self._receipt(ticket, answer, visit.now)
        reply = redirect(ticket.return_to, {"receipt": receipt}, posted=arrival.posted, cookies=cookies)
        if ticket.act is Act.LOGOUT and self.chain.clear_site_data:
            return replace(reply, extra={"Clear-Site-Data": '"cache"'})
        return reply

    async def _decided(self, visit: Visit) -> Answer:
        """The pure answer, and the ticket's ``jti`` spent with it; a spent one is answered as the first time."""
        ticket, life = visit.ticket, self.life
        if ticket.act is Act.LOGIN:
            revoked = await self.memory.revoked(ticket.sid, visit.now)
            if revoked is not None:
                visit = replace(visit, revoked=revoked)
        answer = hop.answer(visit, life)
        if not answer.spends:
            return answer
        word = f"{answer.outcome} {visit.now} {answer.reason}"
        known = await self.memory.first(f"ticket {ticket.jti}", word, ticket.exp + SKEW_SECONDS, visit.now)
        if known is None:
            return answer
        outcome, at, reason = known.split(" ", 2)
        return hop.repeat(visit, life, Verdict(ReceiptOutcome(outcome), reason, int(at)))

    async def _told(self, ticket: Ticket, answer: Answer) -> Answer:
        """``answer``, once the app's own hooks and the memory know of it; an error if they did not take it."""
        try:
            if answer.session is not None and self.chain.on_login is not None:
                await self.chain.on_login(answer.session)
            for sid in answer.ended:
                await self.end(sid, ticket.epoch)
        except StoreUnavailable as error:
            log.warning("sid of walk %s not remembered as ended: %s", ticket.walk, error.detail)
            return answer
        except Exception:
            log.exception("hook failed in walk %s", ticket.walk)
            if answer.session is not None:
                return Answer(ReceiptOutcome.ERROR, "hook")
            return replace(answer, outcome=ReceiptOutcome.ERROR, reason="hook")
        return answer

    def _cookies(self, answer: Answer, now: int) -> tuple[str, ...]:
        """The ``Set-Cookie`` texts of an answer."""
        cookies = [delete_cookie(name) for name in answer.delete]
        if answer.session is not None:
            cookies.append(self.jar.set_session(answer.session, self.random(NONCE_BYTES), now))
        if answer.tombstone is not None:
            cookies.append(self.jar.set_tombstone(answer.tombstone, self.random(NONCE_BYTES), now))
        return tuple(cookies)

    def _receipt(self, ticket: Ticket, answer: Answer, now: int) -> str:
        """The signed receipt of ``ticket``."""
        receipt = Receipt(
            iss=self.chain.app_id,
            aud=self.chain.gateway,
            jti=ticket.jti,
            rid=b64e(self.random(ID_BYTES)),
            walk=ticket.walk,
            hop=ticket.hop,
            epoch=ticket.epoch,
            outcome=answer.outcome,
            iat=now,
            reason=answer.reason,
        )
        return sign_receipt(receipt, self.key)
