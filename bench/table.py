"""``python -m bench.table [FIGURES] [--write FILE]``: the figures as the table of docs/performance.md.

FIGURES is what ``chain-gateway bench --json`` printed; without it everything is measured now.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from bench.catalogue import WORDS, chosen, measure
from bench.figures import Size
from bench.page import put
from chain_gateway.cli.version import versions

TOLD: Final = ("python", "aiohttp", "uvloop", "cryptography", "joserfc", "openssl", "sqlite")

Figures = Mapping[str, Mapping[str, object]]
"""The figures as JSON has them: by name, with ``value``, ``unit``, ``baseline`` and ``ratio``."""


def lines(figures: Figures) -> list[str]:
    """The table, in Markdown."""
    rows = ["| name | value | unit | baseline | ratio |", "| --- | ---: | --- | ---: | ---: |"]
    for name, figure in figures.items():
        numbers = [shown(figure[key]) for key in ("value", "baseline", "ratio")]
        rows.append(f"| `{name}` | {numbers[0]} | {figure['unit']} | {numbers[1]} | {numbers[2]} |")
    return rows


def legend() -> list[str]:
    """What each name means, in Markdown."""
    rows = ["| name | what is measured | against |", "| --- | --- | --- |"]
    return rows + [f"| `{name}` | {words.what} | {words.against} |" for name, words in WORDS.items()]


def shown(number: object) -> str:
    """A number as the table shows it."""
    return f"{number:,}" if isinstance(number, int) else str(number)


def machine() -> str:
    """What the figures were taken on, in a sentence."""
    known = versions()
    parts = ", ".join(f"{name} {known[name].removeprefix('OpenSSL ').split()[0]}" for name in TOLD)
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    busy = " Other work shared the machine: times are longer than they need be, ratios hold better." * (load > cores)
    return f"{platform.machine()}, {cores} cores, load {load:.1f} at the end of the run; {parts}.{busy}"


def main(words: Sequence[str] | None = None) -> None:
    """Prints the table, or writes it into a page at its marks."""
    parser = argparse.ArgumentParser(description="The figures as a table.")
    parser.add_argument("figures", type=Path, nargs="?", help="the JSON that `chain-gateway bench --json` printed")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table into FILE, in place of the last one")
    options = parser.parse_args(words)
    if options.figures is None:
        taken = measure(chosen(()), Size(), lambda name: print(name, file=sys.stderr, flush=True))
        figures: Figures = {name: figure.as_json() for name, figure in taken.items()}
    else:
        figures = json.loads(options.figures.read_text("utf-8"))
    table = [*lines(figures), "", machine()]
    if options.write is None:
        print("\n".join(table))
    else:
        put(options.write, "figures", table)
        put(options.write, "legend", legend())


if __name__ == "__main__":
    main()
