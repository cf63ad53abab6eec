"""Which apps a walk visits, in what order, how, and why: as few hops as possible.

The rules are two tables, read from the top: the first that fits an app decides, and its reason in words goes to
``explain`` and to the log. Apps that are told over the back channel come first, as that takes time while the browser
walks; then owed logouts; then the operator's order stands, with apps whose own sign-out may end the provider's session
in mid-walk (``external``) last.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from chain_gateway.core.chain import App, Chain, Mode, Visit
from chain_gateway.core.ledger import GONE, OP_LINE, Browser, Entry, Holding
from chain_gateway.core.walk import Hop, Hops

SILENT_HOPS = 2
"""The most ``two_step`` hops that a login which shows no page can make within every browser's redirect limit."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a walk visits ``app``, in which mode, and the reason in words."""

    app: App
    visited: bool
    mode: Mode
    reason: str


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who has just signed in at the provider: subject, the provider's session, and when (seconds; 0 if not told)."""

    sub: str
    sid: str
    auth_time: int = 0


@dataclass(frozen=True, slots=True)
class _Case:
    """What the rules look at for one app."""

    app: App
    entry: Entry | None
    now: int
    known: bool = True
    asking: str = ""
    silent: bool = False
    only: str = ""
    who: SignedIn = SignedIn("", "")
    since_ms: int = 0

    def holding(self, holding: Holding) -> bool:
        return self.entry is not None and self.entry.holding is holding

    def fresh(self) -> bool:
        """Whether the app holds a session of the very same sign-in with more than half of its life ahead."""
        entry = self.entry
        if entry is None or entry.holding is not Holding.HOLDS:
            return False
        same = (entry.sub, entry.sid, entry.auth_time) == (self.who.sub, self.who.sid, self.who.auth_time)
        return same and self.now - entry.since < self.app.session_max // 2

    def again(self) -> bool:
        """Whether the app has confirmed a session of this very person and sign-in, which may still live.

        By subject and time alone: not every provider names its sessions.
        """
        entry = self.entry
        if entry is None or entry.holding is not Holding.HOLDS or self.outlived():
            return False
        return (entry.sub, entry.auth_time) == (self.who.sub, self.who.auth_time)

    def login_mode(self) -> Mode:
        """How the login visits the app: without a page where none may be shown, or where the app was told already.

        A posted ticket comes without the app's cookies, so each one adds a session to those that are there. A page of
        somebody else that sends a browser round and round would fill its jar until the app refuses its requests; by
        ``two_step`` the app sees what it has, and deletes it in the same answer.
        """
        needless = self.silent or self.again()
        return Mode.TWO_STEP if needless and self.app.login is Mode.FORM_POST else self.app.login

    def logout_mode(self) -> Mode:
        """How the logout visits the app: over the back channel only where a session is known by its name.

        An app that takes no ticket of ours at a login has no hop; nothing can be done for it without a name.
        """
        if self.app.logout is not Mode.BACK_CHANNEL or (self.entry is not None and self.entry.sid):
            return self.app.logout
        if self.app.login in {Mode.NONE, Mode.EXTERNAL}:
            return self.app.logout
        return Mode.FORM_POST if self.app.login is Mode.FORM_POST else Mode.REDIRECT

    def foreign(self) -> bool:
        """Whether the app holds or may hold the session of another person."""
        return others_session(self.entry, self.who, self.now, self.app)

    def left(self) -> bool:
        """Whether the person signed out of the app after this login had begun."""
        return left_since(self.entry, self.who, self.since_ms)

    def never_seen(self) -> bool:
        """Whether the ledger tells of no session that anybody ever had at the app in this browser."""
        entry = self.entry
        return entry is None or (entry.holding in GONE and not entry.sub and not entry.sid)

    def untold(self) -> bool:
        """Whether the ledger has no line for an app that may be signed in to.

        A browser whose memory was lost looks like a new one, so only a line says that there is no session (0009).
        """
        return self.entry is None and self.app.login is not Mode.NONE

    def outlived(self) -> bool:
        """Whether a session of the app must have run out by itself."""
        return self.entry is not None and self.now - self.entry.since > self.app.session_max


def others_session(entry: Entry | None, who: SignedIn, now: int, app: App) -> bool:
    """Whether ``entry`` tells of a session at ``app`` that may live and is not ``who``'s."""
    return entry is not None and may_live(entry, now, app) and bool(entry.sub) and entry.sub != who.sub


def left_since(entry: Entry | None, who: SignedIn, since_ms: int) -> bool:
    """Whether ``entry`` tells of a logout that began no earlier than ``since_ms``.

    That of somebody else may be one that a login owed, so it does not count. Epochs may run ahead of the clock, and the
    time in seconds is that of the answer: so both must say it.
    """
    if entry is None or not 0 < since_ms <= min(entry.epoch, entry.since * 1000 + 999):
        return False
    nameless = entry.holding is Holding.MAY_HOLD and not entry.sid  # a login's line has the name of its session
    return (nameless or entry.holding in {*GONE, Holding.OWED}) and entry.sub in {"", who.sub}


def may_live(entry: Entry, now: int, app: App) -> bool:
    """Whether ``entry`` tells of a session at ``app`` that may not have ended yet."""
    return entry.holding not in GONE and now - entry.since <= app.session_max


_Rule = tuple[Callable[[_Case], bool], bool, str]

LOGIN_RULES: tuple[_Rule, ...] = (
    (lambda c: c.app.login is Mode.NONE, False, "takes no login"),
    (lambda c: c.left(), False, "signed out of it after this login had begun"),
    (lambda c: c.app.id == c.asking, True, "it asked for the login"),
    (lambda c: c.silent and bool(c.asking), False, "a silent login visits only the app that asked"),
    (lambda c: c.foreign(), True, "holds a session of somebody else"),
    (lambda c: c.app.visit is Visit.LAZY, False, "lazy: signs in on its first visit"),
    (lambda c: c.app.visit is Visit.RECENT and c.never_seen(), False, "recent: this browser has not been there yet"),
    (lambda c: c.fresh(), False, "holds a fresh session of the same sign-in"),
    (lambda c: c.app.visit is Visit.RECENT, True, "recent: this browser has been there"),
    (lambda c: True, True, "eager: walked at each login"),  # noqa: ARG005 - the last rule fits every app
)

LOGOUT_RULES: tuple[_Rule, ...] = (
    (lambda c: bool(c.only) and c.app.id != c.only, False, "only one app signs out"),
    (lambda c: c.app.logout is Mode.NONE, False, "takes no logout"),
    (lambda c: bool(c.only), True, "it is the one that signs out"),
    (lambda c: not c.known, True, "nothing is known of this browser, so it may hold a session"),
    (lambda c: c.untold(), True, "may hold a session: this browser has not signed out of it yet"),
    (lambda c: c.entry is None or c.entry.holding in GONE, False, "holds no session of this browser"),
    (lambda c: c.outlived(), False, "its session has run out"),
    (lambda c: c.holding(Holding.OWED), True, "owed: an earlier sign-out was not confirmed"),
    (lambda c: c.holding(Holding.MAY_HOLD), True, "may hold a session: a ticket went out"),
    (lambda c: True, True, "holds a session"),  # noqa: ARG005 - the last rule fits every app
)


def _decide(rules: tuple[_Rule, ...], case: _Case, mode: Mode) -> Decision:
    visited, reason = next((visited, reason) for fits, visited, reason in rules if fits(case))
    return Decision(case.app, visited, mode, reason)


def plan_login(
    chain: Chain,
    ledger: Mapping[str, Entry],
    who: SignedIn,
    *,
    now: int,
    asking: str = "",
    silent: bool = False,
    since_ms: int = 0,
) -> tuple[Decision, ...]:
    """The decision for each app of ``chain``, in the order of the hops; ``asking`` is the app that sent the browser.

    A ``silent`` login shows no page, so few apps are visited, and none by ``form_post`` (``_Case.login_mode``).
    ``since_ms`` is when it left for the provider, or when the person signed in there since; 0 if that is not asked.
    """
    decisions: list[Decision] = []
    left = SILENT_HOPS if silent else len(chain.apps)
    for app in chain.apps:
        case = _Case(app, ledger.get(app.id), now, asking=asking, silent=silent, who=who, since_ms=since_ms)
        decision = _decide(LOGIN_RULES, case, case.login_mode())
        if decision.visited and not left:
            decision = replace(decision, visited=False, reason="a silent login shows no page, so it stops here")
        left -= decision.visited
        decisions.append(decision)
    return tuple(decisions)


def plan_logout(
    chain: Chain, browser: Browser | None, *, now: int, only: str = "", others: Mapping[str, App] | None = None
) -> tuple[Decision, ...]:
    """The decision for each app of ``chain`` in the order of the hops; ``only`` limits it to one app.

    Where nothing is known of the browser, or not the whole, every app may hold a session. ``others`` are registered
    apps outside the chain: one that holds a session of this browser is visited too, as "signed out" means everywhere.
    """
    ledger = {name: e for name, e in browser.ledger.items() if name != OP_LINE} if browser is not None else {}
    known = bool(ledger) and browser is not None and browser.whole
    inside = {app.id for app in chain.apps}
    outside = [app for app_id, app in (others or {}).items() if app_id not in inside and app_id in ledger]
    decisions = []
    for app in (*chain.apps, *outside):
        case = _Case(app, ledger.get(app.id), now, known=known, only=only)
        decisions.append(_decide(LOGOUT_RULES, case, case.logout_mode()))
    return tuple(sorted(decisions, key=lambda d: _turn(d, ledger.get(d.app.id))))


def _turn(decision: Decision, entry: Entry | None) -> tuple[bool, bool, bool]:
    """The order of the hops: told without a hop, owed, the operator's own, external."""
    owed = entry is not None and entry.holding is Holding.OWED
    return decision.mode is not Mode.BACK_CHANNEL, not owed, decision.mode is Mode.EXTERNAL


def hops_of(decisions: tuple[Decision, ...]) -> Hops:
    """The planned hops of those decisions that make one."""
    return Hops.of(tuple(Hop(d.app.tag, d.mode, d.app.required, d.app.retries) for d in decisions if d.visited))
