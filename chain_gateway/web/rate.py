"""How often one client address may ask for what costs something: a bucket each, a bounded number of buckets.

A bucket holds so many requests and fills again at so many a second. It is generous, as a whole office may stand behind
one address, and kept in this process alone: several workers allow several times as much, and none of them asks a store
about a stranger.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from ipaddress import IPv6Address
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from chain_gateway.errors import TooManyRequests
from chain_gateway.web.client_address import Client, Network, client_of

BURST: Final = 100
PER_SECOND: Final = 10.0
ADDRESSES: Final = 20_000
"""How many addresses are remembered; the one that was silent longest is forgotten first."""
NETWORK_BITS: Final = 64
"""An IPv6 network of this size is one client: whoever has one address there has them all."""
LIMITED: Final = frozenset({"/login", "/callback", "/backchannel-logout"})


class Buckets:
    """One bucket an address."""

    def __init__(self, clock: Callable[[], float], burst: int = BURST, per_second: float = PER_SECOND) -> None:
        """``clock`` in seconds; it may jump, and then a bucket is full or fills later."""
        self._clock = clock
        self._burst = float(burst)
        self._per_second = per_second
        self._left: OrderedDict[int, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        """How many addresses are remembered."""
        return len(self._left)

    def take(self, client: Client) -> bool:
        """Whether the address had a request left, which is taken."""
        key, now = _key(client), self._clock()
        left, since = self._left.pop(key, (self._burst, now))
        left = min(self._burst, left + max(0.0, now - since) * self._per_second)
        self._left[key] = (left - 1 if left >= 1 else left, now)
        if len(self._left) > ADDRESSES:
            self._left.popitem(last=False)
        return left >= 1


def rate_middleware(buckets: Buckets, trusted: Sequence[Network]) -> Middleware:
    """Refuses what comes too often from one address with 429; this machine itself is nobody's flood."""

    @web.middleware
    async def limit(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path in LIMITED:
            client = client_of(request, trusted)
            if client is not None and not buckets.take(client):
                raise TooManyRequests(f"too many requests from {_network(client)}")
        return await handler(request)

    return limit


def _key(client: Client) -> int:
    """A number for each client: an address of IPv4, a network of IPv6."""
    if isinstance(client, IPv6Address):
        return 1 << 128 | int(client) >> NETWORK_BITS
    return int(client)


def _network(client: Client) -> str:
    """The client's network, without what tells one machine of it from another."""
    if isinstance(client, IPv6Address):
        return f"{IPv6Address(int(client) >> NETWORK_BITS << NETWORK_BITS)}/{NETWORK_BITS}"
    return f"{client}"
