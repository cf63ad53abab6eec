"""The store in Redis keeps every promise, races included, however its servers stand together."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.redis_servers import Ground, a_patient_store, alone, cluster, watched

from chain_gateway.store import conformance

pytestmark = pytest.mark.redis
FORMS = {"alone": alone, "sentinel": watched, "cluster": cluster}


@pytest.fixture(scope="module", params=list(FORMS))
def ground(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """Real servers for all cases, each of which begins with empty ones."""
    with FORMS[request.param](tmp_path_factory.mktemp(request.param)) as servers:
        yield servers


@pytest.mark.parametrize("case", conformance.cases(), ids=str)
async def test_the_redis_store(case: conformance.Case, ground: Ground) -> None:
    """Every form keeps every promise; what is kept when a server is lost is said in ``test_redis_losses``."""
    ground.clear()
    await case.run(lambda: a_patient_store(ground.url))
