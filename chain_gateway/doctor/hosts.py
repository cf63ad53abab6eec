"""Who can write whose cookies: pure looks at the hosts of the gateway and of its apps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

from chain_gateway.core.origins import host_of, is_loopback
from chain_gateway.doctor.findings import Finding, warn


def shared(origins: Mapping[str, str]) -> Iterator[Finding]:
    """A finding for each two of ``origins`` (by whose they are) of which one's pages may set cookies for the other.

    Cookies whose names begin with ``__Host-`` cannot be written from another host, so this is no hole; but browsers
    count the cookies of a whole domain, and sites of one domain could share a session by themselves.
    """
    hosts = {whose: host_of(origin) for whose, origin in origins.items()}
    for (one, first), (other, second) in combinations(hosts.items(), 2):
        if is_loopback(first) or is_loopback(second):
            continue
        if first.endswith(f".{second}") or second.endswith(f".{first}") or _parent(first) == _parent(second):
            domain = min(_parent(first), first, second, key=len)
            yield warn(
                f"{one} and {other}",
                f"both are under {domain}, so pages of one may set cookies that the other gets",
                "fine if both are yours; sites of one domain may also share one session, and need one hop",
            )


def _parent(host: str) -> str:
    """The host without its first name; the host itself where that would leave a single word."""
    rest = host.partition(".")[2]
    return rest if "." in rest else host
