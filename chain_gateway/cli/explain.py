"""``explain``: the hops that a walk would make and why, app by app, with redirects in a row and where pages fall."""

from __future__ import annotations

import time
from pathlib import Path

from chain_gateway.cli.console import DONE, USAGE, complain, say, say_json, say_table
from chain_gateway.config.load import load
from chain_gateway.config.model import Settings
from chain_gateway.config.registry import registry
from chain_gateway.core.actions import SendAway, SendBegin, SendTicket, SendToOp, ShowPause
from chain_gateway.core.chain import AppId, Chain, Mode
from chain_gateway.core.forecast import Stretch, ahead
from chain_gateway.core.ledger import Browser, Entry, Holding
from chain_gateway.core.limits import WALK_SECONDS
from chain_gateway.core.plan import Decision, SignedIn, hops_of, plan_login, plan_logout
from chain_gateway.core.walk import Kind, OpLogout, Walk
from chain_gateway.service.story import story

HOLDINGS = {"holds": Holding.HOLDS, "may_hold": Holding.MAY_HOLD, "owed": Holding.OWED, "none": Holding.NONE}
OP_LOGOUT = {"first": OpLogout.FIRST, "last": OpLogout.LAST, "none": OpLogout.NONE}
LOGIN_REDIRECTS = 6


def explain(path: Path, *, login: bool, chain: str, state: tuple[str, ...], as_json: bool) -> int:
    """Prints the plan of one walk; ``state`` has items APP=HOLDING. Returns the exit code."""
    settings = load(path)
    found = registry(settings).chain_for(chain, "")
    if found is None:
        complain(f"no chain has this id; the chains are {', '.join(c.id for c in settings.chains)}")
        return USAGE
    ledger = _ledger(found, state)
    if ledger is None:
        return USAGE
    now = int(time.time())
    who = SignedIn("somebody", "session", now)
    decisions = (
        plan_login(found, ledger, who, now=now) if login else plan_logout(found, Browser(b"", ledger=ledger), now=now)
    )
    walk = _walk(settings, found, decisions, login=login, now=now)
    (_tell_json if as_json else _tell)(decisions, list(ahead(walk)), walk)
    return DONE


def _ledger(chain: Chain, state: tuple[str, ...]) -> dict[str, Entry] | None:
    now = int(time.time())
    ids = {app.id for app in chain.apps}
    ledger: dict[str, Entry] = {}
    for item in state:
        app, _, word = item.partition("=")
        if app not in ids or word not in HOLDINGS:
            complain(f"--state takes APP=HOLDING: an app of the chain, and one of {', '.join(HOLDINGS)}")
            return None
        ledger[app] = Entry(AppId(app), HOLDINGS[word], now * 1000, now, "somebody", "session", now)
    return ledger


def _walk(settings: Settings, chain: Chain, decisions: tuple[Decision, ...], *, login: bool, now: int) -> Walk:
    return Walk(
        id=bytes(16),
        kind=Kind.LOGIN if login else Kind.LOGOUT,
        browser=bytes(16),
        epoch=now * 1000,
        chain=chain.id,
        hops=hops_of(decisions),
        nonce=bytes(16),
        issued_at=now,
        expires_at=now + WALK_SECONDS,
        redirects=LOGIN_REDIRECTS if login else 1,
        budget=settings.gateway.redirect_budget,
        op=OpLogout.NONE if login else OP_LOGOUT[settings.op.logout],
    )


def _rows(decisions: tuple[Decision, ...]) -> list[tuple[str, str, str, str]]:
    return [(d.app.id, "visit" if d.visited else "-", d.mode.word if d.visited else "-", d.reason) for d in decisions]


def _tell(decisions: tuple[Decision, ...], stretches: list[Stretch], walk: Walk) -> None:
    pages = _pages(stretches, walk)
    hops = len(walk.hops)
    most = max((stretch.redirects for stretch in stretches), default=0)
    say(
        f"{walk.kind.word}: {hops} hop{'' if hops == 1 else 's'}, {len(pages)} page{'' if len(pages) == 1 else 's'}, "
        f"at most {most} of {walk.budget} redirects in a row"
    )
    say_table(("app", "", "mode", "why"), _rows(decisions))
    for line in story(stretches, walk, [d.app.id for d in decisions if d.visited]):
        say(f"  {line}")


def _pages(stretches: list[Stretch], walk: Walk) -> list[Stretch]:
    return [
        s
        for s in stretches
        if isinstance(s.action, ShowPause)
        or (isinstance(s.action, SendTicket) and walk.hops[s.cursor].mode is Mode.FORM_POST)
    ]


def _tell_json(decisions: tuple[Decision, ...], stretches: list[Stretch], walk: Walk) -> None:
    say_json(
        {
            "kind": walk.kind.word,
            "hops": len(walk.hops),
            "pages": len(_pages(stretches, walk)),
            "redirect_budget": walk.budget,
            "redirects_in_a_row": max((s.redirects for s in stretches), default=0),
            "apps": [
                {"id": d.app.id, "visited": d.visited, "mode": d.mode.word, "reason": d.reason} for d in decisions
            ],
            "steps": [
                {"step": _word(s), "hop": s.cursor, "redirects": s.redirects}
                for s in stretches
                if isinstance(s.action, SendTicket | SendBegin | SendAway | SendToOp | ShowPause)
            ],
        }
    )


def _word(stretch: Stretch) -> str:
    words = {SendTicket: "ticket", SendBegin: "begin", SendAway: "external", SendToOp: "op_logout", ShowPause: "page"}
    return words[type(stretch.action)]
