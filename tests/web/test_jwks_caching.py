"""The key set is the one answer that may be kept, and never so long that a new key is used before it is known."""

from __future__ import annotations

import re

from support.world import a_world

from chain_gateway.tokens.keyring import LEAD
from chain_gateway.tokens.purposes import Use


async def test_the_key_set_may_be_kept_for_less_than_a_new_key_waits() -> None:
    """By anybody, as it is public; what is about a person may be kept by nobody."""
    async with a_world("shop") as world, world.browser() as browser:
        page = await browser.open(f"{world.gateway}/.well-known/jwks.json")
        found = re.fullmatch(r"public, max-age=(\d+)", page.headers["Cache-Control"])
        assert found, page.headers["Cache-Control"]
        assert 60 <= int(found[1]) < LEAD[Use.SIGN]
        page = await browser.open(f"{world.gateway}/logout?app=shop")
        assert page.headers["Cache-Control"] == "no-store"
