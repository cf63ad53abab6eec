"""Requests as they are on the wire, through a proxy's TLS, and upstreams that do as they are told."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

from deploy_proxies import Proxy
from deploy_site import PATIENCE


def asked(proxy: Proxy, request: bytes) -> tuple[int, bytes]:
    """Sends ``request`` and reads until the connection is closed; returns the status and all of the answer."""
    context: ssl.SSLContext = proxy.authority.client()
    with (
        socket.create_connection(("127.0.0.1", proxy.port), PATIENCE) as plain,
        context.wrap_socket(plain, server_hostname="login.localhost") as tls,
    ):
        with suppress(ConnectionError, ssl.SSLError):  # who is refused may find the connection closed while it sends
            tls.sendall(request)
        answer = b""
        with suppress(ConnectionError, ssl.SSLError):
            while piece := tls.recv(65536):
                answer += piece
    assert answer.startswith(b"HTTP/1."), answer
    return int(answer.split(b" ", 2)[1]), answer


def a_request(method: str = "GET", target: str = "/", **headers: str) -> bytes:
    """A request after which the connection is closed; underscores in the names of headers are hyphens."""
    known = {"Host": "login.localhost", "Connection": "close", "Accept": "*/*"}
    named = known | {name.replace("_", "-"): value for name, value in headers.items()}
    if method == "POST":
        named["Content-Length"] = "0"
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in named.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


class Upstream:
    """Listens in a gateway's place: keeps the heads of requests, and answers each with ``answer``, or hangs up."""

    def __init__(self, path: Path, answer: bytes) -> None:
        """An empty ``answer`` hangs up once the request has been read."""
        self.heads: list[str] = []
        self._answer = answer
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(path))
        self._socket.listen()
        self._thread = Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        """Listens no more; the socket file stays, as a killed gateway leaves it."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(PATIENCE)
        self._socket.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                with connection:
                    connection.settimeout(PATIENCE)
                    head = b""
                    while b"\r\n\r\n" not in head and (piece := connection.recv(65536)):
                        head += piece
                    if head:
                        self.heads.append(head.decode())
                        connection.sendall(self._answer)


def an_answer(**headers: str) -> bytes:
    """An empty answer after which the connection is closed."""
    lines = [f"{name.partition('__')[0].replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(["HTTP/1.1 302 Found", "Content-Length: 0", "Connection: close", *lines, "", ""]).encode()


@contextmanager
def answering(status: int) -> Iterator[tuple[int, list[str]]]:
    """An operations listener that answers everything with ``status``; its port, and the paths that were asked for."""
    paths: list[str] = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server.server_port, paths
        server.shutdown()
        thread.join()
