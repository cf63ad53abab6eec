"""A configuration that cannot be read just now, and one that does not hold: the first may in a moment, as it is."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest
from config_builder import ENVIRON, a_config
from support.broken_disk import BROKEN

from chain_gateway.cli import keys
from chain_gateway.config import load, parse
from chain_gateway.errors import ConfigError
from chain_gateway.ops.audit_log import sink_at

SECRET = "apps[0].secret"
NEXT = "apps[1].secret"


def is_passing(**files: str | Path) -> bool:
    """What is said of a configuration whose values are in these files."""
    places = {"first": SECRET, "second": NEXT, "keys": "gateway.keys"}
    changes = {places[name]: {"file": str(path)} for name, path in files.items()}
    with pytest.raises(ConfigError) as refused:
        parse(a_config(changes), base=Path("/nowhere"), environ=ENVIRON)
    return refused.value.passing


def test_a_configuration_that_cannot_be_read_just_now(tmp_path: Path) -> None:
    """A disk that does not answer says nothing of the file; that there is none stays so until one is made."""
    for path, passing in ((BROKEN, True), (tmp_path / "none", False), (tmp_path, False)):
        with pytest.raises(ConfigError) as refused:
            load(path, ENVIRON)
        assert refused.value.passing is passing


def test_keys_that_cannot_be_read_just_now(tmp_path: Path) -> None:
    """The same of the file of keys."""
    for path, passing in ((BROKEN, True), (tmp_path / "none", False)):
        with pytest.raises(ConfigError) as refused:
            keys.load(path)
        assert refused.value.passing is passing
    assert is_passing(keys=BROKEN)


def test_an_audit_log_that_cannot_be_opened(tmp_path: Path) -> None:
    """That its folder is none stays so; that as many files are open as may be does not."""
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError) as refused, sink_at(tmp_path / "file" / "audit.jsonl"):
        pass
    assert not refused.value.passing
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        with pytest.raises(ConfigError) as refused, sink_at(tmp_path / "audit.jsonl"):
            pass
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert refused.value.passing


def test_a_value_that_cannot_be_read_just_now(tmp_path: Path) -> None:
    """The same of the files that a configuration names; one problem that stays makes all of it stay."""
    assert is_passing(first=BROKEN)
    assert is_passing(first=BROKEN, second=BROKEN)
    assert not is_passing(first=tmp_path / "none")
    assert not is_passing(first=BROKEN, second=tmp_path / "none")
    assert not is_passing(first=BROKEN, second=tmp_path)
