"""Where the gateway listens: sockets that are bound once, and then shared by whatever serves on them.

One socket for all workers, and for the old and the new configuration: what has connected waits in its queue until
somebody takes it, so nobody is turned away while one takes the place of another. (With a socket an each, SO_REUSEPORT,
the kernel resets what waits in the queue of one that closes.)
"""

from __future__ import annotations

import errno
import resource
import socket
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from chain_gateway.config.addresses import Address, TcpAddress
from chain_gateway.errors import ConfigError, Problem

BACKLOG: Final = 1024
OPEN_FILES: Final = 65_536
"""How many connections and files a process may have open, as far as the system allows it."""


def bound(address: Address, setting: str) -> socket.socket:
    """A socket that listens at ``address``; ConfigError that names ``setting`` if there can be none."""
    try:
        return _tcp(address) if isinstance(address, TcpAddress) else _unix(address.path)
    except OSError as error:
        hint = "choose another, or stop what listens there" if error.errno == errno.EADDRINUSE else "choose another"
        raise ConfigError((Problem(setting, f"{address}: {error.strerror or error}", hint),)) from error


def allow_connections() -> None:
    """Raises what this process, and each that it starts, may have open: most systems give a thousand, and allow more.

    Past it nobody can connect any more, so whoever holds a thousand idle connections would keep everybody else out.
    """
    given, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if most == resource.RLIM_INFINITY else min(OPEN_FILES, most)
    if given != resource.RLIM_INFINITY and given < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def close(sockets: Iterable[socket.socket | None]) -> None:
    """Lets nobody connect any more, so that whoever tries is told at once and goes to another machine."""
    for sock in sockets:
        if sock is not None:
            sock.close()


def spelled(sock: socket.socket) -> str:
    """The address of ``sock`` as the configuration spells one; a port that the system chose is named."""
    if sock.family == socket.AF_UNIX:
        return f"unix:{sock.getsockname()}"
    host, port = sock.getsockname()[:2]
    return str(TcpAddress(host, port))


def _tcp(address: TcpAddress) -> socket.socket:
    family, _, _, _, where = socket.getaddrinfo(
        address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(where)
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


def _unix(path: Path) -> socket.socket:
    """A socket file; one that nobody listens at any more is taken away first."""
    if path.exists() and stat.S_ISSOCK(path.stat().st_mode) and not _answers(path):
        path.unlink()
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.bind(str(path))
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


def _answers(path: Path) -> bool:
    with suppress(ConnectionRefusedError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as knock:
        knock.connect(str(path))
        return True
    return False
