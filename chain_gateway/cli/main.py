"""The frame of the command line: ``chain-gateway COMMAND``, which is ``python3 run.py COMMAND``.

Exit code 0: done. 1: it did not hold. 2: wrong usage or configuration. A command's module is loaded when it is asked
for, so that each starts as fast as it can.
"""

from __future__ import annotations

import gc
import importlib
import importlib.util
import itertools
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from chain_gateway.cli import keys_commands, walks_commands
from chain_gateway.cli.console import USAGE, broken, complain, refused, say, say_json
from chain_gateway.cli.version import versions
from chain_gateway.errors import ConfigError

PROGRAM = "chain-gateway"
INTERRUPTED = 130
PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True}

Json = Annotated[bool, typer.Option("--json", help="Answer with one JSON object.")]
Config = Annotated[Path, typer.Option("--config", metavar="FILE", help="The configuration file.")]
Fail = Annotated[
    list[str] | None,
    typer.Option(
        metavar="APP=KIND", help="A site fails: down, hang, error, no-receipt, reset, loop, slow:2s; repeatable."
    ),
]

frame = typer.Typer(
    help="One sign-in and one sign-out for sites on foreign domains.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
frame.add_typer(keys_commands.frame, name="keys")
frame.add_typer(walks_commands.frame, name="walks")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; ``argv`` is without the program's name. Returns the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        frame(args=words, prog_name=PROGRAM)
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else 0
    except KeyboardInterrupt:
        return INTERRUPTED
    except ConfigError as error:
        return refused(error, as_json="--json" in words)
    except Exception as error:  # noqa: BLE001  (the last line of defence: a person reads a sentence, not a traceback)
        return broken(error, debug="--debug" in itertools.takewhile(_is_option, words))
    return 0


def _is_option(word: str) -> bool:
    return word.startswith("-")


def _run(module: str, function: str, *args: object, **named: object) -> None:
    """Ends with the exit code of ``function`` in ``chain_gateway.cli.MODULE``."""
    name = f"chain_gateway.cli.{module}"
    if importlib.util.find_spec(name) is None:
        complain(f"this version has no command {module}")
        raise typer.Exit(USAGE)
    command: Callable[..., int] = getattr(importlib.import_module(name), function)
    raise typer.Exit(command(*args, **named))


@frame.callback(invoke_without_command=True)
def top(
    ctx: typer.Context,
    *,
    version: Annotated[bool, typer.Option("--version", help="Show the versions of what matters.")] = False,
    json: Annotated[bool, typer.Option("--json", help="With --version: as JSON.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show where a failure happened.")] = False,
) -> None:
    """One sign-in and one sign-out for sites on foreign domains."""
    del debug  # main reads it, as a failure leaves every context behind
    if version:
        found = versions()
        say_json(found) if json else say("\n".join(f"{name} {number}" for name, number in found.items()))
        raise typer.Exit
    if ctx.invoked_subcommand is None:
        complain("a command is missing; see chain-gateway --help")
        raise typer.Exit(USAGE)


@frame.command()
def serve(
    *, config: Config, workers: Annotated[int, typer.Option(min=1, help="How many processes serve.")] = 1
) -> None:
    """Run the gateway."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a reload that comes before there is anything to reload kills nobody
    gc.disable()  # what is loaded from here on is there to stay; serve sets it going again
    _run("serve", "serve", config, workers)


@frame.command()
def check(*, config: Config, json: Json = False) -> None:
    """Show every problem of a configuration at once."""
    _run("check", "check", config, as_json=json)


@frame.command()
def doctor(*, config: Config, json: Json = False) -> None:
    """Look at the provider, the apps, the store and the keys as they really are."""
    _run("doctor", "doctor", config, as_json=json)


@frame.command()
def explain(
    *,
    config: Config,
    login: Annotated[bool, typer.Option("--login/--logout", help="Which walk to explain.")] = True,
    chain: Annotated[str, typer.Option(metavar="ID", help="The chain; default: the first.")] = "",
    state: Annotated[
        list[str] | None, typer.Option(metavar="APP=HOLDING", help="What the ledger says of an app; repeatable.")
    ] = None,
    json: Json = False,
) -> None:
    """Show the hops that a walk would make, and why, app by app."""
    _run("explain", "explain", config, login=login, chain=chain, state=tuple(state or ()), as_json=json)


@frame.command(context_settings=PASS_ON, add_help_option=False)
def test(ctx: typer.Context) -> None:
    """Run the tests; arguments go to pytest."""
    _run("test", "run", list(ctx.args))


@frame.command()
def bench(
    *,
    names: Annotated[list[str] | None, typer.Argument(help="Which measurements; default: all.")] = None,
    json: Json = False,
) -> None:
    """Measure, and print the table."""
    _run("bench", "bench", tuple(names or ()), as_json=json)


@frame.command()
def demo(
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The one port; 0 takes a free one.")] = 8080,
    apps: Annotated[
        int | None, typer.Option(min=1, max=200, metavar="N", help="N generated apps in place of the four.")
    ] = None,
    chain: Annotated[Path | None, typer.Option(metavar="FILE", help="Apps and chains of a configuration.")] = None,
    login_mode: Annotated[str, typer.Option(metavar="MODE", help="How all apps are signed in.")] = "",
    logout_mode: Annotated[str, typer.Option(metavar="MODE", help="How all apps are signed out.")] = "",
    fail: Fail = None,
    store: Annotated[str, typer.Option(metavar="URL", help="Where walks are kept.")] = "memory://",
    dialect: Annotated[str, typer.Option(metavar="oidc|auth0", help="How the embedded provider speaks.")] = "oidc",
    op: Annotated[str, typer.Option(metavar="URL", help="The issuer of a real provider, in place of ours.")] = "",
    op_kind: Annotated[str, typer.Option(metavar="oidc|auth0", help="What the real provider is.")] = "oidc",
    op_client_id: Annotated[
        str, typer.Option(metavar="ID", help="Our client there; its secret is read from OP_CLIENT_SECRET.")
    ] = "",
    headless_check: Annotated[
        bool, typer.Option("--headless-check", help="Walk once with a headless browser, judge, and end.")
    ] = False,
    json: Json = False,
) -> None:
    """Start everything on loopback: gateway, provider and four sites."""
    options = importlib.import_module("chain_gateway.demo.options").DemoOptions(
        port=port,
        apps=apps,
        chain=chain,
        login_mode=login_mode,
        logout_mode=logout_mode,
        fail=tuple(fail or ()),
        store=store,
        dialect=dialect,
        op=op,
        op_kind=op_kind,
        op_client_id=op_client_id,
        op_client_secret=os.environ.get("OP_CLIENT_SECRET", ""),
        headless_check=headless_check,
        as_json=json,
    )
    _run("demo", "demo", options)


if __name__ == "__main__":
    sys.exit(main())
