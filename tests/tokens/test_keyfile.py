"""The key file: read back as it was written, and every problem of a broken one at once."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from token_builders import NOW, a_keyring, drawn

from chain_gateway.errors import ConfigError
from chain_gateway.tokens import keyfile
from chain_gateway.tokens.encoding import b64e
from chain_gateway.tokens.keyfile import KeyRecord
from chain_gateway.tokens.purposes import Use

TEXT = a_keyring().dump()
SECRETS = [entry["secret"] for entry in json.loads(TEXT)["keys"]]


def paths(text: str) -> list[str]:
    """Where the problems are; none of them shows a secret."""
    with pytest.raises(ConfigError) as caught:
        keyfile.parse(text)
    for problem in caught.value.problems:
        assert problem.reason
        assert problem.hint
        assert not any(secret in f"{problem} {caught.value}" for secret in SECRETS)
    return [problem.path for problem in caught.value.problems]


def edited(edit: Callable[[list[dict[str, object]]], object]) -> str:
    """The file with its keys edited."""
    file = json.loads(TEXT)
    edit(file["keys"])
    return json.dumps(file)


def test_a_file_is_read_as_it_was_written() -> None:
    """Every member, the date of a retirement too; and it ends with a newline, as files do."""
    records = keyfile.parse(TEXT)
    assert [record.use for record in records] == list(Use)
    retired = KeyRecord("kid", Use.SEAL, NOW, NOW + 1, bytes(32), retired_at=NOW + 2)
    assert keyfile.parse(keyfile.dump([*records, retired])) == (*records, retired)
    assert TEXT.endswith("}\n")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "not JSON",
        '{"version":1}',
        '{"version":1,"keys":{}}',
        '{"version":2,"keys":[]}',
        '{"version":true,"keys":[]}',
        '{"version":1,"keys":[],"more":1}',
        '{"version":1,"version":1,"keys":[]}',
        '{"version":1,"keys":[]} ' + "\ud800",
    ],
)
def test_what_is_no_key_file_is_refused(text: str) -> None:
    """With one problem, about the file."""
    assert paths(text) == ["keys"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("kid", value) for value in (None, 1, "", "a.b", "a" * 33, "ä", "a b")),
        *(("use", value) for value in (None, 1, "", "enc", "SEAL", [], "sign")),
        *(("alg", value) for value in (None, "none", "A128GCM", "ES256")),
        *(("created", value) for value in (None, True, "1", 1.5, -1)),
        *(("active_from", value) for value in (None, True, "1", 1.5, -1)),
        *(("retired_at", value) for value in (None, True, "1", 1.5, -1)),
        *(("secret", value) for value in (None, 1, "", b64e(bytes(31)), b64e(bytes(33)), b64e(bytes(32)) + "=")),
    ],
)
def test_each_member_is_checked(name: str, value: object) -> None:
    """And the problem names it: the algorithm belongs to the use."""
    found = paths(edited(lambda keys: keys[0].update({name: value})))
    assert found == [f"keys[0].{'use' if name == 'alg' else name}"]


@pytest.mark.parametrize("number", [0, 2**256 - 1])
def test_a_signing_key_must_be_on_the_curve(number: int) -> None:
    """Zero, and a number beyond the order, are no keys."""
    found = paths(edited(lambda keys: keys[2].update(secret=b64e(number.to_bytes(32, "big")))))
    assert found == ["keys[2].secret"]


@pytest.mark.parametrize("entry", [None, 1, "key", [], {}])
def test_an_entry_is_a_key(entry: object) -> None:
    """Whatever else stands in the list is one problem."""
    assert paths(edited(lambda keys: keys.append(entry))) == ["keys[3]"]


def test_a_member_too_many_or_too_few_is_a_problem() -> None:
    """A file of a later version is not read as one of this."""
    assert paths(edited(lambda keys: keys[1].update(comment="mine"))) == ["keys[1]"]
    assert paths(edited(lambda keys: keys[1].pop("created"))) == ["keys[1]"]


def test_one_kid_names_one_key() -> None:
    """Also across uses."""
    assert paths(edited(lambda keys: keys[1].update(kid=keys[0]["kid"]))) == ["keys"]


@pytest.mark.parametrize("place", range(3))
def test_each_use_has_a_key_in_use(place: int) -> None:
    """Neither missing, nor only one that was taken back; the hint says what to run."""
    for text in (edited(lambda keys: keys.pop(place)), edited(lambda keys: keys[place].update(retired_at=NOW))):
        assert paths(text) == ["keys"]
        with pytest.raises(ConfigError, match=f"no {list(Use)[place]} key in use"):
            keyfile.parse(text)


def test_every_problem_is_told_at_once() -> None:
    """Not one a day."""

    def spoil(keys: list[dict[str, object]]) -> None:
        keys[0].update(kid="", created=-1, secret="short")
        keys[1].update(use="other")
        keys.append({})

    assert paths(edited(spoil)) == ["keys[0].kid", "keys[0].created", "keys[0].secret", "keys[1].use", "keys[3]"]


def test_no_secret_is_printed() -> None:
    """A record in a log or a traceback shows all but its secret (T45)."""
    secret = drawn("record")(32)
    shown = repr(KeyRecord("kid", Use.SEAL, NOW, NOW, secret))
    assert repr(secret)[2:-1] not in shown
    assert "kid" in shown
