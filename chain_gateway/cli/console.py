"""How a command speaks: answers on standard output, complaints on standard error, and the exit code that fits."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Mapping, Sequence

import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text

from chain_gateway.errors import ChainGatewayError, ConfigError

DONE = 0
FAILED = 1
USAGE = 2


def say(text: str) -> None:
    """A line for people."""
    print(text, flush=True)


def say_json(value: Mapping[str, object]) -> None:
    """One object for programs."""
    say(orjson.dumps(dict(value), option=orjson.OPT_INDENT_2).decode())


def say_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table for people; colours go where they are not wanted (NO_COLOR, no terminal)."""
    table = Table(*columns, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console(width=None if sys.stdout.isatty() else 120).print(table)


def complain(text: str) -> None:
    """A line about what went wrong; what it quotes steers no terminal."""
    print(visible(text), file=sys.stderr, flush=True)


def visible(text: str) -> str:
    """``text`` with what would steer a terminal written out: a path may hold anything that a file spells."""
    return "".join(letter if letter.isprintable() or letter == "\n" else repr(letter)[1:-1] for letter in text)


def refused(error: ConfigError, *, as_json: bool) -> int:
    """Tells every problem of a configuration; returns the exit code."""
    if as_json:
        problems = [{"path": p.path, "reason": p.reason, "hint": p.hint} for p in error.problems]
        say_json({"ok": False, "problems": problems})
        return USAGE
    count = len(error.problems)
    complain(f"refused: {count} problem{'' if count == 1 else 's'}")
    for problem in error.problems:
        complain(f"  {problem.path}: {problem.reason}\n      {problem.hint}")
    return USAGE


def broken(error: Exception, *, debug: bool) -> int:
    """Tells of a failure that no command foresaw; returns the exit code."""
    if debug:
        traceback.print_exception(error)
        return FAILED
    known = isinstance(error, ChainGatewayError | OSError)
    complain(f"failed: {error}" if known else f"failed: {type(error).__name__}: {error}")
    complain("  chain-gateway --debug … shows where")
    return FAILED
