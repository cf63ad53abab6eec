"""Servers that do not answer, answer late, step down or move: one exception in time, and nothing done twice."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ResponseError
from support.lossy import Lossy, losing
from support.patience import PATIENCE
from support.redis_servers import Ground, Server, a_patient_store, a_store, alone, cluster, looks_closely, watched

from bench.soak.servers import until
from chain_gateway.core.ledger import Holding
from chain_gateway.errors import StoreUnavailable
from chain_gateway.store.base import Advanced, Replayed, Store, StoredWalk
from chain_gateway.store.conformance.availability import EVERY_CALL, refused
from chain_gateway.store.conformance.case import opened
from chain_gateway.store.conformance.values import NOW, NOW_MS, a_walk, an_entry, an_id, begun, step
from chain_gateway.store.redis import RedisStore, lane, links
from chain_gateway.store.redis.failures import may_pass
from chain_gateway.store.redis.keys import Keys
from chain_gateway.store.redis.lane import WAITING
from chain_gateway.store.redis.links import SHARDS

pytestmark = pytest.mark.redis


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """One server."""
    with alone(tmp_path_factory.mktemp("redis")) as servers:
        yield servers


@pytest.fixture
async def line(ground: Ground) -> AsyncIterator[Lossy]:
    """A line to it that loses answers when it is told to."""
    async with losing(ground.servers[0].port) as lossy:
        yield lossy


@pytest.fixture
async def store(line: Lossy) -> AsyncIterator[RedisStore]:
    """A store at the other end of the line."""
    async with opened(lambda: a_store(f"redis://127.0.0.1:{line.port}")) as one:
        assert isinstance(one, RedisStore)
        for call in EVERY_CALL.values():  # from now on the server knows all scripts: a question has one answer
            await call(one)
        yield one


@pytest.fixture
def failed(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Set when a call has failed in a way that may pass, and is about to be made again."""
    event = asyncio.Event()

    def noticed(error: BaseException) -> bool:
        event.set()
        return may_pass(error)

    monkeypatch.setattr(lane, "may_pass", noticed)
    return event


@contextmanager
def frozen(server: Server) -> Iterator[None]:
    """A server that takes connections and says nothing."""
    assert server.process is not None
    os.kill(server.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server.process.pid, signal.SIGCONT)


async def test_a_step_whose_answer_was_lost_was_taken(store: RedisStore, line: Lossy) -> None:
    """The call asks again and learns that it was its own step; for any other call the nonce is spent (F25)."""
    walk = await begun(store)
    following = step(walk)
    line.lose = 1
    assert await store.advance(following, walk.nonce, [an_entry("shop", walk.epoch)]) == Advanced()
    assert line.lost == 1
    assert await store.walk(walk.id) == following
    assert await store.advance(following, walk.nonce, ()) == Replayed(following)
    assert await store.advance(step(following, ended=True), following.nonce, ()) == Advanced()


async def test_a_last_step_whose_answer_was_lost_was_taken(store: RedisStore, line: Lossy) -> None:
    """Also where the walk has ended by it."""
    walk = await begun(store)
    end = step(walk, ended=True)
    line.lose = 1
    assert await store.advance(end, walk.nonce, ()) == Advanced()
    assert line.lost == 1
    assert await store.advance(end, walk.nonce, ()) == Replayed(end)


async def test_a_key_whose_answer_was_lost_is_new(store: RedisStore, line: Lossy) -> None:
    """A request to sign out is not taken for its own copy; a copy is."""
    key = an_id().hex()
    line.lose = 1
    assert await store.once("label", key, NOW + 60, NOW)
    assert line.lost == 1
    assert not await store.once("label", key, NOW + 60, NOW)


async def test_a_walk_whose_answer_was_lost_was_dropped(
    store: RedisStore, line: Lossy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who dropped it is told so, and nobody else."""
    walk = await begun(store)
    find = store.walk

    async def found(walk_id: bytes) -> StoredWalk | None:
        there = await find(walk_id)
        line.lose = 1  # not the question where the walk is, but the next one
        return there

    monkeypatch.setattr(store, "walk", found)
    assert await store.drop_walk(walk.id)
    assert line.lost == 1
    monkeypatch.undo()
    assert not await store.drop_walk(walk.id)


async def test_an_epoch_whose_answer_was_lost_is_passed_over(store: RedisStore, line: Lossy) -> None:
    """It is never returned by a later call; a gap does no harm."""
    browser = an_id()
    line.lose = 1
    first = await store.take_epoch(browser, NOW_MS, logout=True)
    assert line.lost == 1
    assert first == NOW_MS + 1
    assert await store.take_epoch(browser, NOW_MS, logout=False) == NOW_MS + 2


async def test_a_claim_whose_answer_was_lost_runs_out(store: RedisStore, line: Lossy) -> None:
    """Nobody has it until the lease is over, as if its worker had died; then it is there again."""
    browser = an_id()
    await store.owed(NOW * 2, NOW * 3, 10**6)
    await store.note(browser, [an_entry(holding=Holding.OWED)])
    line.lose = 1
    assert await store.owed(NOW, NOW + 30, 9) == []
    assert line.lost == 1
    assert [each.browser for each in await store.owed(NOW + 30, NOW + 60, 9)] == [browser]


async def test_a_beginning_whose_answer_was_lost_is_there_once(store: RedisStore, line: Lossy) -> None:
    """The walk is open, and one of its kind."""
    walk = a_walk(an_id())
    line.lose = 1
    await store.open_walk(walk, [an_entry()], None)
    assert line.lost == 1
    assert await store.open_walks(walk.browser, NOW) == [walk]


async def test_a_connection_that_is_taken_from_under_a_call(store: RedisStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """redis-py 6 does so while idle ones are let go of, as in a failover: the call is made on another one."""
    taken: list[AbstractConnection] = []
    send = AbstractConnection._send_packed_command

    async def take(connection: AbstractConnection, command: Iterable[bytes]) -> None:
        if not taken:
            taken.append(connection)
            connection._writer.close()
            connection._writer = None
        await send(connection, command)

    monkeypatch.setattr(AbstractConnection, "_send_packed_command", take)
    walk = a_walk(an_id())
    await store.open_walk(walk, (), None)
    assert len(taken) == 1
    assert await store.open_walks(walk.browser, NOW) == [walk]


async def test_one_that_loses_everything_is_given_up(store: RedisStore, line: Lossy) -> None:
    """Tries are bounded: a line on which nothing ever comes back is unavailable, and well again later."""
    line.lose = 10**6
    await refused("a call on a dead line", store.ping())
    assert 1 < line.lost < 20
    line.lose = 0
    await store.ping()


async def test_a_server_that_says_nothing(ground: Ground) -> None:
    """Every method gives up in time, whatever waits beside it, and the same store works when the server does (F23)."""
    async with opened(ground.store) as store:
        with frozen(ground.servers[0]):
            await asyncio.gather(*(refused(name, call(store)) for name, call in EVERY_CALL.items()))
        for call in EVERY_CALL.values():
            await call(store)


async def test_calls_do_not_pile_up(ground: Ground) -> None:
    """More than a bounded number is refused at once: it could not be answered in time."""
    async with opened(ground.store) as store:
        with frozen(ground.servers[0]):
            calls = [store.take_epoch(an_id(), NOW_MS, logout=False) for _ in range(WAITING * 2)]
            async with asyncio.timeout(PATIENCE):
                told = await asyncio.gather(*calls, return_exceptions=True)
        assert {type(each) for each in told} == {StoreUnavailable}
        at_once = ["waiting already" in str(each) for each in told]
        assert sum(at_once) >= WAITING // 2
        assert sum("no answer in time" in str(each) for each in told) == len(told) - sum(at_once)


async def test_a_caller_that_goes_leaves_nothing_behind(ground: Ground) -> None:
    """A call that is cancelled while its answer is on the way does not hand that answer to another call."""
    async with opened(ground.store) as store:
        browser, other = an_id(), an_id()
        call = asyncio.ensure_future(store.take_epoch(browser, NOW_MS, logout=False))
        await asyncio.sleep(0)
        call.cancel()
        assert await store.browser(other) is None
        assert await store.take_epoch(other, 7, logout=False) == 7


async def test_a_server_that_forgot_the_scripts(ground: Ground) -> None:
    """They are sent again."""
    async with opened(ground.store) as store:
        walk = await begun(store)
        ground.servers[0].ask("SCRIPT", "FLUSH")
        assert await store.advance(step(walk), walk.nonce, ()) == Advanced()


async def test_a_server_that_has_stepped_down(ground: Ground, failed: asyncio.Event) -> None:
    """One that may not write any more is unavailable, and the call that waits is answered when it may again."""
    async with opened(ground.store) as store:
        ground.servers[0].ask("REPLICAOF", "127.0.0.1", 1)
        try:
            await refused("a write", store.ping())
            failed.clear()
            waiting = asyncio.ensure_future(store.take_epoch(an_id(), NOW_MS, logout=False))
            await failed.wait()
        finally:
            ground.servers[0].ask("REPLICAOF", "NO", "ONE")
        assert await waiting == NOW_MS


async def test_a_server_that_comes_back(ground: Ground) -> None:
    """The same store goes on after its server was killed and started again."""
    async with opened(ground.store) as store:
        ground.servers[0].kill()
        await refused("a call", store.ping())
        ground.servers[0].start()
        await store.ping()


async def test_another_primary(tmp_path_factory: pytest.TempPathFactory) -> None:
    """When the primary is killed, the sentinels name another one, and the same store goes on there (F28)."""
    with watched(tmp_path_factory.mktemp("sentinel")) as ground:
        primary, _, sentinel = ground.servers
        async with opened(ground.store) as store:
            walk = await begun(store)
            primary.copied()
            looks_closely(sentinel)
            primary.kill()
            sentinel.heard(r"\+switch-master")
            following = step(walk)
            assert await store.advance(following, walk.nonce, ()) == Advanced()
            assert await store.walk(walk.id) == following


async def fails_over(sentinel: Server) -> bool:
    """Whether it begins a failover: not before it knows the replica well."""
    with suppress(ResponseError):
        return sentinel.ask("SENTINEL", "FAILOVER", "main") == b"OK"
    return False


async def pings(store: Store, server: Server, waiting: int) -> asyncio.Future[None]:
    """A ping that waits at a server which pauses, as so many do then, each on a connection of its own."""

    async def waits() -> bool:
        return bool(server.ask("INFO", "clients")["blocked_clients"] == waiting)  # type: ignore[index]

    ping = asyncio.ensure_future(store.ping())
    await until(waits, "a call that waits")
    return ping


async def test_a_primary_that_lives_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the sentinels name another primary, the one of before is told nothing more, though it takes it (F28).

    Nor is it over a connection on which a call waits for its answer meanwhile.
    """
    monkeypatch.setattr(links, "SOCKET_SECONDS", PATIENCE)
    monkeypatch.setattr(links, "LOOK_SECONDS", float("inf"))
    with watched(tmp_path) as ground:
        primary, replica, sentinel = ground.servers
        async with opened(lambda: a_patient_store(ground.url)) as store:
            primary.ask("CLIENT", "PAUSE", 60_000, "WRITE")
            both = [await pings(store, primary, 1), await pings(store, primary, 2)]
            primary.ask("CLIENT", "UNPAUSE")
            await asyncio.gather(*both)
            await until(lambda: fails_over(sentinel), "the sentinel's word of a good replica")
            sentinel.heard(r"\+switch-master")
            primary.ask("CLIENT", "PAUSE", 60_000, "WRITE")
            waiting = await pings(store, primary, 1)
            monkeypatch.setattr(links, "LOOK_SECONDS", 0.0)
            looking = asyncio.ensure_future(store.ping())
            await asyncio.wait([looking], timeout=1.0)
            primary.ask("CLIENT", "UNPAUSE")
            await asyncio.gather(waiting, looking)
            walk = await begun(store)
            assert primary.ask("HEXISTS", "cg{0}:walks", walk.id.hex()) == 0
            assert replica.ask("HEXISTS", "cg{0}:walks", walk.id.hex()) == 1
            assert primary.ask("ROLE")[0] == b"master"  # type: ignore[index]
            sentinel.kill()
            assert await store.advance(step(walk), walk.nonce, ()) == Advanced()


async def test_a_slot_that_moves(tmp_path_factory: pytest.TempPathFactory, failed: asyncio.Event) -> None:
    """While the slot of a walk goes to another node, its calls wait, and are then answered there (F28)."""
    with cluster(tmp_path_factory.mktemp("cluster")) as ground:
        async with opened(ground.store) as store:
            walk = await begun(store)
            name = Keys(SHARDS).of_browser(walk.browser.hex())[0]
            slot = int(str(ground.servers[0].ask("CLUSTER", "KEYSLOT", name)))
            ids = [bytes(server.ask("CLUSTER", "MYID")).decode() for server in ground.servers]  # type: ignore[call-overload]
            place = min(slot * 3 // 16384, 2)
            source, target = ground.servers[place], ground.servers[(place + 1) % 3]
            to, frm = ids[(place + 1) % 3], ids[place]
            target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", frm)
            source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", to)
            names = source.ask("CLUSTER", "GETKEYSINSLOT", slot, 1000)
            assert isinstance(names, list)
            half = len(names) // 2
            source.ask("MIGRATE", "127.0.0.1", target.port, "", 0, 1000, "KEYS", *names[:half])
            following = step(walk)
            waiting = asyncio.ensure_future(store.advance(following, walk.nonce, ()))
            await failed.wait()
            source.ask("MIGRATE", "127.0.0.1", target.port, "", 0, 1000, "KEYS", *names[half:])
            for server in (target, source, ground.servers[(place + 2) % 3]):
                server.ask("CLUSTER", "SETSLOT", slot, "NODE", to)
            assert await waiting == Advanced()
            assert await store.walk(walk.id) == following


async def test_what_comes_first_of_all_shards(ground: Ground) -> None:
    """A claim takes the earliest logouts wherever their browsers are, and no others, however many each shard has."""
    ground.clear()
    async with opened(ground.store) as store:
        assert isinstance(store, RedisStore)
        store._keys = Keys(SHARDS)
        browsers = [an_id() for _ in range(40)]
        for number, browser in enumerate(browsers):
            await store.note(browser, [an_entry(holding=Holding.OWED)._replace(since=NOW - number)])
        assert len({Keys(SHARDS).of_browser(browser.hex())[0] for browser in browsers}) > 1
        turns = [[each.browser for each in await store.owed(NOW, NOW + 30, 10)] for _ in range(5)]
        assert [each for turn in turns for each in turn] == browsers[::-1]
        assert [len(turn) for turn in turns] == [10, 10, 10, 10, 0]
