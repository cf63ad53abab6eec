"""One login and one logout walk a browser through every app, over real HTTP, with a real provider."""

from __future__ import annotations

import pytest
from support.world import a_world


@pytest.mark.parametrize("login", ["form_post", "two_step"])
@pytest.mark.parametrize("logout", ["redirect", "form_post"])
@pytest.mark.parametrize("op_logout", ["first", "last", "none"])
async def test_signed_in_everywhere_and_out_everywhere(login: str, logout: str, op_logout: str) -> None:
    """Every app confirms its session, and after the logout none of them has one."""
    async with (
        a_world(every={"login": login, "logout": logout}, op={"logout": op_logout}) as world,
        world.browser() as b,
    ):
        assert await world.signed_in(b) == {}
        page = await world.sign_in(b)
        assert page.url == world.apps["shop"] + "/", page.text
        assert await world.signed_in(b) == dict.fromkeys(world.apps, "demo|alice")
        page = await world.sign_out(b)
        assert page.status == 200, page.text
        assert await world.signed_in(b) == {}
