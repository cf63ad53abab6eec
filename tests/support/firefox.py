"""Debian's Firefox, driven by what it speaks itself: WebDriver BiDi (a W3C draft), JSON over one WebSocket.

Playwright brings a Firefox of its own and drives no other; what people have on their desks is this one.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp

START_SECONDS = 60
PATIENCE_SECONDS = 30
FRESH = "html:not([data-left])"
"""A page that no button was pressed on yet."""
LISTENING = re.compile(rb"WebDriver BiDi listening on (ws://\S+)")
PREFERENCES = {
    "app.normandy.enabled": False,
    "browser.safebrowsing.downloads.remote.enabled": False,
    "browser.startup.page": 0,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.getAddons.cache.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,#remote-settings-dummy/v1",
    "toolkit.telemetry.enabled": False,
}
"""What would ask somebody on the net; everything else is as a new profile has it."""


class Firefox:
    """One tab of a running Firefox, and what it did."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """``socket`` is a new connection."""
        self._socket = socket
        self._numbers = itertools.count(1)
        self._asked: dict[int, asyncio.Future[dict]] = {}
        self._loaded = asyncio.Event()
        self._tab = ""
        self.origins: set[str] = set()
        self.complaints: list[str] = []

    async def open(self) -> None:
        """Begins the session; ``listen`` is running."""
        await self.call("session.new", capabilities={})
        await self.call("session.subscribe", events=[*EVENTS])
        self._tab = (await self.call("browsingContext.create", type="tab"))["context"]

    async def listen(self) -> None:
        """Reads until the connection ends."""
        async for message in self._socket:
            said = json.loads(message.data)
            if said["type"] == "event":
                EVENTS[said["method"]](self, said["params"])
            else:
                self._asked.pop(said["id"]).set_result(said)

    async def call(self, method: str, **params: object) -> dict:
        """One command and its result; RuntimeError with Firefox's own words if it fails."""
        number = next(self._numbers)
        self._asked[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": params})
        async with asyncio.timeout(PATIENCE_SECONDS):
            said = await self._asked[number]
        if said["type"] == "error":
            raise RuntimeError(f"{method}: {said['error']}: {said['message']}")
        return said["result"]

    async def goto(self, url: str) -> None:
        """Types an address, and waits until the page that it leads to is there."""
        await self.call("browsingContext.navigate", context=self._tab, url=url, wait="complete")

    async def ask(self, expression: str) -> object:
        """What ``expression`` is in the page: a text, a number, true, false or nothing."""
        asked = {"expression": expression, "target": {"context": self._tab}, "awaitPromise": True}
        said = await self.call("script.evaluate", **asked)
        if said["type"] == "exception":
            raise RuntimeError(said["exceptionDetails"]["text"])
        return said["result"].get("value")

    async def press(self, selector: str) -> None:
        """Waits for a page with the button on which none was pressed yet, presses it, and marks the page as left.

        The word that a page has loaded may come after somebody has gone on from it, and says nothing of the next one.
        """
        await self.wait_for(f"{FRESH} {selector}")
        mark = "document.documentElement.dataset.left = ''"
        await self.ask(f"{mark}; document.querySelector({json.dumps(selector)}).click()")

    async def wait_for(self, selector: str) -> None:
        """Waits, page after page, for one on which ``selector`` finds something."""
        while True:
            self._loaded.clear()
            try:
                if await self.ask(f"document.querySelector({json.dumps(selector)}) !== null"):
                    return
            except RuntimeError:
                pass  # the page went away while it was asked
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._loaded.wait()

    async def cookies(self, host: str) -> list[str]:
        """The names of the cookies of a host, in order."""
        found = await self.call("storage.getCookies", filter={"domain": host})
        return sorted(cookie["name"] for cookie in found["cookies"])

    def _load(self, _params: Mapping) -> None:
        self._loaded.set()

    def _request(self, params: Mapping) -> None:
        parts = urlsplit(params["request"]["url"])
        if params["context"] is not None and parts.scheme in {"http", "https"}:
            self.origins.add(f"{parts.scheme}://{parts.netloc}")

    def _log(self, params: Mapping) -> None:
        if params["level"] == "error":
            self.complaints.append(params["text"])


EVENTS = {
    "browsingContext.load": Firefox._load,
    "network.beforeRequestSent": Firefox._request,
    "log.entryAdded": Firefox._log,
}


@asynccontextmanager
async def firefox(program: str) -> AsyncIterator[Firefox]:
    """Runs ``program`` with a new profile, and ends it."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        lines = (f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in PREFERENCES.items())
        (Path(folder) / "user.js").write_text("".join(lines), "utf-8")
        process = await asyncio.create_subprocess_exec(
            *(program, "--headless", "--no-remote", "--profile", folder, "--remote-debugging-port", "0"),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            address = await _address(process)
            async with (
                aiohttp.ClientSession() as session,
                session.ws_connect(f"{address}/session", max_msg_size=0) as socket,
                asyncio.TaskGroup() as tasks,
            ):
                browser = Firefox(socket)
                tasks.create_task(browser.listen())
                await browser.open()
                yield browser
                await browser.call("browser.close")
        finally:
            if process.returncode is None:
                process.terminate()
            await process.communicate()


async def _address(process: asyncio.subprocess.Process) -> str:
    """Where it listens, as it says itself."""
    assert process.stderr is not None
    said = b""
    async with asyncio.timeout(START_SECONDS):
        async for line in process.stderr:
            said += line
            if found := LISTENING.search(line):
                return found[1].decode()
    raise RuntimeError(f"Firefox did not start:\n{said.decode(errors='replace')}")
