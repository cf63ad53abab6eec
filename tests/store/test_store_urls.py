"""``store.url``: which store each spelling gives, and what is said of one that gives none."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from chain_gateway.errors import ConfigError
from chain_gateway.store.memory import MemoryStore
from chain_gateway.store.redis import Form, Place, RedisStore
from chain_gateway.store.sqlite import SqliteStore, Synchronous
from chain_gateway.store.urls import open_store

FILES = (("ssl_ca_certs", "/ca.pem"), ("ssl_certfile", "/c.pem"), ("ssl_keyfile", "/k.pem"))


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


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("redis://cache.example", Place(Form.ALONE, (("cache.example", 6379),))),
        ("redis://:a%40b@[::1]:1/15", Place(Form.ALONE, (("::1", 1),), None, "a@b", database=15)),
        ("rediss://me:pw@h?ca=/ca.pem", Place(Form.ALONE, (("h", 6379),), "me", "pw", tls=True, files=FILES[:1])),
        ("rediss://h?ca=/ca.pem&cert=/c.pem&key=/k.pem", Place(Form.ALONE, (("h", 6379),), tls=True, files=FILES)),
        ("redis+sentinel://a,b:1/main", Place(Form.SENTINEL, (("a", 26379), ("b", 1)), name="main")),
        (
            "redis+sentinel://:x@a/main?sentinel_user=me&sentinel_password=p%26w+",
            Place(
                Form.SENTINEL, (("a", 26379),), None, "x", name="main", sentinel_username="me", sentinel_password="p&w+"
            ),
        ),
        ("rediss+cluster://a,b:1", Place(Form.CLUSTER, (("a", 6379), ("b", 1)), tls=True)),
    ],
)
def test_redis(url: str, place: Place) -> None:
    """One server, sentinels or a cluster, each with and without TLS; passwords are percent-encoded, and not shown."""
    store = open_store(url)
    assert isinstance(store, RedisStore)
    assert store._place == place
    assert "pw" not in f"{place} {place!r}"
    assert "p&w" not in f"{place} {place!r}"


@pytest.mark.parametrize("lacking", ["redis", "hiredis"])
def test_redis_without_its_libraries(lacking: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation without the extra, or with half of it, says what to install."""
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == lacking else find(name))
    with pytest.raises(ConfigError) as caught:
        open_store("redis://cache.example")
    assert "chain-gateway[redis]" in caught.value.problems[0].hint


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
        "postgresql://host/db", "postgresql://:hunter2@host", "http://[", "file:///chain.db", "redis://", "redis://:hunter2@",
        "redis://hunter2@host",
        "redis://:hunter2@a,b", "redis://:hunter2@host/1/2", "redis://:hunter2@host/x", "redis://:hunter2@host:70000",
        "redis://:hunter2@host/0#x", "redis://:hunter2@host?ca=/x", "rediss://:hunter2@host?ca=x", "redis+unix://:hunter2@h",
        "rediss://:hunter2@host?verify=none", "redis+sentinel://:hunter2@host", "redis+sentinel://:hunter2@host/a/b",
        "redis://host?sentinel_password=hunter2", "redis+sentinel://host/main?sentinel_user=hunter2",
        "redis+cluster://:hunter2@host/0", "rediss+cluster://:hunter2@[::1",
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
