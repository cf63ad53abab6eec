"""The ``keys`` commands as the command line spells them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from chain_gateway.cli import keys
from chain_gateway.cli.console import say, say_json, say_table
from chain_gateway.tokens.keyring import Keyring
from chain_gateway.tokens.purposes import Use

COLUMNS = ("key", "use", "algorithm", "made", "state", "accepted until")

Config = Annotated[Path | None, typer.Option("--config", metavar="FILE", help="The configuration that names it.")]
Keys = Annotated[Path | None, typer.Option("--keys", metavar="FILE", help="The key file itself.")]
Json = Annotated[bool, typer.Option("--json", help="Answer with one JSON object.")]

frame = typer.Typer(help="Make, rotate, list and retire keys.", no_args_is_help=True)


@frame.command()
def new(
    *,
    config: Config = None,
    keys_file: Keys = None,
    force: Annotated[bool, typer.Option("--force", help="Throw the keys that are there away.")] = False,
    json: Json = False,
) -> None:
    """Make a key file."""
    path, now = keys.key_file(config, keys_file), int(time.time())
    _tell("made", path, keys.new(path, now, force=force), now, json=json)


@frame.command()
def rotate(
    *,
    use: Annotated[Use | None, typer.Argument(help="Which kind; default: each kind.")] = None,
    config: Config = None,
    keys_file: Keys = None,
    json: Json = False,
) -> None:
    """Add new keys; the old ones stay accepted for a while."""
    path, now = keys.key_file(config, keys_file), int(time.time())
    _tell("rotated", path, keys.rotate(path, [use] if use else list(Use), now), now, json=json)


@frame.command(name="list")
def show(*, config: Config = None, keys_file: Keys = None, json: Json = False) -> None:
    """Show what there is, without anything secret."""
    path, now = keys.key_file(config, keys_file), int(time.time())
    _tell("", path, keys.load(path), now, json=json)


@frame.command(context_settings={"ignore_unknown_options": True})  # a key's name may begin with a dash
def retire(
    *,
    kid: Annotated[str, typer.Argument(metavar="KEY", help="The key, as list shows it.")],
    config: Config = None,
    keys_file: Keys = None,
    json: Json = False,
) -> None:
    """Take a key back at once; what it sealed or signed counts no more."""
    path, now = keys.key_file(config, keys_file), int(time.time())
    _tell("retired", path, keys.retire(path, kid, now), now, json=json)


def _tell(done: str, path: Path, ring: Keyring, now: int, *, json: bool) -> None:
    """What was done, and the keys as they are now."""
    if json:
        say_json(keys.as_json(path, ring, now))
        return
    if done:
        say(f"{done}: {path}")
    say_table(COLUMNS, keys.as_lines(ring, now))
