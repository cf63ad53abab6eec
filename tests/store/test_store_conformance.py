"""Every store of the project passes the public suite."""

from __future__ import annotations

from pathlib import Path

import pytest

from chain_gateway.store import conformance
from chain_gateway.store.memory import MemoryStore
from chain_gateway.store.sqlite import SqliteStore, Synchronous


@pytest.mark.parametrize("case", conformance.cases(durable=False), ids=str)
async def test_the_memory_store(case: conformance.Case) -> None:
    """Memory keeps every promise but durability."""
    await case.run(MemoryStore)


@pytest.mark.parametrize("case", conformance.cases(), ids=str)
async def test_the_sqlite_store(case: conformance.Case, tmp_path: Path) -> None:
    """A SQLite file keeps every promise."""
    await case.run(lambda: SqliteStore(tmp_path / "chain.db"))


@pytest.mark.parametrize("case", conformance.cases(), ids=str)
async def test_the_sqlite_store_that_waits_for_the_disk(case: conformance.Case, tmp_path: Path) -> None:
    """The other setting of ``synchronous`` keeps them, too."""
    await case.run(lambda: SqliteStore(tmp_path / "chain.db", synchronous=Synchronous.FULL))


def test_cases_have_names_and_sentences() -> None:
    """Each case is found by one name, and says what must hold."""
    cases = conformance.cases()
    assert len({case.name for case in cases}) == len(cases)
    assert all(case.promise.endswith(".") for case in cases)
    assert {case.name.split(".")[0] for case in cases} == {
        "epochs",
        "nonce",
        "supersession",
        "ledger",
        "once",
        "sweep",
        "overview",
        "owed",
        "sign_ins",
        "availability",
        "durability",
    }
