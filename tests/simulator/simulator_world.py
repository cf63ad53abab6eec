"""A world whose every path can break: gateway, provider and apps as ever, each but the provider behind a proxy."""

from __future__ import annotations

import json
import os
import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web
from simulator_person import LoneBrowser, see
from simulator_proxy import Exchange, Proxy
from support.browser import Browser, Page
from support.wire import claims, query
from support.world import SECRET, Clock, choose, sdk_app, serve

from chain_gateway import assembly
from chain_gateway.config.load import parse
from chain_gateway.demo.op.model import OpClient
from chain_gateway.demo.op.provider import DemoOp
from chain_gateway.sdk import ChainConfig
from chain_gateway.sdk.memory import InProcessMemory
from chain_gateway.store.base import Owed, Store
from chain_gateway.store.urls import open_store
from chain_gateway.tokens.app_key import AppKey
from chain_gateway.tokens.keyring import Keyring
from chain_gateway.tokens.receipt import Receipt, verify_receipt

HOP = "/chain/hop"
PING = "/chain/ping"
BACK_CHANNEL = "/chain/backchannel-logout"
NAMES = ("shop", "news", "bank", "mail")


class CountingMemory(InProcessMemory):
    """An app's memory that counts how often each message took effect."""

    def __init__(self) -> None:
        super().__init__()
        self.effects: Counter[str] = Counter()

    async def first(self, key: str, value: str, until: int, now: int) -> str | None:
        known = await super().first(key, value, until, now)
        self.effects[key] += known is None
        return known


@dataclass
class Simulation:
    """What a scenario can reach. The times of apps, provider and gateway are one clock."""

    gateway: str
    op: DemoOp
    clock: Callable[[], float]
    keyring: Keyring
    apps: dict[str, str] = field(default_factory=dict)
    proxies: dict[str, Proxy] = field(default_factory=dict)
    memories: dict[str, CountingMemory] = field(default_factory=dict)
    elsewhere: str = ""
    """A site that has nothing to do with any of this."""
    store: Store | None = None
    background: assembly.Background | None = None

    @property
    def front(self) -> Proxy:
        """Before the gateway."""
        return self.proxies["login"]

    async def round(self, name: str) -> object:
        """One round of what goes on beside the requests, of a gateway in this process."""
        return await next(each for each in self.background._rounds if each.name == name).run()

    async def owed(self, browser: bytes) -> list[Owed]:
        """What the apps are owed of one browser."""
        return [each for each in await self.store.all_owed(10_000) if each.browser == browser]

    @asynccontextmanager
    async def browser(self) -> AsyncIterator[LoneBrowser]:
        async with LoneBrowser() as browser:
            yield browser

    async def at_first_hop(self, browser: Browser, who: str = "alice") -> Page:
        """Signs in at the provider; the browser is then where the walk begins."""
        await browser.open(f"{self.apps['shop']}/chain/login")
        return await choose(browser, who)

    async def at_logout(self, browser: Browser) -> Page:
        """The browser is on the page with the button that signs out everywhere."""
        return await browser.open(f"{self.apps['shop']}/")

    async def signed_in(self, browser: Browser) -> dict[str, str]:
        """Who is signed in where, by each app's own page; an app that does not answer is left out."""
        kept, found = browser.page, {}
        for name, url in self.apps.items():
            found[name] = (await see(browser, browser.open(f"{url}/whoami"))).text
        browser.page = kept
        return {name: who for name, who in found.items() if who}

    def tickets(self, app: str, walk: str) -> list[Exchange]:
        """The visits of ``walk`` that reached ``app``, in order."""
        hops = [each for each in self.proxies[app].seen if each.request.path == HOP]
        return [each for each in hops if ticket_of(each).get("walk") == walk]

    def receipts(self, app: str, walk: str) -> list[Receipt]:
        """What ``app`` has signed in ``walk``, verified with its key and against the ticket that it answers."""
        found = []
        for exchange in self.tickets(app, walk):
            text = query(exchange.answer.location).get("receipt") if exchange.answer else None
            if text is not None:
                ticket = ticket_of(exchange)
                of = {name: ticket[name] for name in ("jti", "walk", "hop", "epoch")}
                key = AppKey.secret((SECRET + app).encode())
                about = {"app_id": app, "gateway": self.gateway, "now": claims(text)["iat"]}
                found.append(verify_receipt(text, key, **about, **of))
        return found

    def deliveries(self, app: str, epoch: int) -> list[Exchange]:
        """The logout tokens of ``epoch`` that reached ``app`` by the back channel and were confirmed."""
        posts = [each for each in self.proxies[app].seen if each.request.path == BACK_CHANNEL]
        return [
            each
            for each in posts
            if each.answer
            and each.answer.status == 200
            and claims(each.request.fields["logout_token"])["epoch"] == epoch
        ]


def ticket_of(exchange: Exchange) -> dict[str, object]:
    """The claims of the ticket of a visit; empty for none."""
    fields = exchange.request.fields
    text = fields.get("ticket") or fields.get("begin")
    return claims(text) if text else {}


async def told(simulation: Simulation, browser: Browser, walk: str) -> Mapping[str, object]:
    """The walk as its own page tells it to a program."""
    kept = browser.page
    page = await browser.open(f"{simulation.gateway}/walks/{walk}", Accept="application/json")
    browser.page = kept
    return json.loads(page.text)


def document(urls: Mapping[str, str], issuer: str, **settings: Mapping[str, object]) -> dict[str, object]:
    """The gateway's configuration, as an operator would write it; ``settings`` change a section."""
    return {
        "gateway": {"public_url": urls["login"], **settings.get("gateway", {})},
        "store": dict(settings.get("store", {"url": "memory://"})),
        "op": {"issuer": issuer, "client_id": "gateway", "client_secret": SECRET, **settings.get("op", {})},
        "apps": [
            {"id": name, "name": name.capitalize(), "origin": urls[name], "secret": SECRET + name}
            | dict(settings.get("every", {}))
            for name in NAMES
        ],
        "chains": [{"id": "main", "apps": list(NAMES)}],
    }


@asynccontextmanager
async def surroundings(clock: Callable[[], float], *, gateway_port: int = 0) -> AsyncIterator[Simulation]:
    """Provider, apps and all proxies; the gateway itself is to be served at the upstream of its proxy."""
    async with AsyncExitStack() as stack:
        outer = {name: socket.create_server(("127.0.0.1", 0)) for name in ("login", *NAMES)}
        inner = {name: socket.create_server(("127.0.0.1", 0)) for name in ("id", "elsewhere", *NAMES)}
        shown = outer | {name: inner[name] for name in ("id", "elsewhere")}
        urls = {name: f"http://{name}.localhost:{bound.getsockname()[1]}" for name, bound in shown.items()}
        op = DemoOp(
            urls["id"],
            [OpClient("gateway", SECRET, (urls["login"] + "/callback",), (urls["login"] + "/logged-out",))],
            clock=clock,
        )
        keyring = Keyring.generate(int(clock()) - 10, os.urandom)
        simulation = Simulation(urls["login"], op, clock, keyring, elsewhere=urls["elsewhere"])
        applications = {"id": op.app(), "elsewhere": web.Application()}
        for name in NAMES:
            memory = simulation.memories[name] = CountingMemory()
            keys = {"secret": SECRET + name, "session_key": SECRET + "k" + name, "memory": memory}
            config = ChainConfig(gateway=urls["login"], app_id=name, origin=urls[name], **keys)
            applications[name] = sdk_app(config, clock)
            simulation.apps[name] = urls[name]
        for name, application in applications.items():
            stack.push_async_callback((await serve(application, inner[name])).cleanup)
        for name in ("login", *NAMES):
            port = inner[name].getsockname()[1] if name in inner else gateway_port
            proxy = Proxy(outer[name], ("127.0.0.1", port))
            simulation.proxies[name] = await stack.enter_async_context(proxy)
        yield simulation


@asynccontextmanager
async def a_simulation(directory: Path, **settings: Mapping[str, object]) -> AsyncIterator[Simulation]:
    """The whole world in this process, on SQLite, with a clock that only a scenario moves."""
    bound = socket.create_server(("127.0.0.1", 0))
    clock = Clock()
    async with surroundings(clock, gateway_port=bound.getsockname()[1]) as simulation:
        urls = simulation.apps | {"login": simulation.gateway}
        written = document(urls, simulation.op.issuer, **{"op": {"logout": "none"}, **settings})
        simulation.store = open_store(f"sqlite:///{directory / 'chain.db'}")
        main = await assembly.build(
            parse(written, base=directory, environ={}),
            simulation.keyring,
            world=assembly.World(clock, os.urandom),
            store=simulation.store,
            rounds=False,
        )
        simulation.background = main[assembly.BACKGROUND]
        runner = await serve(main, bound)
        try:
            yield simulation
        finally:
            await runner.cleanup()
