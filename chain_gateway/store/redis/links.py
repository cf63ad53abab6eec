"""The way to the servers: a batch of scripts goes out, and as many answers come back.

redis-py and hiredis are imported here alone, and only when a store is opened, as they are an extra of the installation.
redis-py makes no attempts of its own: what is tried again, and how long, is the lane's to say.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from chain_gateway.errors import StoreUnavailable
from chain_gateway.store.redis.places import Form, Place
from chain_gateway.store.redis.records import Text
from chain_gateway.store.redis.scripts import Script

if TYPE_CHECKING:
    from redis.asyncio import Connection, Redis, RedisCluster
    from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool

SOCKET_SECONDS: Final = 0.8
"""How long one server may take to accept, and to answer: so that a second one can be tried in time."""
LOOK_SECONDS: Final = 1.0
"""How long the sentinels' word of who is the primary counts."""
GLANCE_SECONDS: Final = 0.1
"""How long a batch waits for that word; without it, it goes to the primary of before."""
AT_ONCE: Final = 32
"""Calls to a cluster that are under way at the same time."""
SHARDS: Final = 16
"""Into how many slots a cluster's data goes. It cannot be changed for data that is there."""
LIBRARIES: Final = ("redis", "hiredis")
TAKEN: Final = "the connection was taken away"
INSTALL: Final = "this store needs redis-py and hiredis: pip install 'chain-gateway[redis]'"


class Question(Protocol):
    """What a link knows of a call. ``whole`` sends the script's text instead of its digest."""

    script: Script
    keys: Sequence[str]
    words: Sequence[Text]
    whole: bool


class Link(Protocol):
    """A connected store."""

    async def send(self, batch: Sequence[Question]) -> Sequence[object]:
        """An answer or an exception for each; raises where all of them failed in one way."""

    async def renew(self) -> None:
        """Lets go of idle connections: the server behind them may not be the right one any more."""

    async def close(self) -> None:
        """Lets go of everything."""


def shards(place: Place) -> int:
    """Over how many hash tags the data is spread."""
    return SHARDS if place.form is Form.CLUSTER else 1


def link(place: Place) -> Link:
    """The way to ``place``; connections are made when needed. StoreUnavailable if what they take is not installed."""
    try:
        import hiredis  # noqa: F401, PLC0415
        import redis.asyncio  # noqa: PLC0415
    except ImportError as error:
        raise StoreUnavailable(INSTALL) from error
    if place.form is Form.CLUSTER:
        nodes = [redis.asyncio.cluster.ClusterNode(host, port) for host, port in place.hosts]
        return _Cluster(redis.asyncio.RedisCluster(startup_nodes=nodes, **_options(place)))
    if place.form is Form.SENTINEL:
        way_in = {"username": place.sentinel_username, "password": place.sentinel_password}
        sentinel = redis.asyncio.Sentinel(place.hosts, sentinel_kwargs=_options(place) | way_in, **_options(place))  # type: ignore[no-untyped-call]
        return _Watched(sentinel.master_for(place.name), sentinel)
    host, port = place.hosts[0]
    return _Servers(redis.asyncio.Redis(host=host, port=port, db=place.database, **_options(place)))


def _options(place: Place) -> dict[str, Any]:
    from redis.asyncio.retry import Retry  # noqa: PLC0415
    from redis.backoff import NoBackoff  # noqa: PLC0415

    options: dict[str, Any] = {
        "username": place.username,
        "password": place.password,
        "socket_timeout": SOCKET_SECONDS,
        "socket_connect_timeout": SOCKET_SECONDS,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
    }
    return options | ({"ssl": True, **dict(place.files)} if place.tls else {})


def _command(call: Question) -> tuple[Text, ...]:
    how, what = ("EVAL", call.script.text) if call.whole else ("EVALSHA", call.script.digest)
    return (how, what, len(call.keys), *call.keys, *call.words)


def _packed(batch: Sequence[Question]) -> bytes:
    from hiredis import pack_command  # noqa: PLC0415

    return b"".join([pack_command(_command(call)) for call in batch])  # type: ignore[arg-type]


class _Servers:
    """One server at a time: a batch is one pipeline on one connection.

    redis-py's own pipeline says the same, and takes about as long to spell it in Python as the server to do it.
    """

    def __init__(self, client: Redis) -> None:
        self._client = client

    async def send(self, batch: Sequence[Question]) -> Sequence[object]:
        """See ``Link``."""
        told = _packed(batch)
        pool = self._client.connection_pool
        connection = await pool.get_connection()  # type: ignore[no-untyped-call]
        try:
            await connection.send_packed_command(told)
            return [await _answer(connection) for _ in batch]
        except AttributeError as error:
            # redis-py 6 takes connections from under calls while idle ones are let go of.
            raise ConnectionError(TAKEN) from error
        finally:
            await self._let_go(connection)
            await pool.release(connection)  # closed, if not all answers were read: redis-py sees to it

    async def _let_go(self, connection: Connection) -> None:
        """Closes a connection that no further batch is to take."""

    async def renew(self) -> None:
        """See ``Link``."""
        await self._client.connection_pool.disconnect(inuse_connections=False)

    async def close(self) -> None:
        """See ``Link``."""
        await self._client.aclose()


class _Watched(_Servers):
    """The primary by the sentinels' word, which is asked for again and again.

    Sentinels may name another primary while the one of before is well and takes whatever comes: they turn it into a
    replica some 10 seconds later, and what it was told until then is gone. redis-py asks them when it connects.
    """

    def __init__(self, client: Redis, sentinel: Sentinel) -> None:
        super().__init__(client)
        self._sentinel = sentinel
        self._pool = cast("SentinelConnectionPool", client.connection_pool)
        self._looking: asyncio.Task[None] | None = None
        self._looked = -math.inf

    async def send(self, batch: Sequence[Question]) -> Sequence[object]:
        """See ``Link``."""
        if self._looking is None and asyncio.get_running_loop().time() >= self._looked + LOOK_SECONDS:
            self._looking = asyncio.create_task(self._look())
            await asyncio.wait([self._looking], timeout=GLANCE_SECONDS)
        return await super().send(batch)

    async def _look(self) -> None:
        """redis-py lets go of idle connections where the sentinels name another primary."""
        with suppress(Exception):  # without sentinels the primary of before is as good as any
            await self._pool.get_master_address()  # type: ignore[no-untyped-call]
        self._looked, self._looking = asyncio.get_running_loop().time(), None

    async def _let_go(self, connection: Connection) -> None:
        if (connection.host, connection.port) != self._pool.master_address:
            await connection.disconnect(nowait=True)  # waits for nothing, so nothing keeps it from the pool

    async def close(self) -> None:
        """See ``Link``."""
        if self._looking:
            self._looking.cancel()
        await super().close()
        for each in self._sentinel.sentinels:
            await each.aclose()


async def _answer(connection: Connection) -> object:
    """The next answer; the server's refusal of one call is its answer, and the others' follow."""
    from redis.exceptions import ResponseError  # noqa: PLC0415

    try:
        answer: object = await connection.read_response()
    except ResponseError as error:
        return error
    return answer


class _Cluster:
    """Each call on its own, as each may go to another node; redis-py follows slots that have moved."""

    def __init__(self, client: RedisCluster) -> None:
        self._client = client
        self._at_once = asyncio.Semaphore(AT_ONCE)

    async def send(self, batch: Sequence[Question]) -> Sequence[object]:
        """See ``Link``."""
        await self._client.initialize()  # once for all: calls that meet an unknown cluster disturb each other
        return await asyncio.gather(*(self._send(call) for call in batch), return_exceptions=True)

    async def _send(self, call: Question) -> object:
        async with self._at_once:
            try:
                return await self._client.execute_command(*_command(call))
            except AttributeError as error:
                # The client takes connections from under calls when another call finds that the cluster has changed.
                raise ConnectionError(TAKEN) from error

    async def renew(self) -> None:
        """See ``Link``; the client looks at the cluster anew by itself."""

    async def close(self) -> None:
        """See ``Link``."""
        await self._client.aclose()
