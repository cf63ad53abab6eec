"""Whose request it is: the address of the connection, or what a trusted proxy says in ``X-Forwarded-For``.

Used for limits and logs alone; nothing that a header says decides where a browser is sent or what it may do.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from aiohttp import web

Network = IPv4Network | IPv6Network
Client = IPv4Address | IPv6Address


def client_of(request: web.Request, trusted: Sequence[Network]) -> Client | None:
    """The nearest address that is no trusted proxy's; None where nobody says whom a proxy, or this machine, asks for.

    Where all are in trusted networks, as between the pods of a cluster, it is the farthest. A UNIX socket counts as a
    trusted proxy: only who may open the file can connect.
    """
    peer = request.transport.get_extra_info("peername") if request.transport is not None else None
    hops = [part.strip() for header in request.headers.getall("X-Forwarded-For", ()) for part in header.split(",")]
    near = _read(str(peer[0])) if isinstance(peer, tuple) else None
    if near is not None and not _is_in(near, trusted):
        return None if near.is_loopback else near
    address = None
    for hop in reversed(hops if hops != [""] else []):
        address = _read(_without_port(hop))
        if address is None or not _is_in(address, trusted):
            return address
    return None if address is None or address.is_loopback else address


def _without_port(hop: str) -> str:
    """An address as some proxies write it: ``203.0.113.7:4711``, or ``[2001:db8::7]:4711``."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


def _read(text: str) -> Client | None:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _is_in(address: Client, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks if network.version == address.version)
