"""Where the gateway listens, and whose word on a client's address it takes."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Final

from pydantic import BeforeValidator, PlainSerializer, ValidationInfo

from chain_gateway.config.fields import Shape, refuse
from chain_gateway.config.sources import sources

LAST_PORT: Final = 65535
SOCKET_PATH_BYTES: Final = 103

_TCP = re.compile(r"(?:(?P<name>[A-Za-z0-9.-]+)|\[(?P<v6>[0-9a-fA-F:.]+)\]):(?P<port>0|[1-9][0-9]{0,4})")


@dataclass(frozen=True, slots=True)
class TcpAddress:
    """A host (an IPv6 address without brackets) and a port; port 0 lets the system choose one."""

    host: str
    port: int

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False

    def __str__(self) -> str:
        """As the configuration spells it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class UnixAddress:
    """A socket in the file system, by its absolute path."""

    path: Path

    @property
    def loopback(self) -> bool:
        """Always: a socket file is of this machine."""
        return True

    def __str__(self) -> str:
        """As the configuration spells it."""
        return f"unix:{self.path}"


Address = TcpAddress | UnixAddress
Network = IPv4Network | IPv6Network


def read_address(value: object, info: ValidationInfo) -> Address:
    """The address that ``host:port``, ``[v6]:port`` or ``unix:PATH`` names; refused if it is none of them."""
    if isinstance(value, TcpAddress | UnixAddress):
        return value
    hint = 'write "127.0.0.1:8080", "[::1]:8080" or "unix:/run/chain-gateway.sock"'
    if not isinstance(value, str):
        raise refuse("this is not an address", hint)
    if value.startswith("unix:"):
        if not value.removeprefix("unix:"):
            raise refuse("the address names no socket file", hint)
        path = sources(info).path(value.removeprefix("unix:"))
        if len(os.fsencode(path)) > SOCKET_PATH_BYTES:
            raise refuse(
                f"the socket's path is longer than {SOCKET_PATH_BYTES} bytes, the most that systems take", hint
            )
        return UnixAddress(path)
    match = _TCP.fullmatch(value)
    if match is None or int(match["port"]) > LAST_PORT:
        raise refuse("this is not HOST:PORT, [IPV6]:PORT or unix:PATH", hint)
    if match["v6"]:
        try:
            return TcpAddress(str(ip_address(match["v6"])), int(match["port"]))
        except ValueError:
            raise refuse("what stands in brackets is not an IPv6 address", hint) from None
    return TcpAddress(match["name"], int(match["port"]))


def read_network(value: object) -> Network:
    """The network in CIDR form; refused if host bits are set, or if it is the whole internet."""
    hint = 'write the proxy\'s own address or network, e.g. "127.0.0.1/32" or "10.1.0.0/16"'
    if isinstance(value, IPv4Network | IPv6Network):
        return value
    if not isinstance(value, str):
        raise refuse("this is not a network", hint)
    try:
        network = ip_network(value)
    except ValueError:
        raise refuse("this is not a network in CIDR form, or it has bits set to the right of its mask", hint) from None
    if network.prefixlen == 0:
        raise refuse("everybody would be a trusted proxy, and could claim any address", hint)
    return network


_as_text = PlainSerializer(str, return_type=str)

ListenAddress = Annotated[
    Address, BeforeValidator(read_address), _as_text, Shape("`HOST:PORT`, `[IPV6]:PORT` or `unix:PATH`")
]
TrustedNetwork = Annotated[Network, BeforeValidator(read_network), _as_text, Shape("CIDR network")]
