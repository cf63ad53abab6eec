"""The operations listener of a world, with a dashboard that a token opens, and somebody who sits at it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import ClientResponse, DummyCookieJar, web
from aiohttp.test_utils import TestClient, TestServer
from support.world import World, a_world, choose

from chain_gateway.config.secret import Secret
from chain_gateway.ops.app import Operations, operations
from chain_gateway.ops.dashboard import Dashboard
from chain_gateway.ops.meter import PrometheusMeter
from chain_gateway.service.health import FRESH_SECONDS

TOKEN = "the token of a dashboard, which is long enough"
HTML = {"Accept": "text/html"}
BEARER = {"Authorization": f"Bearer {TOKEN}"}


class Provider:
    """A provider that answers."""

    async def probe(self) -> None:
        """Always."""


@dataclass
class Desk:
    """A listener, and one browser at it; the client keeps no cookies, so that each request says what it shows."""

    world: World
    client: TestClient
    told: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    cookie: str = ""

    @property
    def origin(self) -> str:
        return str(self.client.make_url("/")).rstrip("/")

    @property
    def from_here(self) -> dict[str, str]:
        """What a browser says with a form of the dashboard's own."""
        return {"Origin": self.origin, "Sec-Fetch-Site": "same-origin"}

    async def get(self, path: str = "", **headers: str) -> ClientResponse:
        shown = {"Cookie": self.cookie} if self.cookie else {}
        return await self.client.get(f"/dashboard{path}", headers=HTML | shown | headers, allow_redirects=False)

    async def post(self, path: str, headers: dict[str, str], **fields: str) -> ClientResponse:
        shown = {"Cookie": self.cookie} if self.cookie else {}
        return await self.client.post(
            f"/dashboard{path}", data=fields, headers=HTML | shown | headers, allow_redirects=False
        )

    async def sign_in(self, token: str = TOKEN) -> ClientResponse:
        answer = await self.post("/sign-in", self.from_here, token=token)
        if answer.status == 303:
            self.cookie = answer.headers["Set-Cookie"].partition(";")[0]
        return answer

    async def key(self) -> str:
        """What the forms of the first page carry."""
        return re.search(r'name="key" value="([^"]+)"', await (await self.get()).text())[1]

    async def change(self, path: str, **fields: str) -> ClientResponse:
        """Sends a form as it stands on a page."""
        return await self.post(path, self.from_here, key=await self.key(), **fields)

    def events(self, name: str) -> list[dict[str, object]]:
        return [fields for event, fields in self.told if event == f"audit.{name}"]


@asynccontextmanager
async def a_desk(token: str | None = TOKEN, *names: str) -> AsyncIterator[Desk]:
    """The desk of a world of these apps."""
    meter = PrometheusMeter()
    async with a_world(*names, meter=meter) as world:
        meter._clock = world.clock
        inside = Operations.of(world.realm, Provider(), meter, Secret(token) if token else None, "Example ID")
        async with TestClient(TestServer(operations(inside))) as client:
            client.session._cookie_jar = DummyCookieJar()
            desk = Desk(world, client)
            world.realm.audit._sink = lambda event, **fields: desk.told.append((event, fields))
            yield desk


@asynccontextmanager
async def a_listener(dashboard: Dashboard) -> AsyncIterator[TestClient]:
    """``dashboard`` alone."""
    app = web.Application()
    app.add_routes(dashboard.routes())
    async with TestClient(TestServer(app)) as client:
        yield client


async def busy(world: World) -> None:
    """One walk under way (Bob's, at News), one logout that Bank is owed (Alice's), and Bank is down."""
    async with world.browser() as b, world.browser() as c:
        await world.sign_in(b)
        world.fronts["bank"].down()
        world.clock.now += FRESH_SECONDS + 1
        await world.sign_out(b)
        world.clock.now += 1
        await c.open(f"{world.apps['shop']}/chain/login")
        await choose(c, "bob")
        await c.submit(c.page.forms[0])
    for _ in range(3):
        world.clock.now += FRESH_SECONDS + 1
        await world.look()
