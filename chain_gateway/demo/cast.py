"""Which sites play: the four, generated ones, or those of somebody's own configuration, each on a host of its own.

Of somebody's own configuration all is played but addresses, keys, the store and the provider.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from chain_gateway.demo.looks import FOUR, Look, generated, look_of
from chain_gateway.demo.options import DemoOptions
from chain_gateway.errors import ConfigError, Problem
from chain_gateway.tokens.encoding import b64e

GATEWAY = "login"
PROVIDER = "id"
CLAIMS = ("name", "email")
SECRET_BYTES = 32
FROM_APP = (
    "id",
    "name",
    "login",
    "logout",
    "visit",
    "required",
    "retries",
    "ping",
    "session_max",
    "claims",
    "return_to",
)
"""What of an app can be played on loopback."""
EXTERNAL = frozenset({"external"})

Table = dict[str, object]


def origin(label: str, port: int) -> str:
    """The origin of one host of the demo, as browsers spell it.

    >>> origin("shop", 8080), origin("shop", 80)
    ('http://shop.localhost:8080', 'http://shop.localhost')
    """
    return f"http://{label}.localhost" + ("" if port == 80 else f":{port}")  # noqa: PLR2004  (the port of http)


def document_of(options: DemoOptions) -> Mapping[str, object]:
    """The configuration to play, empty without one; ConfigError if it cannot be read."""
    if options.chain is None:
        return {}
    try:
        return tomllib.loads(options.chain.read_text("utf-8"))
    except OSError as error:
        raise problem(str(options.chain), f"cannot be read: {error.strerror}", "name a configuration") from error
    except ValueError as error:
        raise problem(str(options.chain), f"is not TOML: {error}", "run `chain-gateway check` on it") from error


def picked(document: Mapping[str, object], section: str, keys: Sequence[str]) -> Table:
    """The members of a section that are played as they are."""
    found = document.get(section, {})
    if not isinstance(found, dict):
        raise problem(section, "is no table", "run `chain-gateway check` on it")
    return {key: found[key] for key in keys if key in found}


@dataclass(frozen=True, slots=True)
class Cast:
    """Apps and chains as a configuration has them; ``left_out`` names the apps that cannot be played."""

    apps: list[Table]
    chains: object
    left_out: tuple[str, ...]


def cast(options: DemoOptions, document: Mapping[str, object], port: int, random: Callable[[int], bytes]) -> Cast:
    """Everybody who plays. Apps without the SDK are left out, as every site of the demo has it."""
    listed = _listed(options, document)
    playing = [app for app in listed if EXTERNAL.isdisjoint((app.get("login"), app.get("logout")))]
    left_out = [str(app.get("id")) for app in listed if app not in playing]
    modes = {key: mode for key, mode in (("login", options.login_mode), ("logout", options.logout_mode)) if mode}
    if not EXTERNAL.isdisjoint(modes.values()):
        raise problem("--login-mode", "the demo has no site without the SDK", "choose another mode")
    for app in playing:
        label = str(app.get("id", "")).replace("_", "-")
        if label in {GATEWAY, PROVIDER}:
            raise problem("apps", f"{label} is a host of the demo itself", "give the app another id")
        app.update(modes, origin=origin(label, port), secret=b64e(random(SECRET_BYTES)))
        if app.get("login") != "none":
            app.setdefault("claims", list(CLAIMS))
    chains = _without(document.get("chains"), left_out) or [{"id": "main", "apps": [a.get("id", "") for a in playing]}]
    return Cast(playing, chains, tuple(left_out))


def _listed(options: DemoOptions, document: Mapping[str, object]) -> list[Table]:
    """The apps of the file, or those that its chains name, or the ones that the options ask for."""
    listed = document.get("apps", [])
    if not isinstance(listed, list) or not all(isinstance(app, dict) for app in listed):
        raise problem("apps", "is no list of tables", "run `chain-gateway check` on it")
    apps: list[Table] = [{key: app[key] for key in FROM_APP if key in app} for app in listed]
    named = _named(document)
    if (apps or named) and options.apps is not None:
        raise problem("--apps", f"{options.chain} has apps of its own", "leave one of --apps and --chain out")
    looks = named or (FOUR if options.apps is None else generated(options.apps))
    return apps or [{"id": look.id, "name": look.name} for look in looks]


def _without(chains: object, left_out: Sequence[str]) -> object:
    """The chains without the apps that are left out; what has not the shape of chains is left to ``parse``."""
    if not isinstance(chains, list):
        return chains
    return [
        {**chain, "apps": [app for app in chain["apps"] if app not in left_out]}
        if isinstance(chain, dict) and isinstance(chain.get("apps"), list)
        else chain
        for chain in chains
    ]


def _named(document: Mapping[str, object]) -> tuple[Look, ...]:
    """The sites that the chains name, for a file that has chains alone; a chain of another shape is left to `parse`."""
    found: list[str] = []
    chains = document.get("chains", [])
    for chain in chains if isinstance(chains, list) else []:
        match chain:
            case {"apps": [*ids]}:
                found += [name for name in ids if isinstance(name, str)]
    return tuple(look_of(app, app.capitalize(), number) for number, app in enumerate(dict.fromkeys(found), 1))


def problem(path: str, reason: str, hint: str) -> ConfigError:
    """One thing that is wrong with the options, or with the file that they name."""
    return ConfigError((Problem(path, reason, hint),))
