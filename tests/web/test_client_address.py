"""Whose request it is: what a header may say, and what not (T45)."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from unittest.mock import Mock

import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from chain_gateway.web.client_address import client_of

PROXIES = [ip_network("10.0.0.0/8"), ip_network("127.0.0.1/32"), ip_network("fd00::/8")]


@pytest.mark.parametrize(
    ("peer", "header", "client"),
    [
        ("198.51.100.7", None, "198.51.100.7"),
        ("198.51.100.7", "203.0.113.9", "198.51.100.7"),
        ("10.0.0.5", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.5", "192.0.2.1, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.5", "192.0.2.1, 203.0.113.9, 10.0.0.6", "203.0.113.9"),
        ("127.0.0.1", "2001:db8::1", "2001:db8::1"),
        ("::ffff:10.0.0.5", "203.0.113.9", "203.0.113.9"),
        ("fd00::5", "::ffff:203.0.113.9", "203.0.113.9"),
        ("", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.5", None, None),
        ("10.0.0.5", "", None),
        ("10.0.0.5", "unknown", None),
        ("10.0.0.5", "203.0.113.9, nonsense", None),
        ("10.0.0.5", "10.0.0.7, 10.0.0.6", "10.0.0.7"),
        ("10.0.0.5", "127.0.0.1", None),
        ("10.0.0.5", "203.0.113.9:4711", "203.0.113.9"),
        ("10.0.0.5", "[2001:db8::1]:4711", "2001:db8::1"),
        ("10.0.0.5", "[2001:db8::1]", "2001:db8::1"),
        ("127.0.0.2", None, None),
        ("::1", "203.0.113.9", None),
    ],
)
def test_the_nearest_address_that_is_no_trusted_proxys(peer: str, header: str | None, client: str | None) -> None:
    """Read from the right, as the left is whatever the client wrote; an empty peer is a UNIX socket."""
    headers = {} if header is None else {"X-Forwarded-For": header}
    transport = Mock()
    transport.get_extra_info = {"peername": (peer, 1) if peer else ""}.get
    request = make_mocked_request("GET", "/login", headers=headers, transport=transport)
    assert client_of(request, PROXIES) == (ip_address(client) if client else None)


def test_several_headers_are_one() -> None:
    """Proxies that add a line of their own, and do not lengthen the one that is there."""
    transport = Mock()
    transport.get_extra_info = {"peername": ("10.0.0.5", 1)}.get
    headers = CIMultiDict([("X-Forwarded-For", "192.0.2.1"), ("X-Forwarded-For", "203.0.113.9")])
    request = make_mocked_request("GET", "/login", headers=headers, transport=transport)
    assert client_of(request, PROXIES) == ip_address("203.0.113.9")
