"""How far a sign-out reaches: whatever was lost, and whatever an app, another tab or sign-out does meanwhile."""

from __future__ import annotations

import pytest
from support.world import World, a_world

NO_OP = {"logout": "none"}


def silent(world: World) -> str:
    """A login for Shop that shows nothing."""
    return f"{world.gateway}/login?app=shop&prompt=none&return_to={world.apps['shop']}/"


@pytest.mark.parametrize("lost", ["store", "cookie"])
async def test_a_sign_out_reaches_what_was_signed_in_before_the_memory_was_lost(lost: str) -> None:
    """After the loss one app signs in silently; a sign-out visits the others all the same (F24, I2)."""
    async with a_world(op=NO_OP) as world, world.browser() as b:
        await world.sign_in(b)
        world.clock.now += 60
        if lost == "store":
            await world.store.close()
            await world.store.open()
        else:
            b.jars.pop(world.gateway)
        await b.open(silent(world))
        page = await world.sign_out(b)
        assert page.url == f"{world.apps['shop']}/"
        assert await world.signed_in(b) == {}


async def test_a_lazy_app_is_visited_by_the_first_sign_out_alone() -> None:
    """It says that there is nothing, and the ledger has that from then on; nor is a recent app taken for visited."""
    lazy = {"news": {"visit": "lazy"}, "bank": {"visit": "recent"}}
    async with a_world(op=NO_OP, apps=lazy) as world, world.browser() as b:
        for others in (["news", "bank"], []):
            page = await world.sign_in(b)
            assert not [url for url in page.chain if "/chain/hop" in url and world.apps["shop"] not in url]
            page = await world.sign_out(b)
            visited = [url for url in page.chain if "/chain/hop" in url]
            assert [name for name in world.apps if any(world.apps[name] in url for url in visited)] == ["shop", *others]
            world.clock.now += 60
