"""The ``walks`` commands as the command line spells them; what they do is loaded when one is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

Config = Annotated[Path, typer.Option("--config", metavar="FILE", help="The configuration that names the store.")]
Json = Annotated[bool, typer.Option("--json", help="Answer with one JSON object.")]
Name = Annotated[str, typer.Argument(metavar="ID", help="A walk or an owed logout, as list shows it.")]

frame = typer.Typer(help="Look at open walks and owed logouts.", no_args_is_help=True)


@frame.command(name="list")
def show_all(*, config: Config, json: Json = False) -> None:
    """Show open walks and owed logouts."""
    _run("show_all", config, as_json=json)


@frame.command(context_settings={"ignore_unknown_options": True})  # an id may begin with a dash
def show(*, name: Name, config: Config, json: Json = False) -> None:
    """Show one walk, app by app, or one owed logout."""
    _run("show", config, name, as_json=json)


@frame.command()
def retry(
    *,
    app: Annotated[str, typer.Argument(metavar="[APP]", help="Only what this app is owed; default: all.")] = "",
    config: Config,
    json: Json = False,
) -> None:
    """Let owed logouts be delivered now; the running gateway does it within a minute."""
    _run("retry", config, app, as_json=json)


@frame.command(context_settings={"ignore_unknown_options": True})
def drop(
    *,
    name: Name,
    config: Config,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """Stop a walk where it stands, or give an owed logout up: its app may then keep the session."""
    _run("drop", config, name, sure=yes, as_json=json)


def _run(function: str, *args: object, **named: object) -> None:
    """Ends with the exit code of ``function`` in ``cli.walks``."""
    command: Callable[..., int] = getattr(importlib.import_module("chain_gateway.cli.walks"), function)
    raise typer.Exit(command(*args, **named))
