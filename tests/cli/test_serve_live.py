"""``serve`` while it runs: a new configuration, a bad one, new keys, several workers, and a calm end."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from threading import Thread

import pytest
from serving import Serving, made, run, serving, turned_down, write

ASKS = "/logout?app=shop"


def name_on_the_page(gateway: Serving) -> str:
    """What the page that asks calls the app."""
    status, body = gateway.get(ASKS)
    assert status == 200
    return next(name for name in ("Shop", "Store", "Mall") if name in body)


def test_the_configuration_is_read_once_at_the_start(tmp_path: Path) -> None:
    """What is checked is what is served: whoever reads this file again reads something else."""
    path = made(tmp_path)
    text = path.read_text()
    other = tmp_path / "other.toml"
    other.write_text(text.replace('"shop"', '"mall"'))
    path.unlink()
    os.mkfifo(path)

    def tell() -> None:
        with path.open("w") as once:  # waits for a reader
            other.replace(path)
            once.write(text)

    writer = Thread(target=tell)
    writer.start()
    with serving(path) as gateway:
        writer.join()
        (begun,) = gateway.awaited("audit.configuration_taken")
        assert begun["apps"] == ["shop"]
        gateway.send(signal.SIGTERM)
        assert gateway.ended() == 0


@pytest.mark.parametrize("by", ["signal", "file"])
def test_a_new_configuration_is_taken_while_it_runs(tmp_path: Path, by: str) -> None:
    """By SIGHUP at once, and by itself when the file has changed; no connection is lost."""
    path = made(tmp_path)
    with serving(path) as gateway:
        assert name_on_the_page(gateway) == "Shop"
        write(tmp_path, "Store")
        if by == "signal":
            gateway.send(signal.SIGHUP)
        gateway.awaited("configuration.taken")
        assert name_on_the_page(gateway) == "Store"
        gateway.send(signal.SIGTERM)
        assert gateway.ended() == 0


def test_a_bad_configuration_is_refused_as_a_whole(tmp_path: Path) -> None:
    """The old one goes on, and the log says what is wrong with the new one."""
    path = made(tmp_path)
    with serving(path) as gateway:
        write(tmp_path, "Mall", origin="origins =")
        gateway.send(signal.SIGHUP)
        (line,) = gateway.awaited("configuration.refused")
        assert "origins" in str(line["problems"])
        assert name_on_the_page(gateway) == "Shop"
        write(tmp_path, "Mall")
        gateway.send(signal.SIGHUP)
        gateway.awaited("configuration.taken")
        assert name_on_the_page(gateway) == "Mall"


BREAKS = """
from chain_gateway.cli import files
load = files.load
files.load = lambda path: load(path) if "Mall" not in path.read_text() else 1 / 0
"""


def test_a_configuration_that_breaks_its_reader_ends_nobody(tmp_path: Path) -> None:
    """Whatever nobody has foreseen comes of a new one, the old one goes on, and the log says where it was."""
    path = made(tmp_path)
    (tmp_path / "sitecustomize.py").write_text(BREAKS)
    where = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    with serving(path, PYTHONPATH=where) as gateway:
        write(tmp_path, "Mall")
        gateway.send(signal.SIGHUP)
        (line,) = gateway.awaited("configuration.broken")
        assert "ZeroDivisionError" in str(line)
        assert name_on_the_page(gateway) == "Shop"
        write(tmp_path, "Store")
        gateway.send(signal.SIGHUP)
        gateway.awaited("configuration.taken")


def test_the_audit_log_tells_what_is_served(tmp_path: Path) -> None:
    """Each configuration that a process takes or refuses, and the keys; also to a file of another name from then on."""
    path = made(tmp_path)
    with serving(path) as gateway:
        (begun,) = gateway.awaited("audit.configuration_taken")
        assert (begun["apps"], begun["chains"]) == (["shop"], ["main"])
        kids = {row["kid"] for row in json.loads((tmp_path / "keys.json").read_text())["keys"]}
        assert {(key["kid"], key["stands"]) for key in begun["keys"]} == {(kid, "active") for kid in kids}
        write(tmp_path, "Store", ops_listen='audit_log = "audit.jsonl"\nops_listen =')
        gateway.send(signal.SIGHUP)
        gateway.awaited("configuration.taken")
        write(tmp_path, "Mall", origin="origins =")
        gateway.send(signal.SIGHUP)
        gateway.awaited("configuration.refused")
        gateway.send(signal.SIGTERM)
        assert gateway.ended() == 0
    told = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
    assert [line["event"] for line in told] == ["audit.configuration_taken", "audit.configuration_refused"]
    assert "apps[0].origins" in told[1]["problems"]
    assert {line["process"] for line in told} == {gateway.process.pid}


def test_a_configuration_whose_audit_log_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    """As a whole, and the old one goes on."""
    path = made(tmp_path)
    os.mkfifo(tmp_path / "audit.jsonl")
    with serving(path) as gateway:
        write(tmp_path, "Store", ops_listen='audit_log = "audit.jsonl"\nops_listen =')
        gateway.send(signal.SIGHUP)
        (line,) = gateway.awaited("configuration.refused")
        assert "gateway.audit_log" in str(line["problems"])
        assert name_on_the_page(gateway) == "Shop"


@pytest.mark.parametrize("free", [0, 1])
def test_a_configuration_that_finds_no_room_is_tried_again(tmp_path: Path, free: int) -> None:
    """As where as many files are open as may be: the old one goes on, and the new one is taken once there is room.

    Where one more may be, the configuration can be read; where none may, it cannot, and nothing is wrong with it.
    """
    with serving(made(tmp_path)) as gateway:
        gateway.awaited("gateway.started")
        pid = gateway.process.pid
        taken = {int(each.name) for each in Path(f"/proc/{pid}/fd").iterdir()}
        soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        lowest = [number for number in range(soft) if number not in taken][free]
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (lowest, hard))
        write(tmp_path, name="Store")
        gateway.send(signal.SIGHUP)
        gateway.awaited("configuration.not_taken")
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))
        gateway.awaited("configuration.taken")
        assert name_on_the_page(gateway) == "Store"


def test_a_file_whose_mode_alone_has_changed_is_read_again(tmp_path: Path) -> None:
    """Keys that others could read are refused, and taken by themselves once they are their owner's alone."""
    with serving(made(tmp_path)) as gateway:
        gateway.awaited("gateway.started")
        keys = tmp_path / "keys.json"
        keys.chmod(0o644)
        gateway.send(signal.SIGHUP)
        (line,) = gateway.awaited("configuration.refused")
        assert "gateway.keys" in str(line["problems"])
        keys.chmod(0o600)
        gateway.awaited("configuration.taken")


def test_what_takes_a_restart_is_refused(tmp_path: Path) -> None:
    """The listener and the store are what they were; the file that wants others is not half taken."""
    path = made(tmp_path)
    with serving(path) as gateway:
        write(tmp_path, "Mall", url='url = "memory://" #')
        gateway.send(signal.SIGHUP)
        (line,) = gateway.awaited("configuration.refused", not_="configuration.taken")
        assert "store.url: cannot change while the gateway runs" in str(line["problems"])
        assert name_on_the_page(gateway) == "Shop"


def test_new_keys_are_published_without_a_restart(tmp_path: Path) -> None:
    """``keys rotate`` writes the file, and the gateway sees it."""
    path = made(tmp_path)
    with serving(path) as gateway:
        _, before = gateway.get("/.well-known/jwks.json")
        run(path, "keys", "rotate").check_returncode()
        gateway.awaited("configuration.taken")
        _, after = gateway.get("/.well-known/jwks.json")
        assert (before.count('"kid"'), after.count('"kid"')) == (1, 2)


def test_an_open_connection_survives_a_reload_or_is_closed_between_requests(tmp_path: Path) -> None:
    """A browser's connection is never cut in the middle of an answer."""
    path = made(tmp_path)
    with serving(path) as gateway:
        http = HTTPConnection("127.0.0.1", gateway.port, timeout=30)
        assert gateway.get(ASKS, http)[0] == 200
        for name in ("Store", "Mall", "Shop"):
            write(tmp_path, name)
            gateway.send(signal.SIGHUP)
            gateway.awaited("configuration.taken")
            http.close()
            assert gateway.get(ASKS, http)[0] == 200
        http.close()


def test_many_can_connect_while_a_gateway_is_busy(tmp_path: Path) -> None:
    """They wait in the socket's queue, which is as long as it was made; a short one would turn them away."""
    with serving(made(tmp_path)) as gateway, ExitStack() as waiting:
        gateway.awaited("gateway.started")
        gateway.send(signal.SIGSTOP)
        for _ in range(300):
            waiting.enter_context(socket.create_connection(("127.0.0.1", gateway.port), timeout=5))
        gateway.send(signal.SIGCONT)
        assert gateway.get("/logout?app=shop")[0] == 200


def test_an_address_that_is_taken_is_named(tmp_path: Path) -> None:
    """With the setting and what to do."""
    path = made(tmp_path)
    with serving(path) as gateway:
        write(tmp_path, listen=f'listen = "127.0.0.1:{gateway.port}" #')
        said = turned_down(path)
        assert "gateway.listen" in said
        assert "Address already in use" in said


def test_a_worker_that_dies_is_started_again_and_nobody_is_turned_away(tmp_path: Path) -> None:
    """Two workers on one socket: one is killed, the other answers, and there are two again."""
    path = made(tmp_path)
    with serving(path, "--workers", "2") as gateway:
        first, second = gateway.workers(2)
        os.kill(first, signal.SIGKILL)
        gateway.awaited("worker.died")
        assert [gateway.get(ASKS)[0] for _ in range(20)] == [200] * 20
        (third,) = gateway.awaited("worker.started")
        assert third["process"] not in {first, second}
        write(tmp_path, "Store")
        gateway.send(signal.SIGHUP)
        gateway.awaited("configuration.taken", 2)
        assert {name_on_the_page(gateway) for _ in range(10)} == {"Store"}
        gateway.send(signal.SIGTERM)
        assert gateway.ended() == 0


def test_several_workers_share_no_memory(tmp_path: Path) -> None:
    """A store of one process's own is refused, with what to write instead."""
    path = made(tmp_path)
    write(tmp_path, url='url = "memory://" #')
    assert "sqlite://" in turned_down(path, "--workers", "2")


def test_workers_say_in_one_line_that_the_store_is_out_of_reach(tmp_path: Path) -> None:
    """Again and again, as it may come back; and nobody reads a traceback."""
    path = made(tmp_path)
    write(tmp_path, url='url = "sqlite:////nowhere/at/all/chain.db" #')
    with serving(path, "--workers", "2") as gateway:
        lines = gateway.awaited("store.unavailable", 2)
        assert all("exception" not in line for line in lines)
        gateway.awaited("worker.died", 2)
        gateway.send(signal.SIGTERM)
        assert gateway.ended() == 0
