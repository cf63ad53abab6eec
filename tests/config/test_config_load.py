"""Reading the file: what is no TOML, what cannot be read, and where relative paths start."""

from __future__ import annotations

from pathlib import Path

import pytest
from config_builder import ENVIRON

from chain_gateway.config import load
from chain_gateway.errors import ConfigError

SOUND = """
[gateway]
public_url = "http://login.localhost:8080"
keys = { file = "keys.json" }
[store]
url = "memory://"
[op]
issuer = "http://id.localhost:8080"
client_id = "gateway"
client_secret = { env = "OP_SECRET" }
[[apps]]
id = "shop"
origin = "http://shop.localhost:8080"
secret = { file = "shop.secret" }
[[chains]]
id = "main"
apps = ["shop"]
"""


def a_file(folder, text):
    path = folder / "chain.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def refusal(path):
    with pytest.raises(ConfigError) as refused:
        load(path, ENVIRON)
    (problem,) = refused.value.problems
    return problem


def a_secret(folder):
    (folder / "shop.secret").write_text("a secret of the shop, thirty-two bytes\n")
    (folder / "shop.secret").chmod(0o600)


def test_a_file_and_its_folder(tmp_path, monkeypatch):
    """Files that the configuration names are beside it, wherever the process was started."""
    a_secret(tmp_path)
    path = a_file(tmp_path, SOUND)
    monkeypatch.chdir("/")
    assert load(path, ENVIRON).apps[0].secret.reveal() == "a secret of the shop, thirty-two bytes"
    monkeypatch.chdir(tmp_path)
    read = load(path.relative_to(tmp_path), ENVIRON)
    assert read.gateway.keys == tmp_path / "keys.json"


def test_the_environment_of_the_process_is_the_default(tmp_path, monkeypatch):
    """Without an environment of its own, the process's is read."""
    a_secret(tmp_path)
    path = a_file(tmp_path, SOUND)
    monkeypatch.setenv("OP_SECRET", "from the process")
    assert load(path).op.client_secret.reveal() == "from the process"
    monkeypatch.delenv("OP_SECRET")
    with pytest.raises(ConfigError, match="OP_SECRET is not set"):
        load(path)


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ("[gateway]\npublic_url = https://x\n", "line 2, column 14", "invalid value"),
        ("[gateway\n", "line 1, column 9", "expected"),
        ("a = 1\na = 2\n", "line 2, column 6", "cannot overwrite"),
        ("a = [1,", "end of document", "invalid value"),
        ("[gateway]\n[gateway]\n", "line 2, column 9", "cannot declare"),
        ('a = "\\q"', "line 1, column 8", "unescaped"),
    ],
)
def test_what_is_no_toml_is_told_with_its_place(tmp_path, text, place, reason):
    """A slip of the pen is found by line and column."""
    problem = refusal(a_file(tmp_path, text))
    assert problem.path == place
    assert f"this is not TOML: {reason}" in problem.reason
    assert "quotes" in problem.hint


@pytest.mark.parametrize("value", ["[" * 5000 + "]" * 5000, "9" * 5000], ids=["nested", "long"])
def test_what_the_parser_does_not_get_through_is_told(tmp_path, value):
    """Nesting and numbers that TOML allows and Python's parser does not read."""
    path = a_file(tmp_path, f"a = {value}")
    problem = refusal(path)
    assert problem.path == str(path)
    assert "nests too deep, or has a number that is too long" in problem.reason


def test_what_cannot_be_read_is_told(tmp_path):
    """No file, a folder, and bytes that are no text."""
    missing = refusal(tmp_path / "chain.toml")
    assert missing.path == str(tmp_path / "chain.toml")
    assert missing.reason == "no such file or directory"
    assert "--config" in missing.hint
    assert refusal(tmp_path).reason == "is a directory"
    assert refusal(a_file(tmp_path, b"# \xff\n")).path == "byte 2"


def test_an_empty_file_lists_all_that_is_needed(tmp_path):
    """Whoever starts from nothing is told what to write first."""
    path = a_file(tmp_path, "")
    with pytest.raises(ConfigError) as refused:
        load(path, {})
    assert [problem.path for problem in refused.value.problems] == [
        "gateway.public_url",
        "op.issuer",
        "op.client_id",
        "op.client_secret",
        "apps",
        "chains",
    ]


def open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


def test_no_secret_stays_open(tmp_path):
    """Reading leaves no file open, whether it was taken or refused."""
    a_secret(tmp_path)
    path = a_file(tmp_path, SOUND)
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "shop.secret").mkdir()
    before = open_files()
    load(path, ENVIRON)
    refusal(a_file(folder, SOUND))
    (tmp_path / "shop.secret").chmod(0o644)
    refusal(path)
    assert open_files() == before
