"""The store in Redis keeps every promise, races included, against a real server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.redis_servers import Server, running

from chain_gateway.store import conformance

pytestmark = pytest.mark.redis


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all cases, each of which begins with an empty one."""
    one = Server(tmp_path_factory.mktemp("redis"))
    with running(one):
        yield one


@pytest.mark.parametrize("case", conformance.cases(), ids=str)
async def test_the_redis_store(case: conformance.Case, server: Server) -> None:
    """One server keeps every promise; what it keeps when it is killed is said in ``test_redis_losses``."""
    server.ask("FLUSHALL")
    await case.run(server.store)
