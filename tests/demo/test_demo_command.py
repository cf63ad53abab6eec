"""The demo as a program: it says where to go, answers there, and stops cleanly."""

import json
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from chain_gateway.cli import demo, main
from chain_gateway.demo.options import DemoOptions

COMMAND = [sys.executable, "-W", "error", "-m", "chain_gateway.cli.main", "demo"]


@contextmanager
def started(*options: str) -> Iterator[tuple[subprocess.Popen, dict]]:
    """The demo on a free port, and where it says that everything is."""
    with subprocess.Popen([*COMMAND, "--port", "0", "--json", *options], stdout=-1, stderr=-1, text=True) as process:
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line == "}\n":
                break
        try:
            yield process, json.loads("".join(lines))
        finally:
            process.kill()


def get(url: str, host: str) -> tuple[int, str]:
    """A page of one host; its name is not asked of any resolver."""
    port = url.rpartition(":")[2]
    request = urllib.request.Request(f"http://127.0.0.1:{port}/", headers={"Host": host})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.status, answer.read().decode()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_a_signal_and_stops_without_a_word(number):
    """Every address answers; the exit code is 0, and standard error is empty even with warnings as errors."""
    with started() as (process, told):
        assert told["apps"].keys() == {"shop", "news", "bank", "mail"}
        for url in [*told["apps"].values(), told["provider"]]:
            status, page = get(url, url.partition("//")[2])
            assert (status, "<!doctype html>" in page) == (200, True)
        process.send_signal(number)
        _, errors = process.communicate(timeout=20)
        assert (process.returncode, errors) == (0, "")


def test_each_option_reaches_the_demo(monkeypatch, tmp_path):
    """Under its own name: what is written for signing in is not taken for signing out."""
    told = []
    monkeypatch.setattr(demo, "demo", lambda options: told.append(options) or 0)
    monkeypatch.setenv("OP_CLIENT_SECRET", "hidden")
    written = {"port": 1, "apps": 2, "chain": tmp_path, "login-mode": "in", "logout-mode": "out", "store": "kept"}
    written |= {"dialect": "auth0", "op": "https://op.example", "op-kind": "kind", "op-client-id": "us"}
    options = [word for name, value in written.items() for word in (f"--{name}", str(value))]
    fails = ["--fail", "bank=down", "--fail", "news=hang"]
    assert main.main(["demo", *options, *fails, "--headless-check", "--json"]) == 0
    named = {name.replace("-", "_"): value for name, value in written.items()}
    rest = {"op_client_secret": "hidden", "headless_check": True, "as_json": True, "fail": ("bank=down", "news=hang")}
    assert told == [DemoOptions(**named, **rest)]


def test_a_taken_port_is_a_sentence():
    """Exit code 2, the port, and what to do; no traceback."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run([*COMMAND, "--port", port], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert f"port {port} is taken" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_people_are_told_what_to_try():
    """The first line is the address to open; then come the sites, and what to do there."""
    with subprocess.Popen([*COMMAND, "--port", "0", "--apps", "30"], stdout=-1, stderr=-1, text=True) as process:
        first = process.stdout.readline()
        assert first.startswith("Open http://app-1.localhost:")
        rest = ""
        while "Ctrl-C" not in rest:
            rest += process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0
    assert "and 25 more, up to http://app-30.localhost:" in rest
    assert "Sign out everywhere" in rest


def test_the_headless_check_needs_the_embedded_provider():
    """A real provider signs nobody in without a person, so the combination is refused."""
    options = ["--op", "https://op.example", "--op-client-id", "x", "--headless-check"]
    done = subprocess.run([*COMMAND, *options], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "--headless-check" in done.stderr


def test_without_a_browser_the_command_that_installs_it_is_named(tmp_path):
    """Exit code 2, and one command to paste."""
    done = subprocess.run(
        [*COMMAND, "--headless-check"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PATH": str(tmp_path)},
    )
    assert done.returncode == 2
    assert "apt-get install chromium" in done.stderr


def test_without_playwright_the_command_that_installs_it_is_named(tmp_path):
    """Exit code 2, and one command to paste."""
    (tmp_path / "playwright.py").write_text("raise ModuleNotFoundError(name='playwright')")
    done = subprocess.run(
        [*COMMAND, "--headless-check"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PYTHONPATH": str(tmp_path), "PATH": ""},
    )
    assert done.returncode == 2
    assert "pip install" in done.stderr
