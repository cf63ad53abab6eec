"""Apps that sign with a key of their own and publish its public half: fetched when needed, renewed when it changes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from joserfc.jwk import ECKey
from support.front import Front
from support.world import World, a_world

from chain_gateway.oidc.app_keys import RENEW_SECONDS

PATH = "/keys.json"


def a_key(kid: str) -> ECKey:
    """A new key pair on P-256."""
    return ECKey.generate_key("P-256", {"kid": kid, "use": "sig", "alg": "ES256"})


NEW, OLD = a_key("new"), a_key("old")


@dataclass
class Published:
    """What Shop says that its keys are, and how often it was asked."""

    keys: list[ECKey] = field(default_factory=lambda: [NEW])
    asked: int = 0

    async def answer(self, _request: web.Request) -> web.Response:
        self.asked += 1
        return web.json_response({"keys": [key.as_dict(private=False) for key in self.keys]})

    def at(self, front: Front) -> None:
        """Answers for the app at ``PATH``."""
        front.fault, front.paths = self.answer, (PATH,)


@asynccontextmanager
async def a_world_of_keys() -> AsyncIterator[tuple[World, Published]]:
    """A world whose Shop publishes its key."""
    private: dict[str, Any] = {"shop": NEW.as_dict(private=True)}
    async with a_world(private=private, apps={"shop": {"jwks_url": "{origin}" + PATH}}) as world:
        published = Published()
        published.at(world.fronts["shop"])
        yield world, published


async def test_a_receipt_is_verified_by_what_the_app_publishes() -> None:
    """It is asked for once, and then known."""
    async with a_world_of_keys() as (world, published), world.browser() as b:
        await world.sign_in(b)
        await world.sign_out(b)
        assert published.asked == 1
        assert await world.signed_in(b) == {}


@pytest.mark.parametrize("act", ["login", "logout"])
async def test_a_key_that_is_new_is_asked_for_at_once(act: str) -> None:
    """A receipt, and an app's own request to sign out, count though the gateway has another key in mind."""
    async with a_world_of_keys() as (world, published), world.browser() as b:
        if act == "logout":
            await world.sign_in(b)
        published.keys = [OLD]
        world.clock.now += RENEW_SECONDS
        await world.realm.app_keys.renewed("shop")
        published.keys = [OLD, NEW]
        world.clock.now += RENEW_SECONDS
        page = await (world.sign_out(b) if act == "logout" else world.sign_in(b))
        assert page.url == world.apps["shop"] + "/"
        assert await world.signed_in(b) == ({} if act == "logout" else dict.fromkeys(world.apps, "demo|alice"))


async def test_a_key_that_nobody_published_is_asked_for_once_a_minute() -> None:
    """A `kid` is just a text: whoever writes one makes no work, and proves nothing."""
    async with a_world_of_keys() as (world, published):
        published.keys = [OLD]
        for _ in range(3):
            async with world.browser() as b:
                page = await world.sign_in(b)
                assert "Signed in to 2 of 3" in page.text
        assert published.asked == 2
        world.clock.now += RENEW_SECONDS
        async with world.browser() as b:
            await world.sign_in(b)
        assert published.asked == 3
