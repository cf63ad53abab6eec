"""``doctor``: what it finds in a real world on loopback, well and broken, and what it says to do."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from aiohttp import web
from aiohttp.test_utils import TestServer
from support.builders import an_app
from support.world import World, a_world

from chain_gateway.doctor import look
from chain_gateway.doctor.diagnose import diagnose, paste
from chain_gateway.doctor.findings import Finding, Level
from chain_gateway.doctor.hosts import shared
from chain_gateway.store.memory import MemoryStore
from chain_gateway.store.sqlite import SqliteStore

DAY = 24 * 3600


async def found(world: World, **changes: object) -> dict[str, list[Finding]]:
    """The findings that are not well, by subject."""
    clock = changes.get("clock", world.clock)
    findings = await diagnose(world.settings, world.keyring, MemoryStore(), clock)
    subjects: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.level is not Level.OK:
            assert finding.hint, "whoever is told of something is told what to do"
            subjects.setdefault(finding.subject, []).append(finding)
    return subjects


async def test_a_world_that_is_well() -> None:
    """Nothing is bad; that memory forgets, and that this provider tells of no sign-out, is said."""
    async with a_world(op_tells=True) as world:
        said = await found(world)
        said.pop("clock")  # that of the world is not the machine's
        assert all(finding.level is Level.WARN for each in said.values() for finding in each)
        assert set(said) <= {"store", "provider"}


async def test_an_app_that_is_down_is_named_with_each_thing_that_fails() -> None:
    """Ping, hop and back channel."""
    async with a_world() as world:
        world.fronts["bank"].down()
        said = [finding.text for finding in (await found(world))["bank"]]
        assert [word for word in ("ping", "hop", "back channel") if any(word in text for text in said)] == [
            "ping", "hop", "back channel",
        ]  # fmt: skip
        assert not any("shop" in finding for finding in await found(world))


async def test_an_app_without_the_sdk_at_its_paths() -> None:
    """404 where the hop should be; a login page where the ping should be."""
    async with a_world() as world:
        world.fronts["bank"].answers(404, "/chain/hop")
        world.fronts["news"].answers(200, "/chain/ping")
        said = await found(world)
        assert [(f.level, "its hop answers 404" in f.text) for f in said["bank"]] == [(Level.BAD, True)]
        assert [(f.level, "its ping answers 200" in f.text) for f in said["news"]] == [(Level.WARN, True)]


async def test_a_provider_that_is_not_there() -> None:
    """The configured issuer, in the words of the check that failed."""
    async with a_world() as world:
        await world.runners["id"].cleanup()
        (finding,) = (await found(world))["provider"]
        assert finding.level is Level.BAD
        assert "op.issuer" in finding.hint


@pytest.mark.parametrize(("apart", "level"), [(0, None), (120, Level.BAD), (-3600, Level.BAD)])
async def test_clocks_that_are_apart(apart: int, level: Level | None) -> None:
    """A minute or so more, and every ID token is of the future or the past."""
    async with a_world() as world:
        # The answers' dates are those of the machine, whatever the world's clock says.
        said = await found(world, clock=lambda: datetime.now(UTC).timestamp() + apart)
        assert [finding.level for finding in said.get("clock", [])] == ([level] if level else [])


async def test_keys_that_are_old_or_not_there() -> None:
    """After three months they are mentioned, and without an active one people are."""
    async with a_world() as world:
        now = int(world.clock())
        assert {f.level for f in look.at_keys(world.keyring, now)} == {Level.OK}
        assert {f.level for f in look.at_keys(world.keyring, now + 91 * DAY)} == {Level.WARN}
        assert {f.level for f in look.at_keys(world.keyring, now - 10 * DAY)} == {Level.BAD}


async def test_a_store_that_cannot_be_opened(tmp_path: Path) -> None:
    """A folder where the file should be."""
    (tmp_path / "chain.db").mkdir()
    (finding,) = await look.at_store(SqliteStore(tmp_path / "chain.db"), f"sqlite:///{tmp_path}/chain.db")
    assert finding.level is Level.BAD
    (finding,) = await look.at_store(SqliteStore(tmp_path / "a" / "other.db"), f"sqlite:///{tmp_path}/a/other.db")
    assert finding.level is Level.BAD


async def test_a_store_that_is_not_there_yet_is_not_made(tmp_path: Path) -> None:
    """Who looks may be root, and then the gateway could not open its own store."""
    path = tmp_path / "other.db"
    (finding,) = await look.at_store(SqliteStore(path), f"sqlite:///{path}")
    assert finding.level is Level.OK
    assert [each.name for each in Path.iterdir(tmp_path)] == []
    store = SqliteStore(path)
    await store.open()
    await store.close()
    (finding,) = await look.at_store(SqliteStore(path), f"sqlite:///{path}")
    assert "answers in" in finding.text


@pytest.mark.parametrize(("days", "level"), [(365, Level.OK), (5, Level.WARN)])
async def test_a_certificate_that_ends_soon(days: int, level: Level, monkeypatch, tmp_path: Path) -> None:
    """Before it does, there is time to say so; the host is one under ``localhost``, which no name server knows."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    certificate = authority.issue_cert("shop.localhost", not_after=datetime.now(UTC) + timedelta(days=days, hours=1))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(context)
    server = TestServer(web.Application(), host="127.0.0.1", scheme="https")
    await server.start_server(ssl=context)
    try:
        app = an_app("shop", origin=f"https://shop.localhost:{server.port}")
        (finding,) = await look._certificate(app, datetime.now(UTC).timestamp())
        assert (finding.level, f"{days} days" in finding.text) == (level, True)
        monkeypatch.delenv("SSL_CERT_FILE")
        (finding,) = await look._certificate(app, datetime.now(UTC).timestamp())
        assert finding.level is Level.BAD
    finally:
        await server.close()


@pytest.mark.parametrize(
    ("hosts", "pairs"),
    [
        (("login.example.com", "shop.example.org", "news.example.net"), 0),
        (("login.example.com", "shop.example.com", "news.example.net"), 1),
        (("example.com", "shop.example.com", "news.example.net"), 1),
        (("login.example.com", "shop.example.com", "news.example.com"), 3),
        (("login.localhost", "shop.localhost", "news.localhost"), 0),
        (("[::1]:1", "[::1]:2", "127.0.0.1:1", "127.0.0.1:2"), 0),
    ],
)
def test_who_shares_cookies(hosts: tuple[str, ...], pairs: int) -> None:
    """Pages under one domain may set cookies for each other; loopback is a developer's own."""
    found = list(shared({f"app{n}": f"https://{host}" for n, host in enumerate(hosts)}))
    assert len(found) == pairs
    assert all("example.com" in finding.text for finding in found)


async def test_what_is_pasted_at_the_provider() -> None:
    """Under the names that it has there."""
    async with a_world() as world:
        assert paste(world.settings)["redirect_uri"] == f"{world.gateway}/callback"
    async with a_world(dialect="auth0") as world:
        assert paste(world.settings)["Allowed Logout URLs"] == f"{world.gateway}/logged-out"
        assert paste(world.settings)["Back-Channel Logout URI"] == f"{world.gateway}/backchannel-logout"


CONFIG = """
[gateway]
public_url = "https://login.example"
[store]
url = "sqlite:///chain.db"
[op]
issuer = "http://localhost:1"
client_id = "gateway"
client_secret = "a client's secret of more than 32 bytes"
[[apps]]
id = "shop"
origin = "http://shop.localhost:1"
secret = "an app's secret of more than 32 bytes"
[[chains]]
id = "main"
apps = ["shop"]
"""


def test_the_command(tmp_path: Path) -> None:
    """Exit code 1 where people would notice, words for them, and one object for programs; no secret in either."""
    config = tmp_path / "gateway.toml"
    config.write_text(CONFIG)
    command = [sys.executable, "-m", "chain_gateway.cli.main"]
    subprocess.run([*command, "keys", "new", "--config", str(config)], check=True, capture_output=True, timeout=60)
    words, members = (
        subprocess.run(
            [*command, "doctor", "--config", str(config), *more],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        for more in ([], ["--json"])
    )
    assert (words.returncode, members.returncode, words.stderr, members.stderr) == (1, 1, "", "")
    assert "ok    store: its file is made by the gateway" in words.stdout
    assert "bad   shop: its ping cannot be reached" in words.stdout
    assert "redirect_uri: https://login.example/callback" in words.stdout
    told = json.loads(members.stdout)
    assert told["ok"] is False
    assert {finding["subject"] for finding in told["findings"]} >= {"store", "keys", "provider", "shop"}
    assert "secret of more" not in words.stdout + members.stdout
