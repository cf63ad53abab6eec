"""A gateway on a UNIX socket that is asked to stop answers what it has begun, and takes nothing new."""

from __future__ import annotations

import json
import signal
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from deploy_site import PATIENCE, SECRET, Replica
from deploy_wire import a_request

from chain_gateway.cli import keys

CONFIG = """
[gateway]
public_url = "https://login.example.com"
listen = "unix:{folder}/a.sock"
ops_listen = "127.0.0.1:0"
[store]
url = "memory://"
[op]
issuer = "{issuer}"
client_id = "gateway"
client_secret = "{secret}"
[[apps]]
id = "shop"
origin = "https://shop.example"
secret = "{secret}shop"
[[chains]]
id = "main"
apps = ["shop"]
"""


class SlowProvider(HTTPServer):
    """A provider that has been asked for its metadata, and takes its time."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Metadata)
        self.issuer = f"http://127.0.0.1:{self.server_port}"
        self.asked = threading.Event()
        self.may_answer = threading.Event()


class Metadata(BaseHTTPRequestHandler):
    """What the provider says of itself."""

    server: SlowProvider

    def do_GET(self) -> None:
        self.server.asked.set()
        self.server.may_answer.wait(PATIENCE)
        issuer = self.server.issuer
        found = {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/authorize",
            "token_endpoint": f"{issuer}/token",
            "jwks_uri": f"{issuer}/jwks",
            "end_session_endpoint": f"{issuer}/end",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
        }
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(found).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def provider():
    with SlowProvider() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.may_answer.set()
        server.shutdown()
        thread.join()


def test_what_is_being_answered_is_answered(tmp_path: Path, provider: SlowProvider) -> None:
    """A sign-in that waits for the provider when SIGTERM comes gets its redirect; whoever comes later is refused."""
    keys.new(tmp_path / "keys.json", 1, force=False)
    gateway = Replica("a", tmp_path, tmp_path / "no-authority.pem")
    gateway.config.write_text(CONFIG.format(folder=tmp_path, issuer=provider.issuer, secret=SECRET))
    gateway.start()
    try:
        with socket.socket(socket.AF_UNIX) as browser:
            browser.settimeout(PATIENCE)
            browser.connect(str(gateway.socket))
            browser.sendall(a_request(target="/login?app=shop"))
            assert provider.asked.wait(PATIENCE)
            gateway.process.send_signal(signal.SIGTERM)
            while knocks(gateway.socket):
                pass
            assert gateway.process.poll() is None
            provider.may_answer.set()
            answer = b""
            while piece := browser.recv(65536):
                answer += piece
        assert answer.startswith(b"HTTP/1.1 302")
        assert f"Location: {provider.issuer}/authorize?".encode() in answer
        assert gateway.process.wait(PATIENCE) == 0
    finally:
        gateway.end()


def knocks(path: Path) -> bool:
    """Whether somebody listens there."""
    with socket.socket(socket.AF_UNIX) as knock:
        return knock.connect_ex(str(path)) == 0
