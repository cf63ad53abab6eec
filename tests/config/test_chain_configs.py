"""The ready-made chains work as they are."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from chain_gateway.config import load, registry
from chain_gateway.config.prose import FILES
from chain_gateway.core.chain import Mode, Visit

FOLDER = Path(__file__).parents[2] / "chain_configs"
EVERY = sorted(FOLDER.glob("*.toml"))


def planted(path):
    """An environment that has every variable which the file names."""
    names = set(re.findall(r'env = "(\w+)"', path.read_text()))
    return {name: f"a planted value for {name} of 32 bytes or more" for name in names}


def loaded(name):
    return load(FOLDER / name, planted(FOLDER / name))


@pytest.mark.parametrize("path", EVERY, ids=lambda path: path.name)
def test_a_chain_works_as_it_is(path):
    """Each file is read without a problem, and each of its chains is there, once its variables are set."""
    settings = load(path, planted(path))
    written = tomllib.loads(path.read_text())
    found = registry(settings)
    assert list(found.apps) == [app["id"] for app in written["apps"]]
    assert {chain.id: [app.id for app in chain.apps] for chain in found.chains.values()} == {
        chain["id"]: chain["apps"] for chain in written["chains"]
    }


@pytest.mark.parametrize("path", EVERY, ids=lambda path: path.name)
def test_no_chain_has_a_secret_in_it(path):
    """What can be copied by everybody refers to secrets, and holds none."""
    written = tomllib.loads(path.read_text())
    secrets = [written["op"].get("client_secret"), *(app.get("secret") for app in written["apps"])]
    assert all(secret is None or set(secret) == {"env"} for secret in secrets)


def test_the_page_lists_the_files():
    """The folder's page has a line for each file."""
    assert {path.name for path in EVERY} == set(FILES)


def test_the_demos_chain():
    """Four apps, gateway and provider, on hosts that are foreign to each other and on one port."""
    settings = loaded("demo.toml")
    assert [app.id for app in settings.apps] == ["shop", "news", "bank", "mail"]
    assert settings.gateway.public_url == "http://login.localhost:8080"
    assert settings.op.issuer == "http://id.localhost:8080"
    assert [app.origin for app in settings.apps] == [f"http://{app.id}.localhost:8080" for app in settings.apps]


def test_the_auth0_chain_shows_what_there_is():
    """Every login mode but none, three logout modes, and every way to be visited occur in it."""
    settings = loaded("auth0.toml")
    found = registry(settings).chains["main"].apps
    assert settings.op.kind == "auth0"
    assert {app.login for app in found} == {Mode.FORM_POST, Mode.TWO_STEP, Mode.EXTERNAL}
    assert {app.logout for app in found} == {Mode.REDIRECT, Mode.BACK_CHANNEL, Mode.EXTERNAL}
    assert {app.visit for app in found} == set(Visit)
    assert len({app.origin.split(".", 1)[1] for app in found}) >= 3


def test_the_big_chain_is_big():
    """Forty apps in one chain, plain to read."""
    assert len(registry(loaded("big.toml")).chains["main"].apps) == 40
