"""``demo``: start everything on loopback and say what to try, or let a headless browser try it."""

from __future__ import annotations

import asyncio
import importlib
import logging
import signal
from collections.abc import Awaitable, Callable

from chain_gateway.cli import logs
from chain_gateway.cli.console import DONE, FAILED, USAGE, complain, say, say_json
from chain_gateway.demo.options import DemoOptions
from chain_gateway.demo.report import Report
from chain_gateway.demo.server import running
from chain_gateway.demo.settings import Stage
from chain_gateway.errors import ConfigError, Problem

SHOWN = 6


def demo(options: DemoOptions) -> int:
    """Runs the demo until Ctrl-C or SIGTERM, or one headless check; returns the exit code."""
    # Standard output is for the answer; what goes wrong meanwhile is told beside it.
    logs.configure(least=logging.WARNING)
    return asyncio.run(_check(options) if options.headless_check else _serve(options))


async def _serve(options: DemoOptions) -> int:
    """Serves until a signal comes; which one makes no difference."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with running(options) as ready:
        _tell_who_is_left_out(ready)
        if options.as_json:
            say_json(_addresses(ready))
        else:
            say(_invitation(ready))
        await stop.wait()
        if not options.as_json:
            say("\nstopped")
    return DONE


async def _check(options: DemoOptions) -> int:
    """One login and one logout by a headless browser, judged app by app."""
    if options.op:
        hint = "leave --op out, or try the real provider by hand"
        raise ConfigError((Problem("--headless-check", "only the embedded provider signs in without a person", hint),))
    try:
        headless = importlib.import_module("chain_gateway.demo.headless")
    except ModuleNotFoundError as error:
        if error.name != "playwright":
            raise
        complain("the headless check needs playwright: .venv/bin/pip install 'playwright>=1.50'")
        return USAGE
    browser = headless.find_browser()
    if not browser:
        complain("the headless check needs Chromium: apt-get install chromium")
        return USAGE
    look: Callable[[Stage, str], Awaitable[Report]] = headless.check
    async with running(options) as ready:
        _tell_who_is_left_out(ready)
        report = await look(ready, browser)
    if options.as_json:
        say_json(report.as_json())
    else:
        say("\n".join(report.as_lines()))
    return DONE if report.ok else FAILED


def _tell_who_is_left_out(ready: Stage) -> None:
    """Says which apps of the file are not there."""
    if ready.left_out:
        complain(f"left out, as the demo has no site without the SDK: {', '.join(ready.left_out)}")


def _addresses(ready: Stage) -> dict[str, object]:
    """Where everything is, for programs."""
    provider = ready.provider if ready.client else ready.settings.op.issuer
    apps = {chain.app_id: chain.origin for chain in ready.chains}
    return {"gateway": ready.gateway, "provider": provider, "apps": apps}


def _invitation(ready: Stage) -> str:
    """Where everything is and what to try, for people."""
    sites = [f"  {look.name:<10} {chain.origin}" for look, chain in zip(ready.looks, ready.chains, strict=True)]
    if len(sites) > SHOWN:
        sites = [*sites[: SHOWN - 1], f"  … and {len(sites) - SHOWN + 1} more, up to {ready.chains[-1].origin}"]
    first, last = ready.looks[0], ready.looks[min(len(ready.looks), SHOWN) - 1]
    provider = f"{ready.provider}  (anybody can be Alice or Bob)" if ready.client else ready.settings.op.issuer
    return "\n".join(
        [
            f"Open {ready.chains[0].origin}",
            "",
            *sites,
            f"  {'gateway':<10} {ready.gateway}",
            f"  {'provider':<10} {provider}",
            "",
            "What to try:",
            f"  1. Sign in at {first.name}, and watch the browser visit every site once.",
            f"  2. Open {last.name}: you are signed in there, on a domain of its own.",
            "  3. Sign out everywhere, at any of them, and look at the others.",
            "  4. Sign in again, and close the tab in the middle: the next visit goes on with it.",
            "",
            "Everything is on this machine. Ctrl-C stops it.",
        ]
    )
