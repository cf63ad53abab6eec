"""Ports for servers that are started by their number, and again after they were killed."""

from __future__ import annotations

import random
import socket
from contextlib import ExitStack, suppress
from typing import Final

_PORTS: Final = (12_000, 22_000)
"""Below those that the system deals out to whoever connects, also where a server takes one above by 10,000."""


def free_port(*above: int) -> int:
    """A port of loopback that nobody listens at, nor at those that lie so far above it; no connection will take it.

    So it is still free a while later, which a port that the system dealt out is not.
    """
    while True:
        port = random.randrange(*_PORTS)
        with suppress(OSError), ExitStack() as stack:
            for each in (0, *above):
                stack.enter_context(socket.create_server(("127.0.0.1", port + each)))
            return port
