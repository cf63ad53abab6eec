"""What the command ``bench`` says: one JSON object for programs, a table for people."""

from __future__ import annotations

import sys

from bench.catalogue import WORDS, chosen, measure
from bench.figures import Figure, MeasurementFailed, Size
from bench.table import shown
from chain_gateway.cli.console import DONE, FAILED, USAGE, complain, say_json, say_table


def answer(names: tuple[str, ...], *, as_json: bool, size: Size | None = None) -> int:
    """Measures ``names`` and prints the figures; the exit code."""
    try:
        wanted = chosen(names)
    except KeyError as unknown:
        complain(f"nothing is called {unknown.args[0]}; there are: {' '.join(WORDS)}")
        return USAGE
    try:
        figures = measure(wanted, size or Size(), _tell)
    except MeasurementFailed as failure:
        complain(f"failed: {failure}")
        return FAILED
    if as_json:
        say_json({name: figure.as_json() for name, figure in figures.items()})
    else:
        say_table(("name", "value", "unit", "baseline", "ratio"), [_row(*each) for each in figures.items()])
    return DONE


def _row(name: str, figure: Figure) -> tuple[str, ...]:
    told = figure.as_json()
    return (name, shown(told["value"]), figure.unit, shown(told["baseline"]), shown(told["ratio"]))


def _tell(name: str) -> None:
    """Progress, for those who watch."""
    if sys.stderr.isatty():
        complain(f"measuring {name} …")
