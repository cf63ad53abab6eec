"""Durations."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from chain_gateway.config.durations import seconds, spelled


@pytest.mark.parametrize(
    ("value", "meant"),
    [(0, 0), (90, 90), ("90s", 90), ("15m", 900), ("12h", 43200), ("30d", 2592000), ("007s", 7), ("0s", 0)],
)
def test_a_duration_is_read_as_seconds(value, meant):
    """A number is seconds; a text has a number and a unit."""
    assert seconds(value) == meant


@pytest.mark.parametrize(
    "value",
    [
        -1,
        1.5,
        True,
        None,
        "",
        "90",
        "s",
        "1.5h",
        "-1h",
        "1 h",
        "1h30m",
        "12H",
        "1w",
        "\u0661h",
        "1h\n",
        "9999999999d",
        [1],
    ],
)
def test_what_is_no_duration_is_refused(value):
    """Nothing is guessed: neither a missing unit, nor a fraction, nor digits of other scripts."""
    with pytest.raises(PydanticCustomError) as refused:
        seconds(value)
    assert '"12h"' in refused.value.context["hint"]


@given(st.integers(0, 999_999_999))
def test_what_is_spelled_is_read_back(value):
    """Tables and messages spell a duration as the file may."""
    assert seconds(spelled(value)) == value
