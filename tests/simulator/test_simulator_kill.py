"""The gateway's process killed at each of its writes, and ended in good order under load (I6; F17, F18)."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from copy import deepcopy
from itertools import count
from pathlib import Path

import pytest
from simulator_parts import assert_kept
from simulator_person import LoneBrowser, Person, see
from simulator_process import GatewayProcess, a_gateway_process
from simulator_proxy import request_late, request_lost
from simulator_world import BACK_CHANNEL, HOP, NAMES, PING, Simulation
from support.patience import PATIENCE

from chain_gateway.core.limits import HOP_SECONDS, OWED_SECONDS

Jars = dict[str, dict[str, str]]
CUT_OFF_SECONDS = 3.0
"""In which a request shows that it was not waited for, if it was not."""
TERMINATED = 12
"""How many browsers are under way when the gateway is told to stop."""
SOON = min(12, PATIENCE)
"""Seconds within which what is due is delivered, even by a busy machine; it takes one."""
LONG = 1000
"""Seconds, after which every delivery is tried again."""


def person(simulation: Simulation, browser: LoneBrowser) -> Person:
    sites = tuple(simulation.apps.values())
    return Person(browser, simulation.gateway, sites, lambda: simulation.clock.move(HOP_SECONDS + 1))


async def sign_in(simulation: Simulation, browser: LoneBrowser) -> str:
    """Signs in, whatever happens; a sign-in that came to nothing is begun once more by its person."""
    await see(browser, simulation.at_first_hop(browser))
    end = await person(simulation, browser).finish()
    if await everywhere(simulation, browser):
        return end
    await simulation.at_first_hop(browser)
    return f"{end}, then {await person(simulation, browser).finish()}"


async def sign_out(simulation: Simulation, browser: LoneBrowser) -> str:
    """Signs out, whatever happens; a sign-out that came to nothing is begun once more by its person."""
    await press(simulation, browser)
    end = await finish_out(simulation, browser)
    if not await simulation.signed_in(browser):
        return end
    await press(simulation, browser)
    return f"{end}, then {await finish_out(simulation, browser)}"


async def press(simulation: Simulation, browser: LoneBrowser) -> None:
    """Presses the button that signs out everywhere."""
    await simulation.at_logout(browser)
    await see(browser, browser.submit())


async def finish_out(simulation: Simulation, browser: LoneBrowser) -> str:
    """Goes on, and says yes where the provider asks."""
    if "/session/end" in browser.page.url:
        await see(browser, browser.submit(browser.page.forms[0], browser.page.forms[0].buttons[0]))
    return await person(simulation, browser).finish()


async def everywhere(simulation: Simulation, browser: LoneBrowser) -> bool:
    return await simulation.signed_in(browser) == dict.fromkeys(NAMES, "demo|alice")


async def nobody(simulation: Simulation, browser: LoneBrowser, stolen: Jars) -> bool:
    """Whether nobody is signed in anywhere, in this browser or with its cookies of before."""
    async with LoneBrowser() as thief:
        thief.jars = deepcopy(stolen)
        return not await simulation.signed_in(browser) and not await simulation.signed_in(thief)


async def all_delivered(simulation: Simulation, process: GatewayProcess) -> None:
    """Returns when nothing is owed any more; TimeoutError if something stays owed."""
    async with asyncio.timeout(SOON):
        while True:
            noted = process.wrote["note"]
            if not await simulation.store.all_owed(100):
                return
            await process.until("note", noted + 1)


async def closed(address: tuple[str, int]) -> None:
    """Returns when nobody listens there any more."""
    while True:
        try:
            _, writer = await asyncio.open_connection(*address)
        except ConnectionError:
            return
        writer.close()


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_login_survives_a_kill_at_each_write(when: str, tmp_path: Path) -> None:
    """However far it had come, the person goes on or begins anew, and is then signed in everywhere."""
    rows = [("killed", "end")]
    async with a_gateway_process(tmp_path) as (simulation, process):
        for step in count(1):
            process.die(when, f"{step}")
            async with simulation.browser() as browser:
                end = await sign_in(simulation, browser)
                assert await everywhere(simulation, browser)
                assert all(max(memory.effects.values()) == 1 for memory in simulation.memories.values())
            if not process.spare():
                break
            rows.append((process.killed[-1], end))
    assert len(rows) > len(NAMES)
    assert_kept(f"login, gateway killed {when} a write", rows)


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_logout_survives_a_kill_at_each_write(when: str, tmp_path: Path) -> None:
    """The person goes on, or presses the button again: nobody is signed in, and nothing stays owed for ever."""
    rows = [("killed", "end")]
    async with a_gateway_process(tmp_path) as (simulation, process):
        for step in count(1):
            async with simulation.browser() as browser:
                await sign_in(simulation, browser)
                stolen = deepcopy(browser.jars)
                process.die(when, f"{step}")
                end = await sign_out(simulation, browser)
                simulation.clock.move(LONG)
                await all_delivered(simulation, process)
                assert await nobody(simulation, browser, stolen)
            if not process.spare():
                break
            rows.append((process.killed[-1], end))
    assert len(rows) > len(NAMES)
    assert_kept(f"logout, gateway killed {when} a write", rows)


async def test_a_logout_that_had_begun_is_never_lost(tmp_path: Path) -> None:
    """The gateway is killed and the browser never comes back: once it was written down, every app is told (I6)."""
    rows = [("killed", "signed in afterwards")]
    left: list[tuple[str, LoneBrowser, Jars]] = []
    async with AsyncExitStack() as stack, a_gateway_process(tmp_path) as (simulation, process):
        for when in ("before", "after"):
            for step in count(1):
                browser = await stack.enter_async_context(simulation.browser())
                await sign_in(simulation, browser)
                stolen = deepcopy(browser.jars)
                process.die(when, f"{step}")
                await press(simulation, browser)
                if browser.page.status:
                    await finish_out(simulation, browser)
                if not process.spare():
                    break
                left.append((process.killed[-1], browser, stolen))
        simulation.clock.move(OWED_SECONDS + 1)
        await all_delivered(simulation, process)
        for killed, browser, stolen in left:
            out = await nobody(simulation, browser, stolen)
            assert out or await everywhere(simulation, browser)
            rows.append((killed, "nowhere" if out else "everywhere"))
    assert_kept("logout, gateway killed and browser gone", rows)


@pytest.mark.parametrize("moment", ["after owed", "before note", "after note"])
async def test_a_delivery_survives_a_kill(moment: str, tmp_path: Path) -> None:
    """Claimed and not told, told and not noted, noted: the app is told, at least once, and nothing stays owed."""
    async with a_gateway_process(tmp_path) as (simulation, process), simulation.browser() as browser:
        await sign_in(simulation, browser)
        stolen = deepcopy(browser.jars)
        bank = simulation.proxies["bank"]
        bank.strike(request_lost, lambda request: request.path in {HOP, PING, BACK_CHANNEL}, -1)
        await sign_out(simulation, browser)
        assert [each.entry.app for each in await simulation.store.all_owed(10)] == ["bank"]
        process.die(*moment.split())
        bank.heal()
        simulation.clock.move(LONG)
        await process.ended(1)
        await process.front.ready.wait()
        simulation.clock.move(LONG)
        await all_delivered(simulation, process)
        assert await nobody(simulation, browser, stolen)
        assert process.killed == [moment]


async def test_the_end_of_a_gateway_fails_no_walk(tmp_path: Path) -> None:
    """SIGTERM under load: what is under way is answered, the code is 0, and the next process takes over (F18)."""
    async with AsyncExitStack() as stack, a_gateway_process(tmp_path) as (simulation, process):
        late = await stack.enter_async_context(simulation.browser())
        await sign_in(simulation, late)
        bank = simulation.proxies["bank"]
        bank.strike(request_late, lambda request: request.path == PING)
        leaving = asyncio.create_task(press(simulation, late))
        await bank.held.wait()
        browsers = [await stack.enter_async_context(simulation.browser()) for _ in range(TERMINATED)]
        walking = [asyncio.create_task(sign_in(simulation, browser)) for browser in browsers]
        async with process.news:
            await process.news.wait_for(lambda: process.wrote["advance"] > len(NAMES) + TERMINATED)
        process.stop()
        await closed(process.front.upstream)
        await asyncio.wait([leaving], timeout=CUT_OFF_SECONDS)
        bank.heal()
        await process.ended(1)
        assert await asyncio.gather(*walking) == ["back"] * TERMINATED
        await leaving
        assert late.page.status == 200
        await finish_out(simulation, late)
        assert process.codes == [0]
        assert all([await everywhere(simulation, browser) for browser in browsers])
        assert not await simulation.signed_in(late)
