"""The operations listener: health, readiness, and what is counted of walks, hops and deliveries."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client.parser import text_string_to_metric_families
from support.world import World, a_world

from chain_gateway.core.limits import OWED_SECONDS
from chain_gateway.errors import OpUnavailable
from chain_gateway.ops.app import Operations, operations
from chain_gateway.ops.meter import PrometheusMeter
from chain_gateway.service.realm import Realm

WORDS = re.compile(r"[a-z0-9_.+-]{1,40}|\+Inf", re.ASCII)


class Provider:
    """A provider that can be out of reach."""

    down = False

    async def probe(self) -> None:
        if self.down:
            raise OpUnavailable("metadata: no answer", code="op_unavailable.timeout")


@asynccontextmanager
async def a_desk(realm: Realm, meter: PrometheusMeter) -> AsyncIterator[tuple[TestClient, Provider]]:
    """The listener of a gateway."""
    provider = Provider()
    async with TestClient(TestServer(operations(Operations.of(realm, provider, meter)))) as client:
        yield client, provider


async def counted(client: TestClient) -> dict[tuple[str, ...], float]:
    """Every sample that is not zero, by its name and its labels."""
    answer = await client.get("/metrics")
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    samples = [s for family in text_string_to_metric_families(await answer.text()) for s in family.samples]
    return {(s.name, *s.labels.values()): s.value for s in samples if s.value and not s.name.endswith("_created")}


@pytest.fixture
async def desk() -> AsyncIterator[tuple[World, TestClient, Provider]]:
    """A world that is counted, and its listener."""
    meter = PrometheusMeter()
    async with a_world(meter=meter) as world, a_desk(world.realm, meter) as (client, provider):
        yield world, client, provider


async def test_a_process_that_answers_is_healthy(desk) -> None:
    """Whatever it is connected to."""
    world, client, provider = desk
    provider.down = True
    await world.store.close()
    answer = await client.get("/healthz")
    assert (answer.status, await answer.json()) == (200, {"ok": True})
    assert answer.headers["Cache-Control"] == "no-store"


async def test_it_is_ready_when_people_can_sign_in(desk) -> None:
    """Store, provider and keys."""
    _, client, _ = desk
    answer = await client.get("/readyz")
    assert (answer.status, await answer.json()) == (
        200,
        {"ready": True, "checks": {"store": "ok", "provider": "ok", "keys": "ok"}},
    )


@pytest.mark.parametrize("part", ["store", "provider", "keys"])
async def test_it_says_what_it_is_not_ready_for(desk, part: str) -> None:
    """503 for the proxy, and for people the part and the code of what is wrong."""
    world, client, provider = desk
    if part == "store":
        await world.store.close()
    elif part == "provider":
        provider.down = True
    else:
        world.clock.now -= 10**6  # before the first key is active
    answer = await client.get("/readyz")
    checks = (await answer.json())["checks"]
    assert answer.status == 503
    assert {name for name, what in checks.items() if what != "ok"} == {part}
    assert checks[part] in {"store_unavailable", "op_unavailable.timeout", "not_ready.keys"}


async def test_one_check_can_be_asked_for(desk) -> None:
    """What is this gateway's own, whoever else is away: a probe of everything takes out all replicas at once."""
    world, client, provider = desk
    provider.down = True
    await world.store.close()
    answer = await client.get("/readyz?checks=keys")
    assert (answer.status, await answer.json()) == (200, {"ready": True, "checks": {"keys": "ok"}})
    assert (await client.get("/readyz?checks=keys,store")).status == 503
    world.clock.now -= 10**6
    assert (await client.get("/readyz?checks=keys")).status == 503
    for nonsense in ("", "all", "keys,"):
        assert (await client.get("/readyz", params={"checks": nonsense})).status == 400


async def test_walks_and_hops_are_counted(desk) -> None:
    """One login and one logout: each walk when it begins and where it ends, each hop by app and outcome."""
    world, client, _ = desk
    async with world.browser() as b:
        await world.sign_in(b)
        found = await counted(client)
        assert found["chain_walks_total", "login", "begun"] == 1
        assert found["chain_walks_total", "login", "done"] == 1
        assert found["chain_walk_seconds_count", "login"] == 1
        for app in world.apps:
            assert found["chain_hops_total", app, "login", "form_post", "applied"] == 1
        assert found["chain_hop_seconds_count", "login", "form_post"] == 3
        assert ("chain_open_walks",) not in found
        await world.sign_out(b)
        found = await counted(client)
        assert found["chain_walks_total", "logout", "done"] == 1
        assert found["chain_hops_total", "bank", "logout", "redirect", "applied"] == 1
        assert found["chain_store_seconds_count", "advance"] >= 6


async def test_what_is_owed_is_counted_until_it_is_delivered(desk) -> None:
    """A hop that failed, the logout that is owed, the attempt that failed, and the one that was confirmed."""
    world, client, _ = desk
    async with world.browser() as b:
        await world.sign_in(b)
        world.fronts["bank"].down()
        await world.sign_out(b)
        found = await counted(client)
        assert found["chain_hops_total", "bank", "logout", "redirect", "unreachable"] == 1
        assert found[("chain_owed_logouts",)] == 1
        await world.deliver()
        assert (await counted(client))["chain_deliveries_total", "bank", "failed"] == 1
        world.fronts["bank"].well()
        world.clock.now += OWED_SECONDS
        await world.deliver()
        found = await counted(client)
        assert found["chain_deliveries_total", "bank", "confirmed"] == 1
        assert ("chain_owed_logouts",) not in found
        await world.look()
        assert (await counted(client))["chain_app_up", "bank"] == 1


async def test_a_store_out_of_reach_leaves_the_counts(desk) -> None:
    """What was counted is told all the same."""
    world, client, _ = desk
    async with world.browser() as b:
        await world.sign_in(b)
    await world.store.close()
    assert (await counted(client))["chain_walks_total", "login", "done"] == 1


async def test_no_label_tells_of_a_person_or_holds_a_secret(desk) -> None:
    """Labels are words of the protocol and ids of apps: short, few, and the same for everybody."""
    world, client, _ = desk
    for who in ("alice", "bob"):
        async with world.browser() as b:
            await world.sign_in(b, who=who)
            await world.sign_out(b)
    found = await counted(client)
    assert all(WORDS.fullmatch(label) for _, *labels in found for label in labels)
    assert not any("alice" in label or "demo" in label for _, *labels in found for label in labels)
