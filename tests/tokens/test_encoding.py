"""base64url and JSON with one spelling each (T17)."""

from __future__ import annotations

import json
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chain_gateway.tokens.encoding import b64d, b64e, strict_json

ALPHABET = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_bytes_come_back(data: bytes) -> None:
    """What was encoded decodes to the same bytes, and the text has neither padding nor a character of old base64."""
    text = b64e(data)
    assert b64d(text) == data
    assert set(text) <= set(ALPHABET)


@pytest.mark.parametrize(("data", "text"), [(b"", ""), (b"\xfb", "-w"), (b"\xff\xff\xff", "____"), (b"f", "Zg")])
def test_the_spelling_is_that_of_rfc_4648_section_5(data: bytes, text: str) -> None:
    """Known texts."""
    assert b64e(data) == text
    assert b64d(text) == data


@pytest.mark.parametrize("size", [1, 2])
def test_no_other_text_gives_the_same_bytes(size: int) -> None:
    """Of all last characters that a lenient decoder takes, only the one with zero trailing bits is taken."""
    data = bytes(size)
    text = b64e(data)
    taken = [last for last in ALPHABET if _decodes(text[:-1] + last)]
    assert len(taken) == (4 if size == 1 else 16)
    assert [b64d(text[:-1] + last) for last in taken if b64d(text[:-1] + last) == data] == [data]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Zg==", id="padding"),
        pytest.param("Zg=", id="half a padding"),
        pytest.param("Zm9v=", id="padding where none belongs"),
        pytest.param("=", id="padding alone"),
        pytest.param("Zh", id="trailing bits, one byte"),
        pytest.param("Zm9", id="trailing bits, two bytes"),
        pytest.param("+w", id="plus"),
        pytest.param("_/__", id="slash"),
        pytest.param("Zm 9v", id="blank inside"),
        pytest.param("Zm9v\n", id="newline behind"),
        pytest.param(" Zm9v", id="blank before"),
        pytest.param("Zm9v\0", id="zero byte"),
        pytest.param("Zm9v.", id="dot"),
        pytest.param("Z", id="no whole byte"),
        pytest.param("Zm9vZ", id="a character too many"),
        pytest.param("Zm9ö", id="not ASCII"),
        pytest.param("\uff3a\uff4d\uff19\uff56", id="full-width letters"),
        pytest.param("Zm9\ud800", id="half a surrogate"),
        pytest.param("Zg==Zg==", id="two texts"),
    ],
)
def test_another_spelling_is_refused(text: str) -> None:
    """Whatever a lenient decoder might read as well is a ValueError."""
    with pytest.raises(ValueError):  # noqa: PT011 - any ValueError is the promise
        b64d(text)


@settings(deadline=None)
@given(st.text(alphabet=ALPHABET + "=+/ \n", max_size=12))
def test_a_text_that_decodes_is_the_one_that_encoding_makes(text: str) -> None:
    """No two texts have the same bytes."""
    try:
        data = b64d(text)
    except ValueError:
        return
    assert b64e(data) == text


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b'{"aud":"a","aud":"b"}', id="member twice"),
        pytest.param(b'{"aud":"a","aud":"a"}', id="member twice with the same value"),
        pytest.param(b'{"aud":"a","\\u0061ud":"b"}', id="member twice, once escaped"),
        pytest.param(b'{"a":{"b":1,"b":2}}', id="member twice in an object inside"),
        pytest.param(b'{"a":[{"b":1,"b":2}]}', id="member twice in an array's object"),
        pytest.param(b'{"a":1,"b":2,"a":1}', id="member twice with another between"),
        pytest.param(b"[]", id="array"),
        pytest.param(b'"text"', id="text"),
        pytest.param(b"1", id="number"),
        pytest.param(b"null", id="null"),
        pytest.param(b"", id="nothing"),
        pytest.param(b'{"a":NaN}', id="NaN"),
        pytest.param(b'{"a":Infinity}', id="Infinity"),
        pytest.param(b'{"a":-Infinity}', id="minus Infinity"),
        pytest.param(b'{"a":1e999}', id="number beyond every float"),
        pytest.param(b'{"a":"\\ud800"}', id="half a surrogate"),
        pytest.param(b'{"a":"\xff"}', id="not UTF-8"),
        pytest.param(b"\xef\xbb\xbf{}", id="byte order mark"),
        pytest.param('{"a":1}'.encode("utf-16"), id="UTF-16"),
        pytest.param(b"{} {}", id="two objects"),
        pytest.param(b'{"a":1}\0', id="zero byte behind"),
        pytest.param(b"{'a':1}", id="other quotes"),
        pytest.param(b'{"a":1,}', id="trailing comma"),
        pytest.param(b'{"a":01}', id="leading zero"),
        pytest.param(b'{"a":"\n"}', id="raw newline in a text"),
        pytest.param(b'{"a":' + b"[" * 300 + b"]" * 300 + b"}", id="300 arrays deep"),
        pytest.param(b'{"a":' * 300 + b"1" + b"}" * 300, id="300 objects deep"),
        pytest.param(b'{"a":' + b"[" * 2000 + b"]" * 2000 + b"}", id="2000 arrays deep"),
        pytest.param(b"[" * 100_000, id="100,000 arrays that do not end"),
    ],
)
def test_json_that_could_be_read_in_two_ways_is_refused(data: bytes) -> None:
    """Anything but one object with distinct members is a ValueError, never another exception."""
    with pytest.raises(ValueError):  # noqa: PT011 - any ValueError is the promise
        strict_json(data)


@pytest.mark.parametrize(
    "data",
    [b"{}", b' { "b" : 1 , "a" : [ 2.0 , -0 ] }\r\n', b'{"a":{"b":1},"b":{"b":1}}', b'{"a":"\\u00fc\\ud83d\\ude00"}'],
)
def test_spacing_order_and_escapes_are_free(data: bytes) -> None:
    """Other JSON libraries write the same object in other ways."""
    assert strict_json(data) == json.loads(data)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.dictionaries(st.text(max_size=5), _VALUES, max_size=4), st.booleans(), st.sampled_from([None, 1]))
def test_an_object_is_read_as_it_was_written(value: dict[str, object], escaped: bool, indent: int | None) -> None:
    """Whatever another library writes comes back the same."""
    assert strict_json(json.dumps(value, ensure_ascii=escaped, indent=indent).encode()) == value


def _decodes(text: str) -> bool:
    try:
        b64d(text)
    except ValueError:
        return False
    return True
