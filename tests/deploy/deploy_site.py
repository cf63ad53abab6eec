"""What stands behind a proxy: two gateways as processes that share a store, and around them a provider and three apps.

All of it speaks TLS with certificates of an authority of the test's own, but for the gateways, whose sockets are files.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import trustme
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from support.patience import PATIENCE
from support.world import HOME, SECRET

from bench.ports import free_port
from chain_gateway.cli import keys
from chain_gateway.demo.op.model import OpClient
from chain_gateway.demo.op.provider import DemoOp
from chain_gateway.resolver import LoopbackResolver
from chain_gateway.sdk import ChainConfig
from chain_gateway.sdk.aiohttp import chain_session, setup_chain
from chain_gateway.sdk.keys import JWKS_PATH, KeyCache

APPS = ("shop", "news", "bank")
CONFIG = """
[gateway]
public_url = "{gateway}"
listen = "unix:{socket}"
ops_listen = "127.0.0.1:{ops}"
[store]
url = "sqlite:///{folder}/chain.db"
[op]
issuer = "{issuer}"
client_id = "gateway"
client_secret = "{secret}"
"""
APP = """
[[apps]]
id = "{name}"
origin = "{origin}"
secret = "{secret}"
"""


class Authority:
    """An authority, and the one certificate for every host of the site, as files."""

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        issued = authority.issue_cert(*(f"{name}.localhost" for name in ("login", "id", *APPS)))
        self.ca, self.chain, self.key, self.both = (
            folder / name for name in ("ca.pem", "chain.pem", "key.pem", "both.pem")
        )
        authority.cert_pem.write_to_path(self.ca)
        for blob in issued.cert_chain_pems:
            blob.write_to_path(self.chain, append=True)
        issued.private_key_pem.write_to_path(self.key)
        issued.private_key_and_cert_chain_pem.write_to_path(self.both)
        public = x509.load_pem_x509_certificate(issued.cert_chain_pems[0].bytes()).public_key()
        digest = hashlib.sha256(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()
        self.pin = base64.b64encode(digest).decode()
        """By which a browser that does not know the authority knows this one key."""

    def client(self) -> ssl.SSLContext:
        """For programs that trust this authority alone."""
        return ssl.create_default_context(cafile=self.ca)

    def server(self) -> ssl.SSLContext:
        """For the provider and the apps."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.chain, self.key)
        return context


@dataclass
class Replica:
    """One gateway: ``serve`` on a socket file."""

    name: str
    folder: Path
    ca: Path
    ops: int = field(default_factory=free_port)
    process: subprocess.Popen[str] | None = None

    @property
    def socket(self) -> Path:
        return self.folder / f"{self.name}.sock"

    @property
    def config(self) -> Path:
        return self.folder / f"{self.name}.toml"

    def start(self) -> None:
        """Returns once it answers; one that is there already stays."""
        if self.process is not None and self.process.poll() is None:
            return
        with (self.folder / f"{self.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "chain_gateway.cli.main", "serve", "--config", str(self.config)],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**os.environ, "PYTHONUNBUFFERED": "1", "SSL_CERT_FILE": str(self.ca)},
            )
        said = self.process.stdout.readline()
        assert said.startswith("listening on unix:"), (self.folder / f"{self.name}.log").read_text()

    def end(self, number: signal.Signals = signal.SIGKILL) -> int:
        """Sends a signal and returns the exit code."""
        self.process.send_signal(number)
        code = self.process.wait(PATIENCE)
        self.process.stdout.close()
        self.process = None
        return code


@dataclass
class Site:
    """What a test can reach. ``port`` is where a proxy has to listen as ``login.localhost``."""

    folder: Path
    authority: Authority
    port: int
    apps: dict[str, str]
    replicas: tuple[Replica, Replica]

    @property
    def gateway(self) -> str:
        """The gateway's origin."""
        return f"https://login.localhost:{self.port}"

    @property
    def sockets(self) -> tuple[Path, Path]:
        """Where a proxy finds the gateways."""
        return self.replicas[0].socket, self.replicas[1].socket

    async def start(self) -> None:
        """Starts the gateways that do not run."""
        await asyncio.gather(*(asyncio.to_thread(replica.start) for replica in self.replicas))

    def logs(self) -> str:
        """What the gateways have logged."""
        return "".join((self.folder / f"{replica.name}.log").read_text() for replica in self.replicas)


def app_of(config: ChainConfig, authority: Authority) -> web.Application:
    """An app whose page shows who is signed in; it has the gateway's keys through the proxy, as every app."""

    async def fetch() -> bytes:
        connector = aiohttp.TCPConnector(ssl=authority.client(), resolver=LoopbackResolver())
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.get(config.gateway + JWKS_PATH) as got,
        ):
            return await got.read()

    async def home(request: web.Request) -> web.Response:
        session = chain_session(request)
        page = HOME.format(signed_in="yes" if session else "no", sub=session.sub if session else "")
        return web.Response(text=page, content_type="text/html", headers={"Referrer-Policy": "strict-origin"})

    app = web.Application()
    setup_chain(app, config, keys=KeyCache(fetch))
    app.router.add_get("/", home)
    return app


@asynccontextmanager
async def a_site(folder: Path) -> AsyncIterator[Site]:
    """The provider and the apps are up, the gateways are configured and not started."""
    authority = Authority(folder)
    bound = {name: socket.create_server(("127.0.0.1", 0)) for name in ("id", *APPS)}
    urls = {name: f"https://{name}.localhost:{sock.getsockname()[1]}" for name, sock in bound.items()}
    apps = {name: urls[name] for name in APPS}
    replicas = Replica("a", folder, authority.ca), Replica("b", folder, authority.ca)
    site = Site(folder, authority, free_port(), apps, replicas)
    client = OpClient("gateway", SECRET, (site.gateway + "/callback",), (site.gateway + "/logged-out",))
    provider = DemoOp(urls["id"], [client])
    keys.new(folder / "keys.json", int(time.time()) - 10, force=False)
    for replica in replicas:
        text = CONFIG.format(
            gateway=site.gateway,
            socket=replica.socket,
            ops=replica.ops,
            folder=folder,
            issuer=provider.issuer,
            secret=SECRET,
        )
        text += "".join(APP.format(name=name, origin=apps[name], secret=SECRET + name) for name in APPS)
        replica.config.write_text(f'{text}[[chains]]\nid = "main"\napps = {list(APPS)}\n')
    applications = {"id": provider.app()}
    for name, origin in apps.items():
        config = ChainConfig(
            gateway=site.gateway, app_id=name, origin=origin, secret=SECRET + name, session_key=SECRET + "k" + name
        )
        applications[name] = app_of(config, authority)
    runners = []
    try:
        for name, application in applications.items():
            runner = web.AppRunner(application, access_log=None)
            runners.append(runner)
            await runner.setup()
            await web.SockSite(runner, bound[name], ssl_context=authority.server()).start()
        yield site
    finally:
        for replica in replicas:
            if replica.process is not None:
                replica.end()
        for runner in runners:
            await runner.cleanup()
