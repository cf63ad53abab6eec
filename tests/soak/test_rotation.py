"""Keys change while people sign in and out: nobody notices, and every app has the new ones when it needs them."""

from __future__ import annotations

import asyncio
import socket
import time
from pathlib import Path

import pytest

from bench.soak.browser import Browser
from bench.soak.crowd import Crowd
from bench.soak.front import a_front
from bench.soak.replicas import Pair, document
from bench.soak.servers import until
from bench.soak.site import NAMES, a_site
from bench.soak.trace import Trace
from chain_gateway.cli import keys
from chain_gateway.tokens.keyring import LEAD, State
from chain_gateway.tokens.purposes import Use

SOON = 15
"""Seconds after which a new key signs and seals here, in place of its whole lead."""
ENOUGH = 30
"""So many tickets under a key, and it is in use."""


def rotated(path: Path) -> dict[Use, str]:
    """Adds a key of each use that waits for ``SOON``, as if it had been rotated that much earlier; its kids."""
    for use in Use:
        ring = keys.rotate(path, [use], int(time.time()) - LEAD[use] + SOON)
    return {row.use: row.kid for row in ring.rows(int(time.time())) if row.state is State.NEXT}


def active(path: Path, use: Use) -> str:
    """The kid of the key that is in use."""
    return next(
        row.kid for row in keys.load(path).rows(int(time.time())) if row.use is use and row.state is State.ACTIVE
    )


async def reloaded(pair: Pair) -> None:
    """Returns when every worker has read the files."""
    before = pair.count("configuration.taken")
    pair.replicas[0].reload()
    await pair.logged("configuration.taken", pair.replicas[0].workers, before)


@pytest.mark.timeout(240)
async def test_nobody_notices_new_keys(tmp_path: Path) -> None:
    """Two workers, walks without a pause: new keys are announced, used, and the old one that signed is taken back."""
    trace = Trace()
    bound = socket.create_server(("127.0.0.1", 0))
    async with a_site(trace, bound.getsockname()[1]) as site:
        pair, crowd = Pair(tmp_path, 2), Crowd(site, 1, habits=(("in and out", 3), ("in twice and out", 1)))
        gateway = pair.replicas[0]
        async with a_front(bound, [gateway.socket]):
            keys.new(pair.keys, int(time.time()) - 2 * max(LEAD.values()), force=False)
            store = f"sqlite:///{tmp_path / 'chain.db'}"
            pair.write(document(site.gateway, site.op, site.apps, list(NAMES), store))
            try:
                await gateway.start()
                await pair.logged("gateway.started", gateway.workers, 0)
                coming = asyncio.create_task(crowd.come(4))
                old = active(pair.keys, Use.SIGN)
                await used(trace, old, ENOUGH)
                new = rotated(pair.keys)
                await reloaded(pair)
                assert trace.kids[new[Use.SIGN]] == 0, "the new key was used before every worker had it"
                await used(trace, new[Use.SIGN], ENOUGH)
                assert active(pair.keys, Use.SEAL) == new[Use.SEAL]
                assert active(pair.keys, Use.COOKIE) == new[Use.COOKIE]
                signed = trace.kids[old]
                await pair.do("keys", "retire", old, "--config", str(pair.config))
                await reloaded(pair)
                await used(trace, new[Use.SIGN], trace.kids[new[Use.SIGN]] + ENOUGH)
                crowd.over = True
                await coming
                assert await gateway.stop() == 0
            finally:
                gateway.kill()
        assert trace.kids[old] == signed
        assert dict(trace.trouble) == {}
        assert {trip.end for trip in trace.trips} == {"back"}
        assert {told.complete for told in trace.told} == {True}
        for side in site.sides.values():
            assert new[Use.SIGN] in (await side.keys.keys(side.now))._keys
        assert await everybody_is_out(crowd, crowd.browsers) == []


async def used(trace: Trace, kid: str, count: int) -> None:
    """Returns when that many tickets were signed under ``kid``."""

    async def enough() -> bool:
        return trace.kids[kid] >= count

    await until(enough, f"{count} tickets under {kid}", 90)


async def everybody_is_out(crowd: Crowd, browsers: list[Browser]) -> list[str]:
    """The sessions that are left in browsers that have signed out."""
    found = [await crowd.site.holds(browser.copy()) for browser in browsers]
    return [str(each) for each in found if each]
