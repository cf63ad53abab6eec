"""The npm package ``oidc-provider`` as a running program, and a person who signs in and out at its pages.

``python3 run.py test`` installs the package; by hand it is ``npm ci`` in tests/node. Where it is missing, the tests
that need it fail and say so: a test that is left out proves nothing.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import BinaryIO

import aiohttp
from yarl import URL

NODE = Path(__file__).resolve().parent.parent / "node"
CLIENT_ID = "gateway"
CLIENT_SECRET = "a secret: only for tests/of the gateway"
START_SECONDS = 30
EVENT_SECONDS = 10
MOST_STEPS = 15


@dataclass
class RunningProvider:
    """A provider that has said that it is ready; ``client_id`` and ``client_secret`` are the gateway's there."""

    issuer: str
    port: int
    process: asyncio.subprocess.Process = field(repr=False)
    client_id: str = CLIENT_ID
    client_secret: str = CLIENT_SECRET

    async def event(self) -> dict[str, object]:
        """The next thing that it tells: a logout token delivered (``backchannel.success``) or not (``….error``)."""
        assert self.process.stdout is not None
        async with asyncio.timeout(EVENT_SECONDS):
            event: dict[str, object] = json.loads(await self.process.stdout.readline())
        return event


@asynccontextmanager
async def oidc_provider(
    gateway: str,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    clients: Sequence[dict[str, object]] = (),
    node: Path = NODE,
) -> AsyncIterator[RunningProvider]:
    """Runs the provider for the gateway of this public URL; ``host`` is the issuer's, ``clients`` are further ones.

    ``node`` is the folder of the program and its packages.
    """
    program = shutil.which("node")
    if program is None or not (node / "node_modules" / "oidc-provider").is_dir():
        raise RuntimeError("the tests marked `node` need Node.js, and `npm ci` in tests/node (or: python3 run.py test)")
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "GATEWAY_URL": gateway,
        "OP_HOST": host,
        "OP_PORT": str(port),
        "OP_CLIENTS": json.dumps(list(clients)),
    }
    with tempfile.TemporaryFile() as stderr:
        process = await asyncio.create_subprocess_exec(
            program,
            "oidc_provider.mjs",
            "--until-stdin-ends",
            cwd=node,
            env=environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=stderr,
        )
        try:
            yield await _ready(process, stderr)
        finally:
            if process.returncode is None:
                process.terminate()
            await process.communicate()


async def _ready(process: asyncio.subprocess.Process, stderr: BinaryIO) -> RunningProvider:
    assert process.stdout is not None
    async with asyncio.timeout(START_SECONDS):
        line = await process.stdout.readline()
    if not line:
        stderr.seek(0)
        raise RuntimeError(f"oidc-provider did not start:\n{stderr.read().decode(errors='replace')}")
    ready = json.loads(line)
    return RunningProvider(issuer=ready["issuer"], port=ready["port"], process=process)


class _Form(HTMLParser):
    """The first form of a page: where it leads and the fields that it sends without a button being pressed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action: str | None = None
        self.fields: dict[str, str] = {}
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "form" and self.action is None:
            self.action = values.get("action") or ""
        elif tag == "input" and values.get("type") == "hidden" and self.action is not None and values.get("name"):
            self.fields[str(values["name"])] = values.get("value") or ""


class Person:
    """Somebody with a browser that keeps cookies and takes every redirect, until one leads to the gateway."""

    def __init__(self, session: aiohttp.ClientSession, gateway: str, login: str = "alice") -> None:
        """``session`` has a cookie jar of its own, ``aiohttp.CookieJar(unsafe=True)`` for a host that is an address."""
        self._session = session
        self._gateway = URL(gateway).origin()
        self._login = login
        self.pages = 0

    async def sign_in(self, url: str) -> URL:
        """Follows a login URL, fills in what the provider's pages ask, and returns where it sends us at the gateway."""
        answers = [{"login": self._login, "password": "any"}, {}]
        return await self._walk(url, answers)

    async def sign_out(self, url: str, *, stay: bool = False) -> URL:
        """Follows a logout URL and answers the provider's question; ``stay`` presses the other button."""
        return await self._walk(url, [{} if stay else {"logout": "yes"}])

    async def silently(self, url: str) -> URL:
        """Follows a URL that must not show a page."""
        return await self._walk(url, [])

    async def _walk(self, url: str, answers: list[dict[str, str]]) -> URL:
        target, form = URL(url), None
        for _ in range(MOST_STEPS):
            method = "GET" if form is None else "POST"
            async with self._session.request(method, target, data=form, allow_redirects=False) as response:
                if "Location" in response.headers:
                    target, form = response.url.join(URL(response.headers["Location"])), None
                    if target.origin() == self._gateway:
                        return target
                    continue
                page = await response.text()
            asked = _Form(page)
            if response.status != 200 or asked.action is None or not answers:
                raise AssertionError(f"status {response.status}, and nothing to answer:\n{page}")
            self.pages += 1
            target, form = response.url.join(URL(asked.action)), {**asked.fields, **answers.pop(0)}
        raise AssertionError("the provider never sent the browser back")
