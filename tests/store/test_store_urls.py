"""``store.url``: which store each spelling gives, and what is said of one that gives none."""

from __future__ import annotations

from pathlib import Path

import pytest

from chain_gateway.errors import ConfigError
from chain_gateway.store.memory import MemoryStore
from chain_gateway.store.sqlite import SqliteStore, Synchronous
from chain_gateway.store.urls import open_store


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_memory() -> None:
    """``memory://`` is a store that is ready."""
    assert isinstance(open_store("memory://"), MemoryStore)


@pytest.mark.parametrize(
    ("url", "path", "synchronous"),
    [
        ("sqlite:///chain.db", "/etc/gateway/chain.db", Synchronous.NORMAL),
        ("sqlite:///data/chain.db", "/etc/gateway/data/chain.db", Synchronous.NORMAL),
        ("sqlite:////var/lib/chain.db", "/var/lib/chain.db", Synchronous.NORMAL),
        ("sqlite:////var/lib/a%20b.db", "/var/lib/a b.db", Synchronous.NORMAL),
        ("sqlite:///chain.db?synchronous=full", "/etc/gateway/chain.db", Synchronous.FULL),
        ("sqlite:///chain.db?synchronous=normal", "/etc/gateway/chain.db", Synchronous.NORMAL),
    ],
)
def test_sqlite(url: str, path: str, synchronous: Synchronous) -> None:
    """Three slashes are a path beside the configuration, four one from the root."""
    store = open_store(url, base=Path("/etc/gateway"))
    assert isinstance(store, SqliteStore)
    assert (store._path, store._synchronous) == (Path(path), synchronous)


async def test_a_path_counts_from_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a folder given, a relative path is the shell's; nothing is made before the store is opened."""
    monkeypatch.chdir(tmp_path)
    store = open_store("sqlite:///chain.db")
    assert isinstance(store, SqliteStore)
    assert names(tmp_path) == []
    await store.open()
    assert "chain.db" in names(tmp_path)
    await store.close()


@pytest.mark.parametrize(
    "url",
    [
        "", "chain.db", "memory", "memory:", "memory:///x", "memory://host", "sqlite:", "sqlite://", "sqlite:///",
        "sqlite://host/chain.db", "sqlite:chain.db", "sqlite:///:memory:", "sqlite:///data/", "sqlite:///a.db#x",
        "sqlite:///a%00b", "sqlite:///a.db?synchronous=off", "sqlite:///a.db?mode=ro", "sqlite:///a.db?synchronous",
        "postgresql://host/db", "redis://user:hunter2@host:6379/0", "http://[", "file:///chain.db",
    ],
)  # fmt: skip
def test_anything_else_is_refused(url: str) -> None:
    """The problem names the setting, says what to write, and repeats nothing that may be a password."""
    with pytest.raises(ConfigError) as caught:
        open_store(url)
    (problem,) = caught.value.problems
    assert problem.path == "store.url"
    assert problem.reason
    assert problem.hint
    assert "hunter2" not in str(caught.value)
