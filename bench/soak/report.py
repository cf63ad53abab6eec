"""The figures of a run as a table, for a page or a terminal."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from typing import Any

from chain_gateway.cli.version import versions


def lines(figures: dict[str, Any]) -> list[str]:
    """The table, in Markdown, and what it was taken on."""
    rows = ["| what | how much |", "| --- | --- |", *(f"| {what} | {said} |" for what, said in _rows(figures))]
    trouble = ["", "What people met that was no page of a walk:", "", "| cause | how often |", "| --- | ---: |"]
    trouble += [f"| {_plain(cause)} | {count} |" for cause, count in _causes(figures["trouble"]).items()]
    broken = [f"- `{name}`: {found}" for name, all_found in figures["violations"].items() for found in all_found]
    return [*rows, *trouble, *(["", "**Broken:**", "", *broken] if broken else []), "", _machine()]


def _rows(figures: dict[str, Any]) -> list[tuple[str, str]]:
    begun, took = figures["walks_begun"], figures["login_ms"]
    ends = ", ".join(f"{count} `{end}`" for end, count in figures["ends"].items())
    count, owed = len(figures["violations"]), (figures["owed_at_end"], figures["owed_after_drain"])
    return [
        ("how long people came, how many at once", f"{figures['seconds']} s, {figures['people']}"),
        ("processes that serve", f"{figures['workers']}, in two gateways"),
        ("browsers, trips", f"{figures['browsers']:,}; {figures['trips']:,}"),
        ("how the trips ended", ends),
        ("walks begun", f"{begun['login']:,} sign-ins, {begun['logout']:,} sign-outs"),
        ("a sign-in, the person's clicks included", f"median {took['median']:,} ms, 99 of 100 in {took['p99']:,} ms"),
        ("hops that an app has signed", f"{figures['receipts']:,}"),
        ("sign-outs read to the end", f"{figures['logouts_read']:,}, {figures['logouts_complete']:,} by every app"),
        ("walks open when people had gone", f"{figures['open_at_end']:,}: their tabs were closed, or they gave way"),
        ("logouts owed when people had gone", f"{owed[0]:,}, {owed[1]:,} after the wait"),
        ("logouts delivered", f"{figures['deliveries_confirmed']:,}; {figures['deliveries_failed']:,} attempts failed"),
        ("what was done", "; ".join(figures["done"])),
        ("workers that died by themselves", str(figures["workers_died"])),
        ("gateways that ended calmly", str(figures["calm_ends"])),
        ("the longest run of redirects", str(figures["longest_redirects"])),
        ("open, and owed, after the walks' own time", f"{figures['open_walks']}; {figures['owed']}"),
        ("logouts that Redis forgot in its failover", str(figures["forgotten_by_redis"])),
        ("**invariants checked, broken**", f"**{len(figures['checks'])}; {count}**"),
    ]


def _causes(trouble: dict[str, int]) -> dict[str, int]:
    """Causes without the ids of walks, the most frequent first."""
    found: dict[str, int] = {}
    for cause, count in trouble.items():
        name = cause.partition("/walks/")[0] + ("/walks/…" if "/walks/" in cause else "")
        found[name] = found.get(name, 0) + count
    return dict(sorted(found.items(), key=lambda each: -each[1]))


def _plain(cause: str) -> str:
    return cause.replace("IncompleteReadError", "no answer").replace("TimeoutError", "no answer in time")


def _machine() -> str:
    """What the run was on, in a sentence."""
    known, load, cores = versions(), os.getloadavg()[0], os.cpu_count()
    server = subprocess.run(
        [shutil.which("redis-server") or "", "--version"], capture_output=True, text=True, check=True
    )
    redis = server.stdout.partition("v=")[2].split()[0]
    parts = ", ".join(f"{name} {known[name]}" for name in ("python", "aiohttp", "uvloop"))
    return f"{platform.machine()}, {cores} cores, load {load:.1f} at the end of the run; {parts}, redis {redis}."
