"""What every store is held to: the promises of ``store.base``, each as named cases, races included.

For a store of one's own, in one's own pytest (``asyncio_mode = auto``)::

    from chain_gateway.store import conformance

    @pytest.mark.parametrize("case", conformance.cases(), ids=str)
    async def test_store(case, tmp_path):
        await case.run(lambda: MyStore(tmp_path / "file"))

``run`` takes a function that makes a store, not yet opened. Each call of it must give a new one **on the same data**,
which is the suite's alone: some cases sweep it, years ahead. A store that keeps nothing beyond its closing leaves out
the cases of durability: ``conformance.cases(durable=False)``.

A case that does not hold raises ``Broken``, an AssertionError that says which promise, what was expected and what came.
"""

from chain_gateway.store.conformance import (
    availability,
    durability,
    epochs,
    ledger,
    nonce,
    once,
    overview,
    owed,
    sign_ins,
    supersession,
    sweep,
)
from chain_gateway.store.conformance.case import Broken, Case, MakeStore, on_one_store, on_stores

__all__ = ["Broken", "Case", "MakeStore", "cases"]


def cases(*, durable: bool = True) -> list[Case]:
    """All cases in the order of the promises; without ``durable`` those that a store in memory can keep."""
    modules = (epochs, nonce, supersession, ledger, once, sweep, overview, owed, sign_ins, availability)
    found = [on_one_store(check) for module in modules for check in module.CHECKS]
    if durable:
        found += [on_stores(check) for check in durability.CHECKS]
    return found
