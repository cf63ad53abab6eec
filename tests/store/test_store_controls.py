"""The suite is worth something: for each promise a store that breaks it, and the case that must notice."""

from __future__ import annotations

import broken_owed
import broken_records
import broken_sign_ins
import broken_walks
import pytest

from chain_gateway.store import conformance
from chain_gateway.store.memory import MemoryStore

CASES = {case.name: case for case in conformance.cases()}
BROKEN = broken_walks.BROKEN + broken_records.BROKEN + broken_owed.BROKEN + broken_sign_ins.BROKEN


@pytest.mark.parametrize(("store", "case"), BROKEN, ids=[f"{store.__name__}-{case}" for store, case in BROKEN])
async def test_a_broken_store_is_found_out(store: type[MemoryStore], case: str) -> None:
    """A store that breaks a promise fails the case of that promise, by ``Broken`` and nothing else."""
    with pytest.raises(conformance.Broken):
        await CASES[case].run(store)


def test_every_case_can_fail() -> None:
    """There is no case that no broken store fails."""
    assert {case for _, case in BROKEN} == set(CASES)
