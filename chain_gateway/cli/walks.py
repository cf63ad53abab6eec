"""``walks``: what there is of open walks and owed logouts, for people and programs, and what can be done about them."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import typer

from chain_gateway.cli import beside
from chain_gateway.cli.console import DONE, FAILED, USAGE, complain, say, say_json, say_table
from chain_gateway.config.load import load
from chain_gateway.config.registry import registry
from chain_gateway.service import walk_book
from chain_gateway.service.walk_book import when

WALKS: Final = ("walk", "kind", "chain", "place", "at", "confirmed", "failed", "ends")
OWED: Final = ("owed", "app", "since", "attempts", "next")
HOPS: Final = ("app", "mode", "outcome")


def show_all(path: Path, *, as_json: bool) -> int:
    """Prints open walks and owed logouts of the store that the configuration at ``path`` names."""
    return asyncio.run(_show_all(path, as_json=as_json))


def show(path: Path, name: str, *, as_json: bool) -> int:
    """Prints the walk or the owed logout with the id ``name``; 1 if there is none."""
    return asyncio.run(_show(path, name, as_json=as_json))


def retry(path: Path, app: str, *, as_json: bool) -> int:
    """Makes what ``app`` is owed due now, or what all apps are."""
    return asyncio.run(_retry(path, app, as_json=as_json))


def drop(path: Path, name: str, *, sure: bool, as_json: bool) -> int:
    """Drops the walk or the owed logout with the id ``name``; asks first unless ``sure``."""
    return asyncio.run(_drop(path, name, sure=sure, as_json=as_json))


async def _show_all(path: Path, *, as_json: bool) -> int:
    settings = load(path)
    async with beside.opened(settings) as store:
        walks, owed = await walk_book.listed(store, registry(settings))
    if as_json:
        say_json({"walks": walks, "owed": owed})
        return DONE
    now = int(time.time())
    say(f"{_counted(len(walks), 'open walk')}, {_counted(len(owed), 'owed logout')}")
    if walks:
        say_table(WALKS, [_walk_row(walk, now) for walk in walks])
    if owed:
        say_table(OWED, [_owed_row(each, now) for each in owed])
    return DONE


async def _show(path: Path, name: str, *, as_json: bool) -> int:
    settings = load(path)
    async with beside.opened(settings) as store:
        found = await walk_book.find(store, name)
    now = int(time.time())
    columns: Sequence[str]
    rows: list[tuple[str, ...]]
    if found.walk is not None:
        members = walk_book.walk_members(found.walk, registry(settings), hops=True)
        columns, rows = HOPS, [tuple(str(hop[column]) for column in HOPS) for hop in _hops(members)]
        first = f"{members['kind']} by {members['chain']}: {members['place']}, ends {when(members['expires_at'], now)}"
    elif found.owed is not None:
        members = walk_book.owed_members(found.owed)
        columns, rows = OWED, [_owed_row(members, now)]
        first = f"a logout that {members['app']} is owed"
    else:
        return _unknown(name)
    if as_json:
        say_json(members)
    else:
        say(first)
        say_table(columns, rows)
    return DONE


async def _retry(path: Path, app: str, *, as_json: bool) -> int:
    settings = load(path)
    if app and app not in registry(settings).apps:
        complain(f"no app has the id {app!r}; the apps are {', '.join(registry(settings).apps)}")
        return USAGE
    async with beside.opened(settings) as store:
        with beside.audited(settings) as hand:
            count = await walk_book.retry(store, app, int(time.time()), hand)
    if as_json:
        say_json({"due": count})
    else:
        say(f"{_counted(count, 'owed logout')} due now" if count else "nothing is owed")
    return DONE


async def _drop(path: Path, name: str, *, sure: bool, as_json: bool) -> int:
    settings = load(path)
    async with beside.opened(settings) as store:
        found = await walk_book.find(store, name)
        if found.walk is None and found.owed is None:
            return _unknown(name)
        if not sure and not (sys.stdin.isatty() and sys.stderr.isatty()):
            complain("nobody can be asked here; --yes says that you mean it")
            return USAGE
        what = "this owed logout, so that its app may keep the session" if found.owed else "this walk where it stands"
        if not sure and not typer.confirm(f"drop {what}?", err=True):
            complain("nothing was dropped")
            return FAILED
        with beside.audited(settings) as hand:
            dropped = await walk_book.drop(store, found, hand)
    if as_json:
        say_json({"dropped": dropped})
    else:
        say(f"dropped {name}" if dropped else f"{name} had ended already")
    return DONE if dropped else FAILED


def _unknown(name: str) -> int:
    complain(f"no walk and no owed logout has the id {name!r}")
    return FAILED


def _hops(members: Mapping[str, object]) -> list[dict[str, object]]:
    hops = members["hops"]
    return hops if isinstance(hops, list) else []


def _walk_row(walk: Mapping[str, object], now: int) -> tuple[str, ...]:
    confirmed = f"{walk['confirmed']} of {walk['total']}"
    parts = (walk["id"], walk["kind"], walk["chain"], walk["place"], walk["at"] or "-", confirmed, walk["failed"])
    return (*(str(part) for part in parts), when(walk["expires_at"], now))


def _owed_row(owed: Mapping[str, object], now: int) -> tuple[str, ...]:
    app = f"{owed['app']} (the session before)" if owed["former"] else str(owed["app"])
    following = when(owed["due"], now) if owed["deliverable"] else "at the browser's next visit"
    return (str(owed["id"]), app, when(owed["since"], now), str(owed["attempts"]), following)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
