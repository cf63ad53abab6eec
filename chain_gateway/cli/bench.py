"""``bench``: measures what the gateway costs, by the checkout's ``bench/`` folder, and prints the table."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from chain_gateway.cli.console import USAGE, complain

ROOT: Final = Path(__file__).parents[2]


def bench(names: tuple[str, ...], *, as_json: bool, root: Path = ROOT) -> int:
    """Measures ``names`` (each for itself and all that begin with it and a dot; none means all); the exit code.

    The folder stands beside the package in a checkout, and is no part of an installed one.
    """
    if not (root / "bench" / "answer.py").is_file():
        complain("there is no bench/ folder beside this program: measuring takes a checkout of the project")
        complain("  run it there: python3 run.py bench")
        return USAGE
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    cores = os.cpu_count() or 1
    if os.getloadavg()[0] > cores / 2:
        complain("this machine has other work: numbers will be worse than they are, ratios hold better")
    answer: Callable[..., int] = importlib.import_module("bench.answer").answer
    return answer(names, as_json=as_json)
