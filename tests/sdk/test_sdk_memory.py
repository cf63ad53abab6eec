"""What both memories promise."""

import asyncio

import pytest

from chain_gateway.errors import StoreUnavailable
from chain_gateway.sdk.memory import InProcessMemory, SqliteMemory


@pytest.fixture(params=["in_process", "sqlite"])
async def make(request, tmp_path):
    """Makes memories, and closes them at the end; an SQLite one always on the same file."""
    made = []

    def build(entries=10):
        memory = InProcessMemory(entries) if request.param == "in_process" else SqliteMemory(tmp_path / "m.db", entries)
        made.append(memory)
        return memory

    yield build
    for memory in made:
        await memory.close()


async def test_a_key_is_new_once(make):
    """The first call gets None, later ones what the first one said."""
    memory = make()
    assert await memory.first("a", "one", until=100, now=0) is None
    assert await memory.first("a", "two", until=100, now=99) == "one"
    assert await memory.first("b", "two", until=100, now=0) is None


async def test_of_many_at_once_one_is_first(make):
    """T12: a ticket that comes twice in one moment is applied once."""
    memory = make()
    answers = await asyncio.gather(*(memory.first("a", f"{n}", until=100, now=0) for n in range(20)))
    assert answers.count(None) == 1
    assert len(set(answers)) == 2


async def test_a_key_that_ran_out_is_new_again(make):
    """An entry counts until its time, not beyond."""
    memory = make()
    await memory.first("a", "one", until=100, now=0)
    assert await memory.first("a", "two", until=300, now=100) is None
    assert await memory.first("a", "three", until=300, now=200) == "two"


async def test_the_highest_epoch_of_a_sid_stands(make):
    """T27: a logout that comes late moves nothing back, and none is forgotten before the longest life has passed."""
    memory = make()
    assert await memory.revoked("sid", now=0) is None
    await memory.revoke("sid", 7, until=100, now=0)
    await memory.revoke("sid", 5, until=200, now=1)
    assert await memory.revoked("sid", now=199) == 7
    assert await memory.revoked("sid", now=200) is None
    assert await memory.revoked("other", now=0) is None


async def test_a_full_memory_takes_nothing_new_until_old_entries_have_run_out(make):
    """Bounded, and closed rather than forgetful: an entry that counts is never pushed out."""
    memory = make(entries=2)
    for key in ("a", "b"):
        await memory.first(key, "x", until=100, now=0)
        await memory.revoke(key, 1, until=100, now=0)
    with pytest.raises(StoreUnavailable):
        await memory.first("c", "x", until=100, now=50)
    with pytest.raises(StoreUnavailable):
        await memory.revoke("c", 1, until=100, now=50)
    assert await memory.first("a", "y", until=100, now=50) == "x"
    assert await memory.revoked("b", now=50) == 1
    assert await memory.first("c", "x", until=200, now=100) is None
    await memory.revoke("c", 1, until=200, now=100)


async def test_a_full_memory_still_raises_the_epoch_of_a_sid_that_it_knows(make):
    """A logout of a known sid needs no new room."""
    memory = make(entries=1)
    await memory.revoke("sid", 5, until=100, now=0)
    await memory.revoke("sid", 9, until=100, now=0)
    assert await memory.revoked("sid", now=0) == 9


async def test_two_memories_on_one_file_are_one(tmp_path):
    """Two processes share what was applied and what was ended, and a restart forgets nothing."""
    one, two = SqliteMemory(tmp_path / "m.db"), SqliteMemory(tmp_path / "m.db")
    assert await one.first("a", "one", until=100, now=0) is None
    assert await two.first("a", "two", until=100, now=0) == "one"
    await two.revoke("sid", 5, until=100, now=0)
    await two.close()
    assert await one.revoked("sid", now=0) == 5
    await one.close()


async def test_a_file_that_cannot_be_opened_is_a_store_out_of_reach(tmp_path):
    """No other exception leaves a memory."""
    memory = SqliteMemory(tmp_path / "missing" / "m.db")
    with pytest.raises(StoreUnavailable):
        await memory.revoked("sid", now=0)
    await memory.close()
