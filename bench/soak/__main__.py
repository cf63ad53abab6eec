"""``python -m bench.soak [--seconds N] [--json] [--write FILE]``: a run, its figures, and whether anything broke."""

from __future__ import annotations

import argparse
import json
import resource
import sys
from collections.abc import Sequence
from pathlib import Path

import uvloop

from bench.figures import MeasurementFailed
from bench.page import put
from bench.soak.report import lines
from bench.soak.run import soak


def main(words: Sequence[str] | None = None) -> int:
    """0 if every invariant held, else 1."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description="Two gateways under load and faults.")
    parser.add_argument("--seconds", type=float, default=60, help="calm between the faults, in all (default: 60)")
    parser.add_argument("--people", type=int, default=16, help="how many at once (default: 16)")
    parser.add_argument("--workers", type=int, default=2, help="processes of each gateway (default: 2)")
    parser.add_argument("--drain", type=float, default=120, help="seconds for owed logouts in real time (default: 120)")
    parser.add_argument("--seed", type=int, default=1, help="who comes, and what they do (default: 1)")
    parser.add_argument("--json", action="store_true", help="answer with one JSON object")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the figures into FILE, at its mark")
    options = parser.parse_args(words)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    try:
        figures = uvloop.run(soak(options.seconds, options.people, options.workers, options.drain, options.seed))
    except MeasurementFailed as failure:
        print(f"failed: {failure}", file=sys.stderr)
        return 1
    if options.write is not None:
        put(options.write, "soak", lines(figures))
    print(json.dumps(figures, indent=2) if options.json else "\n".join(lines(figures)))
    return 1 if figures["violations"] else 0


if __name__ == "__main__":
    sys.exit(main())
