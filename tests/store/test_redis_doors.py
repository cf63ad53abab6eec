"""How a gateway is let in: TLS by an authority of one's own, certificates of clients, a user who may do little."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from support.lossy import losing
from support.redis_servers import Ground, a_patient_store, a_store, alone, behind_tls, watched

from bench.ports import free_port
from chain_gateway.errors import StoreUnavailable
from chain_gateway.store import conformance
from chain_gateway.store.conformance.case import opened

pytestmark = pytest.mark.redis
CASES = [case for case in conformance.cases() if case.name.startswith(("durability", "availability"))]


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """A server behind TLS, with the user of a gateway, and no other without a password."""
    with behind_tls(tmp_path_factory.mktemp("tls")) as servers:
        yield servers


async def refused(url: str) -> str:
    """Why a store is not opened."""
    with pytest.raises(StoreUnavailable) as caught:
        async with opened(lambda: a_store(url)):
            pass
    return caught.value.detail


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_a_user_with_the_least_rights(case: conformance.Case, ground: Ground) -> None:
    """Over TLS, by a user who may do what the decision record says and no more, every method works."""
    await case.run(lambda: a_patient_store(ground.url))


async def test_a_stranger_is_not_taken_for_the_server(ground: Ground) -> None:
    """A certificate of another authority, or for another name, is refused, and nothing secret is said."""
    async with losing(ground.servers[0].port) as line:
        said = await refused(f"rediss://chain:pa%3Ass@127.0.0.1:{line.port}")
        assert "CERTIFICATE_VERIFY_FAILED" in said
        assert line.taken == 1, "it was asked again and again"
    assert "pa:ss" not in said
    assert "ertificate" in await refused(ground.url.replace("127.0.0.1", "localhost", 1))


@pytest.mark.parametrize("userinfo", ["chain:wrong@", "nobody:pa%3Ass@", ""])
async def test_nobody_else_is_let_in(ground: Ground, userinfo: str) -> None:
    """A wrong password is told, and so is none."""
    said = await refused(ground.url.replace("chain:pa%3Ass@", userinfo))
    assert "WRONGPASS" in said or "NOAUTH" in said or "uthentication" in said


async def test_a_wrong_password_is_tried_once(ground: Ground) -> None:
    """Trying again would lock users out where somebody counts."""
    async with losing(ground.servers[0].port) as line:
        url = ground.url.replace(f":{ground.servers[0].port}", f":{line.port}")
        await refused(url.replace("pa%3Ass", "wrong"))
        assert line.taken == 1


async def test_what_is_not_ours_is_out_of_reach(ground: Ground) -> None:
    """The user cannot read other programs' keys, nor do what is dangerous."""
    way_in = ground.servers[0].way_in | {"username": "chain", "password": "pa:ss"}
    with redis.Redis(host="127.0.0.1", port=ground.servers[0].port, protocol=2, **way_in) as client:
        for command in (("GET", "other"), ("FLUSHALL",), ("KEYS", "*"), ("CONFIG", "GET", "*")):
            with pytest.raises(redis.exceptions.NoPermissionError):
                client.execute_command(*command)


async def test_a_right_that_is_missing_is_told(ground: Ground) -> None:
    """A user without one of the rights gets no half of a store: opening it says what is missing."""
    server = ground.servers[0]
    server.ask("ACL", "SETUSER", "half", "on", ">pw", "~cg{*", "+@read", "+@write", "+eval", "+evalsha")
    assert "can't run this command" in await refused(ground.url.replace("chain:pa%3Ass", "half:pw"))


async def test_sentinels_have_a_password_of_their_own(tmp_path: Path) -> None:
    """It is not that of the servers, and neither is told to the other; with none or a wrong one, nobody gets in."""
    with watched(tmp_path, "w+tch&er") as ground:
        told = "sentinel_password=w+tch%26er"
        store = a_store(f"{ground.url}?{told}")
        await store.open()
        await store.ping()
        await store.close()
        sentinel = ground.servers[-1]
        sentinel.ask("ACL", "SETUSER", "looker", "on", ">pw", "+@all")
        store = a_store(f"{ground.url}?sentinel_user=looker&sentinel_password=pw")
        await store.open()
        await store.close()
        for query in ("", "?sentinel_password=pa%3Ass", "?sentinel_user=looker&sentinel_password=wrong"):
            said = await refused(ground.url + query)
            assert "pa:ss" not in said
            assert "wrong" not in said


async def test_certificates_of_clients(tmp_path: Path) -> None:
    """A server that asks for a certificate gets ours, and lets nobody in without."""
    with behind_tls(tmp_path, clients=True) as ground:
        assert await refused(ground.url)
        store = a_store(f"{ground.url}&cert={tmp_path}/client.pem&key={tmp_path}/client.key")
        await store.open()
        await store.close()


async def test_a_server_that_throws_keys_away(tmp_path: Path) -> None:
    """One that forgets keys when its memory is full is refused: a nonce that it forgot could be spent again."""
    with alone(tmp_path, maxmemory="64mb", **{"maxmemory-policy": "volatile-lru"}) as ground:
        assert "maxmemory-policy" in await refused(ground.url)
        ground.servers[0].ask("CONFIG", "SET", "maxmemory-policy", "noeviction")
        store = ground.store()
        await store.open()
        await store.close()


async def test_nobody_is_there() -> None:
    """Where no server listens, opening says so in time, whatever the form."""
    where = f"127.0.0.1:{free_port()}"
    urls = (f"redis://{where}", f"rediss://{where}", f"redis+sentinel://{where}/main", f"redis+cluster://{where}")
    for said in await asyncio.gather(*(refused(url) for url in urls)):
        assert where in said
