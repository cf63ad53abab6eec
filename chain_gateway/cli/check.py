"""``chain-gateway check``: every problem of a configuration at once, each with its path, its reason and a hint."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from rich.console import Console
from rich.text import Text

from chain_gateway.cli.console import visible
from chain_gateway.config import Settings, load
from chain_gateway.errors import ConfigError, Problem, StoreUnavailable
from chain_gateway.store.urls import open_store

HOLDS = 0
WRONG = 2
"""Exit codes: the configuration holds, or it is wrong."""


def check(path: Path, *, as_json: bool) -> int:
    """Reads the configuration at ``path`` as the gateway would, prints what was found, and returns the exit code.

    A store on a server is asked whether it lets the gateway in; no file is made for one on this machine.
    The first line says how it went. With ``as_json`` it is one object: ``{"ok": bool, "problems": [{"path", "reason",
    "hint"}, …]}``. On a terminal a problem is a small block; elsewhere it is one line, for ``grep``.
    """
    settings: Settings | None = None
    problems: tuple[Problem, ...] = ()
    try:
        settings = load(path)
        asyncio.run(_reach(settings))
    except ConfigError as error:
        settings, problems = None, error.problems
    if as_json:
        _print_json(problems)
    else:
        _print_text(path, settings, problems, Console(highlight=False, soft_wrap=True))
    return WRONG if problems else HOLDS


async def _reach(settings: Settings) -> None:
    """Opens a store that is on a server, and closes it; ConfigError says why not."""
    if not settings.store.url.startswith("redis"):
        return
    store = open_store(settings.store.url)
    try:
        await store.open()
    except StoreUnavailable as error:
        reason = f"cannot be reached: {error.detail}"
        raise ConfigError((Problem("store.url", reason, "start the server, or correct the address"),)) from error
    await store.close()


def _print_json(problems: tuple[Problem, ...]) -> None:
    found = [{"path": problem.path, "reason": problem.reason, "hint": problem.hint} for problem in problems]
    print(json.dumps({"ok": not problems, "problems": found}, indent=2))


def _print_text(path: Path, settings: Settings | None, problems: tuple[Problem, ...], console: Console) -> None:
    if settings is not None:
        console.print(Text(f"{_on_one_line(str(path))}: good, {_sizes(settings)}", "green"))
        return
    console.print(Text(f"{_on_one_line(str(path))}: {_counted(len(problems), 'problem')}", "bold red"))
    for problem in problems:
        console.print(_block(problem) if console.is_terminal else _line(problem))


def _block(problem: Problem) -> Text:
    parts = (
        ("\n" + _on_one_line(problem.path), "bold"),
        f"\n  {_on_one_line(problem.reason)}",
        (f"\n  {_on_one_line(problem.hint)}", "cyan"),
    )
    return Text.assemble(*parts)


def _line(problem: Problem) -> Text:
    return Text(f"{_on_one_line(problem.path)}: {_on_one_line(problem.reason)}; {_on_one_line(problem.hint)}")


def _sizes(settings: Settings) -> str:
    return f"{_counted(len(settings.apps), 'app')} in {_counted(len(settings.chains), 'chain')}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _on_one_line(text: str) -> str:
    """``text`` with every character that could steer a terminal, or end the line, written out."""
    return visible(text).replace("\n", "\\n")
