"""``walks``: what is open and owed is shown, made due, and dropped; no browser is ever named."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.builders import an_entry

from chain_gateway.cli import keys
from chain_gateway.cli import main as cli
from chain_gateway.core.chain import Mode, app_tag
from chain_gateway.core.ledger import AppId, Holding, app_of, former_line
from chain_gateway.core.packing import pack
from chain_gateway.core.walk import Hop, Hops, Kind, Outcome, Place, Walk
from chain_gateway.service.walk_book import reference
from chain_gateway.store.base import Owed, StoredWalk
from chain_gateway.store.sqlite import SqliteStore
from chain_gateway.tokens.encoding import b64e

CONFIG = """
[gateway]
public_url = "https://login.example.com"
keys = {{ file = "keys.json" }}
[store]
url = "{url}"
[op]
kind = "oidc"
issuer = "https://id.example.com"
client_id = "gateway"
client_secret = "a secret of the client"
[[apps]]
id = "shop"
origin = "https://shop.example"
secret = "the secret of Shop, which is quite long"
[[apps]]
id = "bank"
origin = "https://bank.example"
secret = "the secret of Bank, which is quite long"
[[chains]]
id = "main"
apps = ["shop", "bank"]
"""
ALICE, BOB = b"A" * 16, b"B" * 16
NOW = int(time.time())


@pytest.fixture(autouse=True)
def the_time_of_the_test(monkeypatch):
    """Not that of the collection, which may have been long before."""
    monkeypatch.setattr(sys.modules[__name__], "NOW", int(time.time()))


def a_walk(walk_id: bytes = b"\xfb" * 16, browser: bytes = ALICE, **changes: object) -> StoredWalk:
    """A logout that waits for Bank, and has Shop's word."""
    hops = Hops.of(tuple(Hop(app_tag(app), Mode.REDIRECT) for app in ("shop", "bank"))).settled(0, Outcome.APPLIED)
    walk = Walk(walk_id, Kind.LOGOUT, browser, NOW * 1000, "main", hops, b"N" * 16, NOW, NOW + 900, Place.VISITING, 1)
    stored = StoredWalk(walk_id, browser, walk.epoch, walk.nonce, pack(walk), NOW + 30, NOW + 900)
    return stored._replace(**changes)


class Gateway:
    """A gateway's configuration and its store's file."""

    def __init__(self, folder: Path, url: str = "sqlite:///chain.db") -> None:
        self.config = folder / "gateway.toml"
        self.config.write_text(CONFIG.format(url=url))
        keys.new(folder / "keys.json", NOW, force=False)
        self.file = folder / "chain.db"

    def fill(self) -> list[Owed]:
        """One open walk, and three owed logouts."""

        async def write() -> list[Owed]:
            store = SqliteStore(self.file)
            await store.open()
            await store.open_walk(a_walk(), [], None)
            owed = {"epoch": NOW * 1000, "since": NOW - 120, "due": NOW + 600}
            await store.note(ALICE, [an_entry("bank", Holding.OWED, **owed)])
            await store.note(BOB, [an_entry("bank", Holding.OWED, **owed), an_entry("shop", Holding.OWED, **owed)])
            await store.note(BOB, [an_entry(former_line(AppId("shop")), Holding.OWED, **{**owed, "sid": ""})])
            found = await store.all_owed(10)
            await store.close()
            return found

        return asyncio.run(write())

    def owed(self) -> list[Owed]:
        async def read() -> list[Owed]:
            store = SqliteStore(self.file)
            await store.open()
            found = await store.all_owed(10)
            await store.close()
            return found

        return asyncio.run(read())


@pytest.fixture
def gateway(tmp_path: Path) -> Gateway:
    return Gateway(tmp_path)


def run(gateway: Gateway, *words: str) -> int:
    return cli.main(["walks", *words, "--config", str(gateway.config)])


def test_what_is_open_and_owed_is_listed(gateway, capsys):
    """The first line says how much there is; then a line each, in words."""
    gateway.fill()
    assert run(gateway, "list") == 0
    said = capsys.readouterr().out
    assert said.startswith("1 open walk, 4 owed logouts\n")
    assert "logout  main   visiting  bank  1 of 2" in said
    assert "shop (the session before)" in said
    assert "at the browser's next visit" in said
    for browser in (ALICE, BOB):
        assert b64e(browser) not in said
        assert browser.hex() not in said


def test_an_empty_store_is_said_to_be_empty(gateway, capsys):
    """And that is no failure."""
    gateway.fill()
    for owed in gateway.owed():
        assert run(gateway, "drop", reference(owed), "--yes") == 0
    assert run(gateway, "drop", b64e(b"\xfb" * 16), "--yes") == 0
    capsys.readouterr()
    assert run(gateway, "list") == 0
    assert capsys.readouterr().out == "0 open walks, 0 owed logouts\n"


def test_programs_get_one_object(gateway, capsys):
    """Ids, numbers and times, and nothing of a browser or a person."""
    gateway.fill()
    assert run(gateway, "list", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (len(told["walks"]), len(told["owed"])) == (1, 4)
    assert told["walks"][0] == {
        "id": b64e(b"\xfb" * 16),
        "kind": "logout",
        "chain": "main",
        "epoch": NOW * 1000,
        "place": "visiting",
        "at": "bank",
        "confirmed": 1,
        "failed": 0,
        "total": 2,
        "hop_deadline": NOW + 30,
        "expires_at": NOW + 900,
    }
    assert {owed["app"] for owed in told["owed"]} == {"shop", "bank"}
    assert sum(owed["former"] for owed in told["owed"]) == 1
    assert "alice" not in json.dumps(told)


def test_one_walk_is_shown_app_by_app(gateway, capsys):
    """With what came of each; an id may begin with a dash."""
    gateway.fill()
    assert run(gateway, "show", b64e(b"\xfb" * 16)) == 0
    said = capsys.readouterr().out
    assert said.startswith("logout by main: visiting, ends in 1")
    assert "shop  redirect  applied" in said
    assert "bank  redirect  pending" in said
    assert run(gateway, "show", b64e(b"\xfb" * 16), "--json") == 0
    hops = json.loads(capsys.readouterr().out)["hops"]
    assert [hop["outcome"] for hop in hops] == ["applied", "pending"]


def test_one_owed_logout_is_shown(gateway, capsys):
    """By the id that the list has."""
    owed = gateway.fill()[0]
    assert run(gateway, "show", reference(owed), "--json") == 0
    assert json.loads(capsys.readouterr().out)["attempts"] == 0
    assert run(gateway, "show", reference(owed)) == 0
    assert "is owed" in capsys.readouterr().out


@pytest.mark.parametrize("command", [("show",), ("drop", "--yes")])
@pytest.mark.parametrize("name", ["nothing", "!!", "AAAAAAAAAAAAAAAAAAAAAA"])
def test_an_id_that_is_nobodys_is_a_failure(gateway, capsys, command, name):
    """Exit code 1, and a sentence on standard error."""
    gateway.fill()
    assert run(gateway, *command, name) == 1
    told = capsys.readouterr()
    assert (told.out, "no walk and no owed logout" in told.err) == ("", True)


def test_retry_makes_all_due(gateway, capsys):
    """At once, with the attempts that there were."""
    gateway.fill()
    assert run(gateway, "retry") == 0
    assert capsys.readouterr().out == "4 owed logouts due now\n"
    assert all(owed.due <= time.time() for owed in gateway.owed())


def test_retry_makes_one_apps_due(gateway, capsys):
    """The others wait as they did."""
    gateway.fill()
    assert run(gateway, "retry", "bank", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"due": 2}
    assert sorted(owed.due > time.time() for owed in gateway.owed()) == [False, False, True, True]


def test_an_app_that_is_not_registered_is_wrong_usage(gateway, capsys):
    """Exit code 2, with the ids that there are."""
    gateway.fill()
    assert run(gateway, "retry", "nobody") == 2
    assert "shop, bank" in capsys.readouterr().err


def test_a_dropped_logout_is_owed_no_more_and_not_called_confirmed(gateway, capsys):
    """The ledger says that it lapsed."""
    owed = next(each for each in gateway.fill() if each.browser == ALICE)
    assert run(gateway, "drop", reference(owed), "--yes") == 0
    assert capsys.readouterr().out == f"dropped {reference(owed)}\n"

    async def holding() -> Holding:
        store = SqliteStore(gateway.file)
        await store.open()
        known = await store.browser(ALICE)
        await store.close()
        return known.ledger["bank"].holding

    assert asyncio.run(holding()) is Holding.LAPSED
    assert len(gateway.owed()) == 3


def test_a_dropped_walk_goes_no_further(gateway, capsys):
    """It is shown as stopped, and a second drop says that it had ended."""
    gateway.fill()
    name = b64e(b"\xfb" * 16)
    assert run(gateway, "drop", name, "--yes", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"dropped": True}
    assert run(gateway, "drop", name, "--yes") == 1
    assert "had ended already" in capsys.readouterr().out
    assert run(gateway, "show", name) == 0
    assert "stopped" in capsys.readouterr().out


def test_a_walk_that_cannot_be_read_is_listed_and_dropped(gateway, capsys):
    """A newer version may have written it; it hides no other."""
    gateway.fill()

    async def write() -> None:
        store = SqliteStore(gateway.file)
        await store.open()
        await store.open_walk(a_walk(b"\xfc" * 16, BOB, state=b"of another version"), [], None)
        await store.close()

    asyncio.run(write())
    name = b64e(b"\xfc" * 16)
    assert run(gateway, "list") == 0
    assert "2 open walks, 4 owed logouts\n" in (said := capsys.readouterr().out)
    assert "unreadable" in said
    assert run(gateway, "show", name) == 0
    assert run(gateway, "drop", name, "--yes") == 0
    assert capsys.readouterr().out.endswith(f"dropped {name}\n")


def test_what_a_command_does_is_in_the_audit_log(gateway):
    """If the configuration names a file for it; with whose hand it was, and no browser."""
    owed = gateway.fill()[0]
    log = gateway.config.parent / "audit.jsonl"
    text = gateway.config.read_text()
    assert run(gateway, "retry", "shop") == 0
    gateway.config.write_text(text.replace("[gateway]", '[gateway]\naudit_log = "audit.jsonl"'))
    assert run(gateway, "retry", "bank", "--json") == 0
    assert run(gateway, "drop", reference(owed), "--yes", "--json") == 0
    told = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(line["event"], line["by"], line["app"]) for line in told] == [
        ("audit.owed_retried", "command", "bank"),
        ("audit.owed_dropped", "command", app_of(owed.entry.app)),
    ]
    assert owed.browser.hex() not in log.read_text()


def test_nothing_is_dropped_unasked(gateway, capsys):
    """Off a terminal nobody can be asked, so --yes is demanded."""
    owed = gateway.fill()[0]
    assert run(gateway, "drop", reference(owed)) == 2
    assert "--yes" in capsys.readouterr().err
    assert len(gateway.owed()) == 4


def test_a_store_in_memory_cannot_be_looked_into(tmp_path, capsys):
    """Exit code 2, and what to write instead."""
    assert run(Gateway(tmp_path, "memory://"), "list") == 2
    said = capsys.readouterr().err
    assert "store.url" in said
    assert "sqlite:///PATH" in said


def test_a_file_that_is_not_there_is_not_made(gateway, capsys):
    """Looking changes nothing."""
    assert run(gateway, "list") == 2
    assert "is not there" in capsys.readouterr().err
    assert not gateway.file.exists()


def test_a_file_of_another_program_is_a_sentence(gateway, capsys):
    """Exit code 1, without a traceback."""
    gateway.file.write_text("this is no database, however long it may be " * 100)
    assert run(gateway, "list") == 1
    said = capsys.readouterr().err
    assert said.startswith("failed: ")
    assert "Traceback" not in said


@pytest.mark.parametrize(("answer", "code", "left"), [("n", 1, 4), ("y", 0, 3)])
def test_on_a_terminal_a_person_is_asked(gateway, answer, code, left):
    """What is about to happen, and nothing happens without a yes."""
    owed = gateway.fill()[0]
    ours, theirs = os.openpty()
    words = ["-m", "chain_gateway.cli.main", "walks", "drop", reference(owed), "--config", str(gateway.config)]
    with subprocess.Popen([sys.executable, *words], stdin=theirs, stderr=theirs, stdout=-1) as process:
        os.close(theirs)
        question = b""
        while b"]:" not in question:
            question += os.read(ours, 1000)
        os.write(ours, f"{answer}\n".encode())
        assert process.wait(timeout=60) == code
    os.close(ours)
    assert b"its app may keep the session?" in question
    assert len(gateway.owed()) == left
