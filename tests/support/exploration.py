"""Every interleaving of a few walks at one app, on the SDK's own code: real answers, real sealed cookies, one jar.

A walk is a login or a logout, made in one of the modes of the protocol. It starts, its ticket is issued unless a newer
walk has started, the browser asks with the cookies of that moment, which the app answers from, and the answer arrives
or is lost. Each of these steps may wait for any steps of the others; when the app works out its answer makes no
difference, as nothing counts there but what the request showed. On top, as far as a run asks for it:

- each ticket is delivered once more, with its first cookies (a proxy) or with the present ones (a reload);
- the browser opens an ordinary page of the app, whose answer tidies up what newer sessions have outlived.

Jars, answers and verdicts are values, so that states can be compared and counted.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Generic, NamedTuple, TypeVar

from chain_gateway.core.limits import TICKET_SECONDS
from chain_gateway.sdk.cookies import CookieJar
from chain_gateway.sdk.hop import Answer, Verdict, Visit, answer, bind_hash, repeat
from chain_gateway.sdk.session import BIND_COOKIE, live, outlived
from chain_gateway.tokens.sealer import Sealer
from chain_gateway.tokens.ticket import Act, Ticket

NOW = 1_800_000_000
LIFE = 12 * 3600
MINE, THEIRS = "mine", "theirs"

Cookies = frozenset[tuple[str, str]]
NO_COOKIES: Cookies = frozenset()

IDLE, STARTED, BEGUN, ISSUED, ASKED, ANSWERED, ARRIVED, LOST, REFUSED, SUPERSEDED = range(10)
"""Of a walk; from ``ARRIVED`` on there is nothing to come, unless its ticket comes again."""
_JAR = CookieJar(Sealer.from_secrets([b"the key of an app that is explored"]))


@dataclass(frozen=True)
class Kind:
    """What a walk is for and how its hop is made; ``bid`` says whose it is."""

    act: Act
    posted: bool = False
    bound: bool = False
    bid: str = MINE

    def __str__(self) -> str:
        mode = "posted " if self.posted else "two_step " if self.bound else ""
        return f"{mode}{self.act}" + (" of theirs" if self.bid == THEIRS else "")


LOGIN = Kind(Act.LOGIN, bound=True)
POSTED_LOGIN = Kind(Act.LOGIN, posted=True)
LOGOUT = Kind(Act.LOGOUT)
POSTED_LOGOUT = Kind(Act.LOGOUT, posted=True)
BOUND_LOGOUT = Kind(Act.LOGOUT, bound=True)
THEIR_LOGOUT = Kind(Act.LOGOUT, bid=THEIRS)


T = TypeVar("T")


class Numbered(Generic[T]):
    """Values by number, each distinct one once: states made of numbers are quick to compare."""

    def __init__(self, first: T) -> None:
        self.values = [first]
        self._numbers = {first: 0}

    def number(self, value: T) -> int:
        found = self._numbers.setdefault(value, len(self.values))
        if found == len(self.values):
            self.values.append(value)
        return found


JARS: Numbered[Cookies] = Numbered(NO_COOKIES)
ANSWERS: Numbered[Answer | None] = Numbered(None)
VERDICTS: Numbered[Verdict | None] = Numbered(None)


class Place(NamedTuple):
    """Where one walk stands: the jar that its request showed, the answer, and 1 + its phase before it came again."""

    phase: int = IDLE
    jar: int = 0
    answer: int = 0
    again: int = 0


class State(NamedTuple):
    """All walks, the browser's jar, what the app remembers of spent tickets, and one visit of a page."""

    walks: tuple[Place, ...]
    jar: int
    spent: tuple[int, ...]
    page: Place = Place()

    def moved(self, index: int, place: Place, jar: int | None = None, spent: tuple[int, ...] | None = None) -> State:
        walks = (*self.walks[:index], place, *self.walks[index + 1 :])
        return State(walks, self.jar if jar is None else jar, self.spent if spent is None else spent, self.page)


@cache
def shown(jar: int):
    return _JAR.shown(dict(JARS.values[jar]), NOW)


def bind_of(epoch: int) -> str:
    return f"{epoch:043d}"


def ticket(kind: Kind, epoch: int) -> Ticket:
    return Ticket(
        iss="https://login.example",
        aud="https://shop.example",
        act=kind.act,
        bid=kind.bid,
        jti=f"jti-{epoch}",
        iat=NOW,
        exp=NOW + TICKET_SECONDS,
        epoch=epoch,
        walk=f"walk-{epoch}",
        hop=0,
        return_to="https://login.example/relay?state=x",
        sub="alice" if kind.act is Act.LOGIN else "",
        sid=f"sid-{epoch}" if kind.act is Act.LOGIN else "",
        cnf=bind_hash(bind_of(epoch)) if kind.bound else "",
    )


@cache
def judged(kind: Kind, epoch: int, jar: int, first: int) -> int:
    """What the app says, with nothing but the SDK's own code."""
    visit = Visit(ticket(kind, epoch), kind.posted, shown(0 if kind.posted else jar), NOW)
    verdict = VERDICTS.values[first]
    return ANSWERS.number(answer(visit, LIFE) if verdict is None else repeat(visit, LIFE, verdict))


@cache
def arrived(jar: int, answered: int) -> int:
    """The browser's jar after an answer came; each cookie as its own ``Set-Cookie`` spells it."""
    said = ANSWERS.values[answered]
    kept = {name: value for name, value in JARS.values[jar] if name not in said.delete}
    nonce = (said.session or said.tombstone).epoch.to_bytes(12, "big") if said.spends else b""
    if said.session is not None:
        kept.update([_pair(_JAR.set_session(said.session, nonce, NOW))])
    if said.tombstone is not None:
        kept.update([_pair(_JAR.set_tombstone(said.tombstone, nonce, NOW))])
    return JARS.number(frozenset(kept.items()))


def _pair(set_cookie: str) -> tuple[str, str]:
    name, _, value = set_cookie.partition(";")[0].partition("=")
    return name, value


@cache
def with_bind(jar: int, value: str) -> int:
    others = {(name, text) for name, text in JARS.values[jar] if name != BIND_COOKIE}
    return JARS.number(frozenset(others | {(BIND_COOKIE, value)}))


@cache
def tidied(jar: int, seen: int) -> int:
    """The jar after the answer to a page that saw the cookies ``seen``."""
    gone = outlived(shown(seen))
    return JARS.number(frozenset((name, value) for name, value in JARS.values[jar] if name not in gone))


@cache
def lives(jar: int) -> int:
    """The epoch of the live session, 0 if nobody is signed in."""
    session = live(shown(jar), NOW)
    return session.epoch if session else 0


class Exploration:
    """One run over all interleavings of ``kinds``, the walks in the order in which they start."""

    def __init__(self, kinds: tuple[Kind, ...], *, again: bool = False, page: bool = False) -> None:
        self.kinds = kinds
        self.again = again
        self.page = page
        self.states = 0
        self.ends = 0
        self.broken: list[str] = []

    def run(self) -> Exploration:
        first = State(tuple(Place() for _ in self.kinds), 0, spent=(0,) * len(self.kinds))
        seen, queue = {first}, deque([first])
        while queue:
            state = queue.popleft()
            following = list(self._following(state))
            self._hold(state, end=not following)
            for new in following:
                if new not in seen:
                    seen.add(new)
                    queue.append(new)
        self.states = len(seen)
        return self

    def _following(self, state: State) -> Iterator[State]:
        started = sum(place.phase != IDLE for place in state.walks)
        if started < len(self.kinds):
            yield state.moved(started, Place(STARTED))
        for index in range(started):
            if self.again or state.walks[index].phase < ARRIVED:
                yield from self._steps(state, index, started)
        if self.page:
            yield from self._page_steps(state)

    def _steps(self, state: State, index: int, started: int) -> Iterator[State]:
        kind, place, epoch = self.kinds[index], state.walks[index], index + 1
        phase = place.phase
        if phase < ISSUED:
            if any(self.kinds[i].bid == kind.bid for i in range(epoch, started)):
                yield state.moved(index, Place(SUPERSEDED))
            elif phase == STARTED and kind.bound:
                yield state.moved(index, Place(BEGUN), jar=with_bind(state.jar, bind_of(epoch)))
            else:
                yield state.moved(index, Place(ISSUED))
        elif phase == ISSUED:
            yield self._answered(state, index, Place(ASKED, state.jar))
        elif phase == ANSWERED:
            yield state.moved(index, place._replace(phase=ARRIVED), jar=arrived(state.jar, place.answer))
            yield state.moved(index, place._replace(phase=ARRIVED if place.again == 1 + ARRIVED else LOST))
        elif phase != SUPERSEDED and not place.again:
            for jar in {place.jar, state.jar}:
                yield self._answered(state, index, place._replace(phase=ASKED, jar=jar, again=1 + phase))

    def _answered(self, state: State, index: int, place: Place) -> State:
        first = state.spent[index]
        answered = judged(self.kinds[index], index + 1, place.jar, first)
        if not self.again:
            place = place._replace(jar=0)  # nobody asks for it any more
        said, spent = ANSWERS.values[answered], state.spent
        if said.spends and not first:
            verdict = VERDICTS.number(Verdict(said.outcome, said.reason, NOW))
            spent = (*spent[:index], verdict, *spent[index + 1 :])
        if not said.spends and not said.delete:
            # nothing is on its way; what came of the first delivery stands
            back = place.again - 1 if place.again else REFUSED if said.outcome == "refused" else ARRIVED
            return state.moved(index, place._replace(phase=back, answer=place.answer or answered))
        return state.moved(index, place._replace(phase=ANSWERED, answer=answered), spent=spent)

    def _page_steps(self, state: State) -> Iterator[State]:
        if state.page.phase == IDLE and state.jar:
            yield state._replace(page=Place(ASKED, state.jar))
        elif state.page.phase == ASKED:
            yield state._replace(page=Place(ARRIVED), jar=tidied(state.jar, state.page.jar))

    def _hold(self, state: State, *, end: bool) -> None:
        """Writes down the invariant that ``state`` breaks, if it does."""
        self.ends += end
        for broken in broken_invariants(self.kinds, state, end=end):
            self.broken.append(f"{' · '.join(map(str, self.kinds))}: {broken}")


def theirs_alone(said: Answer | None) -> bool:
    """Whether an answer to their ticket sets and deletes nothing but tombstones of theirs, and ends no session."""
    if said is None:
        return True
    stones_alone = all("-t-" in name for name in said.delete)
    return stones_alone and not said.ended and (said.tombstone is None or said.tombstone.bid == THEIRS)


def broken_invariants(kinds: tuple[Kind, ...], state: State, *, end: bool) -> Iterator[str]:
    """What does not hold in ``state``, in words.

    At any time: after a logout of mine has arrived, no older session of mine lives. At the end: the newest of my walks
    that arrived has its way. A logout of theirs by ``redirect`` changes neither.
    """
    alive = lives(state.jar)
    newest = logout = 0
    for epoch, (kind, place) in enumerate(zip(kinds, state.walks, strict=True), 1):
        if kind.bid == THEIRS:
            if not theirs_alone(ANSWERS.values[place.answer]):
                yield "a logout of theirs touches what is not theirs"
        elif place.phase == ARRIVED:
            newest = epoch
            if kind.act is Act.LOGOUT:
                logout = epoch
    if 0 < alive < logout:
        yield f"session {alive} lives after logout {logout}"
    if end and newest and kinds[newest - 1].act is Act.LOGIN:
        yield from _not_the_newest(state, newest)


def _not_the_newest(state: State, newest: int) -> Iterator[str]:
    if ANSWERS.values[state.walks[newest - 1].answer].outcome == "stale":
        yield f"newest login {newest} was refused as stale"
    elif (alive := lives(state.jar)) != newest:
        yield f"login {newest} is not the live session, {alive} is"
