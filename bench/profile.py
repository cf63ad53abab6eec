"""``python -m bench.profile [--write FILE]``: where the time of a hop goes, step by step, in one run."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import uvloop

from bench.child import Child
from bench.crowd import crowd
from bench.figures import Size, middle
from bench.page import put
from bench.relay import BARE, BARE_SHARE, FEW, HOPS, PLAIN, TO_BARE, TO_NEXT, Series

AROUND: Final = "aiohttp around all that: request read and parsed, route found, answer written; the stopwatch itself"
Steps = list[tuple[str, float]]


async def steps(size: Size) -> tuple[Steps, Series, Series]:
    """The µs of each step, and the rounds of hops and of bare redirects that they were taken in."""
    hop, bare = Series(), Series()
    with Child("bench.relay_server", "memory://", str(FEW), "watched") as server:
        ports = [int(port) for port in server.ask("ports")]
        async with crowd(ports[HOPS]) as at_relay, crowd(ports[PLAIN]) as at_bare:
            for _ in range(size.slices):
                requests = [text.encode() for text in server.ask(f"hops {size.hops} {FEW}")]
                await bare.take(server, at_bare, [BARE] * (BARE_SHARE * size.hops), TO_BARE)
                await hop.take(server, at_relay, requests, TO_NEXT)
            told = [line.partition(" ") for line in server.ask("steps")]
    return [(name, float(took)) for took, _, name in told], hop, bare


def lines(found: Steps, hop: Series, bare: Series) -> list[str]:
    """The table, in Markdown."""
    whole = middle(hop.cpu)
    around = max(0.0, whole - sum(took for _, took in found))
    rows = [*found, (AROUND, around), ("**the whole hop**", whole), ("a bare 302, for comparison", middle(bare.cpu))]
    head = ["| step | µs | share |", "| --- | ---: | ---: |"]
    return head + [f"| {name} | {took:.0f} | {took / whole:.0%} |" for name, took in rows]


def main(words: Sequence[str] | None = None, size: Size | None = None) -> None:
    """Prints the table, or writes it into a page at its mark."""
    parser = argparse.ArgumentParser(description="Where the time of a hop goes.")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table into FILE, in place of the last one")
    options = parser.parse_args(words)
    table = lines(*uvloop.run(steps(size or Size())))
    if options.write is None:
        print("\n".join(table))
    else:
        put(options.write, "profile", table)


if __name__ == "__main__":
    main()
