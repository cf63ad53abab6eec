"""``keys``: files are private and atomic, and nothing is thrown away by accident."""

import json
import os
import stat

import pytest

from chain_gateway.cli import keys
from chain_gateway.cli.main import main
from chain_gateway.errors import ConfigError
from chain_gateway.tokens.purposes import Use

NOW = 1_700_000_000


@pytest.fixture
def file(tmp_path):
    return tmp_path / "keys.json"


def states(file, now=NOW) -> list[tuple[str, str]]:
    """Use and state of each key in the file."""
    return [(row.use.value, row.state.value) for row in keys.load(file).rows(now)]


def test_a_new_file_is_for_its_owner_alone(file):
    """Mode 0600 whatever the umask, one active key of each use, and nothing left beside it."""
    before = os.umask(0)
    try:
        keys.new(file, NOW, force=False)
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert states(file) == [("seal", "active"), ("cookie", "active"), ("sign", "active")]
    assert list(file.parent.iterdir()) == [file]


def test_new_never_overwrites(file):
    """The old keys stand, and the refusal says what to do instead."""
    keys.new(file, NOW, force=False)
    before = file.read_bytes()
    with pytest.raises(ConfigError) as refused:
        keys.new(file, NOW, force=False)
    assert "--force" in refused.value.problems[0].hint
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


def test_force_overwrites(file):
    """Who says so throws the old keys away."""
    keys.new(file, NOW, force=False)
    before = file.read_bytes()
    keys.new(file, NOW, force=True)
    assert file.read_bytes() != before
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_rotation_adds_and_keeps(file):
    """The old key goes on until the new one is active; only the uses that were named rotate."""
    keys.new(file, NOW, force=False)
    file.chmod(0o640)
    keys.rotate(file, [Use.SIGN], NOW)
    assert states(file) == [("seal", "active"), ("cookie", "active"), ("sign", "active"), ("sign", "next")]
    assert states(file, NOW + 3600)[2:] == [("sign", "overlap"), ("sign", "active")]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_link_stays_a_link(file, tmp_path):
    """Where the path is a link, the file that it points to is replaced."""
    keys.new(file, NOW, force=False)
    link = tmp_path / "link.json"
    link.symlink_to(file)
    keys.rotate(link, list(Use), NOW)
    assert link.is_symlink()
    assert len(states(file)) == 6


def test_a_key_is_taken_back(file):
    """A retired key counts no more, and the one that waited takes its place."""
    keys.new(file, NOW, force=False)
    ring = keys.rotate(file, [Use.SIGN], NOW)
    old = next(row.kid for row in ring.rows(NOW) if row.use is Use.SIGN)
    keys.retire(file, old, NOW)
    assert states(file)[2:] == [("sign", "retired"), ("sign", "active")]


def test_a_file_that_cannot_be_written_is_said_so(tmp_path):
    """A missing directory is a problem of the configuration, not a crash."""
    with pytest.raises(ConfigError):
        keys.new(tmp_path / "nowhere" / "keys.json", NOW, force=False)


def test_a_broken_file_is_left_alone(file):
    """Rotation reads before it writes."""
    file.write_text("{}")
    with pytest.raises(ConfigError):
        keys.rotate(file, list(Use), NOW)
    assert file.read_text() == "{}"


def test_the_configuration_names_the_file(tmp_path):
    """gateway.keys.file counts from the configuration's own directory, and needs nothing else of it."""
    config = tmp_path / "gateway.toml"
    config.write_text('[gateway]\nkeys = { file = "secret/keys.json" }\n')
    assert keys.key_file(config, None) == tmp_path / "secret" / "keys.json"


@pytest.mark.parametrize("text", ["", "[gateway]\nkeys = { env = 'KEYS' }\n", "not toml", "[gateway]\nkeys = 'x'\n"])
def test_a_configuration_without_a_key_file_is_refused(tmp_path, text):
    """There is no file to work on, and the problem says how to name one."""
    config = tmp_path / "gateway.toml"
    config.write_text(text)
    with pytest.raises(ConfigError):
        keys.key_file(config, None)


def test_exactly_one_of_the_two_names_the_file(tmp_path):
    """Neither, or both, leaves open which file is meant."""
    for config, named in ((None, None), (tmp_path / "a", tmp_path / "b")):
        with pytest.raises(ConfigError):
            keys.key_file(config, named)


def test_the_commands_from_end_to_end(file, capsys):
    """new, rotate, list and retire, for programs: nothing secret is in any answer."""

    def run(*argv: str) -> dict:
        assert main(["keys", *argv, "--keys", str(file), "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    assert [key["state"] for key in run("new")["keys"]] == ["active"] * 3
    assert [key["use"] for key in run("rotate")["keys"]] == ["seal", "cookie", "sign"] * 2
    listed = run("list")
    assert listed["file"] == str(file)
    first = listed["keys"][0]
    assert first.keys() == {"kid", "use", "alg", "created", "state", "accept_until"}
    assert run("retire", first["kid"])["keys"][0]["state"] == "retired"
    assert main(["keys", "retire", "unknown", "--keys", str(file)]) == 2
    secrets = [entry["secret"] for entry in json.loads(file.read_text())["keys"]]
    assert main(["keys", "list", "--keys", str(file)]) == 0
    told = capsys.readouterr().out
    assert "active" in told
    assert not any(secret in told for secret in secrets)


def test_a_key_whose_name_begins_with_a_dash_can_be_retired(file, capsys):
    """Names are base64url, and the command line does not take one for an option."""
    main(["keys", "new", "--keys", str(file)])
    main(["keys", "rotate", "--keys", str(file)])
    document = json.loads(file.read_text())
    document["keys"][0]["kid"] = "-dashed-"
    file.write_text(json.dumps(document))
    assert main(["keys", "retire", "-dashed-", "--keys", str(file)]) == 0
    assert "retired" in capsys.readouterr().out
