"""Where nothing of a query is encoded it is taken apart by two cuts, which must mean what the library means."""

from __future__ import annotations

from urllib.parse import parse_qsl

from hypothesis import given, settings
from hypothesis import strategies as st

from chain_gateway.web.parse import FIELDS, _pairs


@settings(deadline=None)
@given(st.text(alphabet="ab=&;?#/~.-_ \t\0\xe9\N{EURO SIGN}\udc80", max_size=30))
def test_what_is_not_encoded_is_read_as_the_library_reads_it(text: str) -> None:
    """Names and values, empty ones, none at all, and characters that no URL should hold."""
    assert _pairs(text) == parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=FIELDS)
