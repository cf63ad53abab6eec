"""What is there before an operator begins: a provider, a certificate, nginx, a copy of the project, and two sites."""

from __future__ import annotations

import asyncio
import grp
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import aiohttp
from aiohttp import web
from deploy_proxies import DEPLOY, NGINX, Proxy
from deploy_site import PATIENCE, Authority, app_of
from support.browser import Browser, Page
from support.world import SECRET, choose

from bench.ports import free_port
from chain_gateway.demo.op.model import OpClient
from chain_gateway.demo.op.provider import DemoOp
from chain_gateway.resolver import LoopbackResolver
from chain_gateway.sdk import ChainConfig

ROOT = DEPLOY.parent
SITES = ("shop", "news")
CLIENT_SECRET = "a-client-secret-of-this-test-of-32-bytes"
NOT_COPIED = shutil.ignore_patterns(".*", "*.egg-info", "__pycache__", "node_modules", "build", "tests", "docs")
PROGRAMS = {
    "nginx": '#!/bin/sh\nexec /usr/sbin/nginx -p {folder} -c {folder}/nginx.conf "$@"\n',
    "curl": '#!/bin/sh\nexec {curl} --cacert {ca} --resolve login.localhost:{port}:127.0.0.1 "$@"\n',
}
"""Programs as they are on the operator's machine: nginx with its own folder, curl with our authority among its own."""


class SecureBrowser(Browser):
    """A browser that knows the authority of the test."""

    def __init__(self, authority: Authority) -> None:
        super().__init__()
        self._authority = authority

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(resolver=LoopbackResolver(), ssl=self._authority.client())
        self._http = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        return self


def another_group() -> grp.struct_group:
    """A group that this user may give files to, and another one than files have anyway, where there is one."""
    groups = grp.getgrall() if os.geteuid() == 0 else [grp.getgrgid(each) for each in os.getgroups()]
    return next((each for each in groups if each.gr_gid != os.getegid()), grp.getgrgid(os.getegid()))


@dataclass
class Ground:
    """What the operator finds."""

    folder: Path
    authority: Authority
    urls: dict[str, str]
    bound: dict[str, socket.socket]
    redis: int = field(default_factory=free_port)
    ops: tuple[int, int] = field(default_factory=lambda: (free_port(), free_port()))
    group: grp.struct_group = field(default_factory=another_group)

    @property
    def apps(self) -> dict[str, str]:
        """The origins of the sites."""
        return {name: self.urls[name] for name in SITES}

    @property
    def changes(self) -> Mapping[str, str]:
        """All that is changed in what the page says: names, ports and paths of this machine, and one secret."""
        return {
            "python3.11 ": f"{sys.executable} ",
            "/path/to/the/checkout": str(self.folder / "checkout"),
            "/etc/nginx/conf.d/": f"{self.folder}/",
            "https://login.example.com": self.urls["login"],
            "https://id.example.com": self.urls["id"],
            "https://shop.example": self.urls["shop"],
            "https://news.example": self.urls["news"],
            "what-the-provider-gave-you-for-this-client": CLIENT_SECRET,
            "www-data": self.group.gr_name,
            "6379": str(self.redis),
            "9091": str(self.ops[0]),
            "9092": str(self.ops[1]),
        }

    def environ(self) -> dict[str, str]:
        """The environment of the operator's shell; an authority of one's own is known to programs by a variable."""
        kept = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "HOME", "LANG"))}
        path = f"{self.folder / 'bin'}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
        return kept | {"PATH": path, "PIP_NO_DEPS": "1", "SSL_CERT_FILE": str(self.authority.ca)}

    def prepare(self) -> None:
        """Puts the programs, a copy of the project, and nginx's own configuration where they belong."""
        shutil.copytree(ROOT, self.folder / "checkout", ignore=NOT_COPIED)
        port = int(self.urls["login"].rpartition(":")[2])
        proxy = Proxy("nginx", self.folder, self.authority, port, [Path("/run/chain-gateway/a.sock")] * 2)
        file = self.folder / "checkout" / "deploy" / "nginx" / "chain-gateway.conf"
        text = file.read_text()
        for old, new in proxy._nginx_changes().items():
            text = text if "/run/" in old else text.replace(old, new)
        file.write_text(text)
        (self.folder / "chain-gateway.conf").write_text("")
        (self.folder / "nginx.conf").write_text(NGINX.replace("daemon off;", "").format(folder=self.folder))
        words = {"folder": self.folder, "ca": self.authority.ca, "port": port, "curl": shutil.which("curl")}
        for name, text in PROGRAMS.items():
            program = self.folder / "bin" / name
            program.parent.mkdir(exist_ok=True)
            program.write_text(text.format(**words))
            program.chmod(0o755)

    def logs(self) -> str:
        """The end of what everything that was started has logged."""
        return "".join(path.read_text()[-2000:] for path in self.folder.glob("chain-gateway/*.log"))

    def stop_nginx(self) -> None:
        """Stops it, if it runs."""
        subprocess.run([self.folder / "bin" / "nginx", "-s", "stop"], check=False, capture_output=True)

    def lend(self) -> None:
        """Lends the new environment the libraries that this test runs with, in place of a network."""
        (packages,) = (self.folder / "chain-gateway" / "venv").glob("lib/python*/site-packages")
        lent = [each for each in sys.path if each.endswith("site-packages")]
        (packages / "lent.pth").write_text("\n".join(lent) + "\n")

    async def sign_in(self, browser: Browser) -> Page:
        """Signs in from Shop."""
        await browser.open(f"{self.urls['shop']}/chain/login")
        await choose(browser)
        return await browser.walk_on()

    async def sign_out(self, browser: Browser) -> None:
        """Signs out everywhere, from News."""
        await browser.open(f"{self.urls['news']}/")
        await browser.submit(browser.page.forms[0])
        await browser.walk_on()

    async def known_at(self, browser: Browser) -> dict[str, str]:
        """Who is signed in where."""
        found = {}
        for name, url in self.apps.items():
            found[name] = (await browser.open(f"{url}/")).text.partition('data-sub="')[2].partition('"')[0]
        return found


@asynccontextmanager
async def a_ground(folder: Path) -> AsyncIterator[tuple[Ground, AsyncExitStack]]:
    """The provider is up; sites are served later (``open_sites``), as they need secrets that the operator makes."""
    async with AsyncExitStack() as stack:
        stack.push_async_callback(_all_closed)
        authority = Authority(folder)
        bound = {name: socket.create_server(("127.0.0.1", 0)) for name in ("id", *SITES)}
        urls = {name: f"https://{name}.localhost:{sock.getsockname()[1]}" for name, sock in bound.items()}
        ground = Ground(folder, authority, urls | {"login": f"https://login.localhost:{free_port()}"}, bound)
        client = OpClient(
            "gateway",
            CLIENT_SECRET,
            (ground.urls["login"] + "/callback",),
            (ground.urls["login"] + "/logged-out",),
        )
        await _open(stack, DemoOp(urls["id"], [client]).app(), bound["id"], authority)
        ground.prepare()
        yield ground, stack


async def open_sites(ground: Ground, stack: AsyncExitStack, secrets: Mapping[str, str]) -> None:
    """Serves both sites, each with its secret."""
    for name in SITES:
        config = ChainConfig(
            gateway=ground.urls["login"],
            app_id=name,
            origin=ground.urls[name],
            secret=secrets[f"{name.upper()}_SECRET"],
            session_key=SECRET + name,
        )
        await _open(stack, app_of(config, ground.authority), ground.bound[name], ground.authority)


async def _all_closed() -> None:
    """Returns when both ends of every connection have said goodbye, which with TLS takes a few turns of the loop."""
    known = asyncio.get_running_loop()._transports
    async with asyncio.timeout(PATIENCE):
        while any(each._sock is not None for each in known.values()):  # noqa: ASYNC110 - no event tells it
            await asyncio.sleep(0)


async def _open(stack: AsyncExitStack, app: web.Application, bound: socket.socket, authority: Authority) -> None:
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.SockSite(runner, bound, ssl_context=authority.server()).start()
