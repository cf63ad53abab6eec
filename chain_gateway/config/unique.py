"""Rules across apps and chains: nothing is there twice, nothing is named that is not there, nobody is left out."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import TypeVar

from chain_gateway.config.draft import Draft
from chain_gateway.config.pem import same_key
from chain_gateway.config.problems import closest
from chain_gateway.config.secret import Secret
from chain_gateway.core.chain import app_tag
from chain_gateway.core.origins import host_of, is_loopback
from chain_gateway.errors import Problem

H = TypeVar("H", bound=Hashable)


def app_ids_are_unique(draft: Draft) -> Iterator[Problem]:
    """An app's id finds one app."""
    ids = [(f"{app.path}.id", app.value.id) for app in draft.apps if app.fine("id")]
    for path, first in _again(ids):
        yield Problem(path, f"{first} has this id", "give each app an id of its own")


def app_tags_are_unique(draft: Draft) -> Iterator[Problem]:
    """A chain token names an app by three bytes of its id's hash; two ids can share them, once in millions."""
    ids = {app.value.id: f"{app.path}.id" for app in reversed(draft.apps) if app.fine("id")}
    for path, first in _again([(path, app_tag(app_id)) for app_id, path in reversed(ids.items())]):
        yield Problem(path, f"a chain token could not tell this id from {first}", "change this id by a letter")


def origins_are_unique(draft: Draft) -> Iterator[Problem]:
    """A host, and with it its cookies, belongs to one app, and never to the gateway; on loopback an origin does."""
    apps = [(f"{app.path}.origin", app.value.origin) for app in draft.apps if app.fine("origin")]
    gateway = [("gateway.public_url", draft.gateway.value.public_url)] if draft.gateway.fine("public_url") else []
    for path, first in _again(gateway + apps):
        yield Problem(path, f"this is the origin of {first}", "give each app, and the gateway, an origin of its own")
    hosts: dict[str, tuple[str, str]] = {}
    for path, origin in gateway + apps:
        host = host_of(origin)
        first, other = hosts.setdefault(host, (path, origin))
        if other != origin and not is_loopback(host):
            yield Problem(
                path,
                f"this is the host of {first}: cookies know no ports, so one would overwrite the other's",
                "give each app, and the gateway, a host of its own",
            )


def secrets_are_unique(draft: Draft) -> Iterator[Problem]:
    """Who knows a secret can speak for whoever has it, so no two have the same."""
    own = [("gateway.dashboard_token", draft.gateway.value.dashboard_token)] * draft.gateway.fine("dashboard_token")
    op = (
        (f"op.{key}", getattr(draft.op.value, key)) for key in ("client_secret", "action_secret") if draft.op.fine(key)
    )
    apps = ((f"{app.path}.secret", app.value.secret) for app in draft.apps if app.fine("secret"))
    secrets = [(path, secret) for path, secret in (*own, *op, *apps) if isinstance(secret, Secret)]
    for path, first in _again(secrets):
        yield Problem(path, f"this is the secret at {first}: one could speak for the other", "make a secret for each")


def public_keys_are_unique(draft: Draft) -> Iterator[Problem]:
    """Who has the private half can speak for whoever publishes the other, so no two apps have the same."""
    keys = [
        (f"{app.path}.public_key", same_key(app.value.public_key))
        for app in draft.apps
        if app.fine("public_key") and app.value.public_key is not None
    ]
    sets = [
        (f"{app.path}.jwks_url", app.value.jwks_url)
        for app in draft.apps
        if app.fine("jwks_url") and app.value.jwks_url is not None
    ]
    for path, first in (*_again(keys), *_again(sets)):
        yield Problem(path, f"this is the key at {first}: one could speak for the other", "make a key for each")


def chain_ids_are_unique(draft: Draft) -> Iterator[Problem]:
    """A chain's id finds one chain."""
    ids = [(f"{chain.path}.id", chain.value.id) for chain in draft.chains if chain.fine("id")]
    for path, first in _again(ids):
        yield Problem(path, f"{first} has this id", "give each chain an id of its own")


def chains_visit_an_app_once(draft: Draft) -> Iterator[Problem]:
    """One walk makes one hop to an app."""
    for chain in draft.chains:
        if chain.fine("apps"):
            entries = [(f"{chain.path}.apps[{index}]", name) for index, name in enumerate(chain.value.apps)]
            for path, first in _again(entries):
                yield Problem(path, f"{first} names this app", "remove one of them")


def chains_name_known_apps(draft: Draft) -> Iterator[Problem]:
    """A chain is made of registered apps."""
    known = [app.value.id for app in draft.apps if app.fine("id")]
    for chain in draft.chains:
        for index, name in enumerate(chain.value.apps if chain.fine("apps") else ()):
            if name not in known:
                meant = closest(name, known)
                hint = f"did you mean {meant}?" if meant else f'add [[apps]] with id = "{name}", or remove it here'
                yield Problem(f"{chain.path}.apps[{index}]", f"no app has the id {name!r}", hint)


def apps_are_in_a_chain(draft: Draft) -> Iterator[Problem]:
    """An app outside all chains is signed in to by nobody, and signed out of by nobody."""
    if not draft.chains or not all(chain.fine("apps") for chain in draft.chains):
        return
    named = {name for chain in draft.chains for name in chain.value.apps}
    for app in draft.apps:
        if app.fine("id") and app.value.id not in named:
            hint = "add it to a chain, or comment the app out"
            yield Problem(f"{app.path}.id", "no chain has this app, so no login or logout reaches it", hint)


REGISTRY_RULES: tuple[tuple[tuple[str, ...], Callable[[Draft], Iterable[Problem]]], ...] = (
    (("apps.id",), app_ids_are_unique),
    (("apps.id",), app_tags_are_unique),
    (("apps.origin", "gateway.public_url"), origins_are_unique),
    (("apps.secret", "op.client_secret", "op.action_secret", "gateway.dashboard_token"), secrets_are_unique),
    (("apps.public_key", "apps.jwks_url"), public_keys_are_unique),
    (("chains.id",), chain_ids_are_unique),
    (("chains.apps",), chains_visit_an_app_once),
    (("chains.apps", "apps.id"), chains_name_known_apps),
    (("apps.id", "chains.apps"), apps_are_in_a_chain),
)
"""Each rule after the keys that it looks at, as the reference page names them."""


def _again(entries: Iterable[tuple[str, H]]) -> Iterator[tuple[str, str]]:
    """The path of each entry whose value was there before, and the path where it was first."""
    first: dict[H, str] = {}
    for path, value in entries:
        if value in first:
            yield path, first[value].removesuffix(".id")
        else:
            first[value] = path
