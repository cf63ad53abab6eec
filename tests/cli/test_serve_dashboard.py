"""The dashboard of a gateway that is served: on a UNIX socket, by several workers, with a token that changes."""

from __future__ import annotations

import signal
import socket
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import pytest
from serving import PATIENCE, made, serving, write

TOKENS = ("the first token, which is quite long enough", "the second token, which is just as long")
HERE = {"Host": "localhost", "Origin": "http://localhost", "Content-Type": "application/x-www-form-urlencoded"}


class OnASocket(HTTPConnection):
    """HTTP to a socket in the file system."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=PATIENCE)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(str(self._path))


def ask(path: Path, method: str, where: str, body: str = "", **headers: str) -> tuple[HTTPResponse, str]:
    """One request on a connection of its own, so that any worker may answer it."""
    connection = OnASocket(path)
    connection.request(method, f"/dashboard{where}", body, {"Host": "localhost", **headers})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer, text


def tokened(folder: Path) -> Path:
    """A configuration whose token is in a file, and whose operators have a socket in ``folder``."""
    made(folder)
    token = folder / "token"
    token.touch(0o600)
    token.write_text(TOKENS[0] + "\n")
    changed = 'dashboard_token = {file = "token"}\nops_listen = "unix:ops.sock" #'
    return write(folder, "Shop", ops_listen=changed)


@pytest.mark.parametrize("words", [(), ("--workers", "2")], ids=["one", "two"])
def test_it_is_served_on_a_socket_by_any_worker(tmp_path: Path, words: tuple[str, ...]) -> None:
    """Who signed in at one of them is signed in at each."""
    path, ops = tokened(tmp_path), tmp_path / "ops.sock"
    with serving(path, *words) as gateway:
        assert ask(ops, "GET", "")[0].status == 401
        signed_in, _ = ask(ops, "POST", "/sign-in", f"token={TOKENS[0].replace(' ', '+')}", **HERE)
        assert signed_in.status == 303
        cookie = signed_in.headers["Set-Cookie"].partition(";")[0]
        for _ in range(12):
            answer, text = ask(ops, "GET", "", Cookie=cookie)
            assert (answer.status, "Walks under way" in text) == (200, True)
        assert gateway.get("/dashboard")[0] == 404
        gateway.send(signal.SIGTERM)
        assert gateway.ended() == 0


def test_another_token_ends_the_cookies_of_the_one_before(tmp_path: Path) -> None:
    """By a new configuration, without a restart; taken out, it closes the dashboard."""
    path, ops = tokened(tmp_path), tmp_path / "ops.sock"
    with serving(path) as gateway:
        answer, _ = ask(ops, "POST", "/sign-in", f"token={TOKENS[0].replace(' ', '+')}", **HERE)
        cookie = answer.headers["Set-Cookie"].partition(";")[0]
        assert ask(ops, "GET", "", Cookie=cookie)[0].status == 200
        (tmp_path / "token").write_text(TOKENS[1])
        gateway.send(signal.SIGHUP)
        gateway.awaited("configuration.taken")
        assert ask(ops, "GET", "", Cookie=cookie)[0].status == 401
        assert ask(ops, "GET", "", Authorization=f"Bearer {TOKENS[0]}")[0].status == 401
        assert ask(ops, "GET", "", Authorization=f"Bearer {TOKENS[1]}")[0].status == 200
        write(tmp_path, "Shop", ops_listen='ops_listen = "unix:ops.sock" #')
        gateway.send(signal.SIGHUP)
        gateway.awaited("configuration.taken")
        answer, text = ask(ops, "GET", "", Authorization=f"Bearer {TOKENS[1]}")
        assert (answer.status, "The dashboard is closed" in text) == (403, True)
