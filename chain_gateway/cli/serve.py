"""``serve``: the gateway on its listeners, until SIGTERM or SIGINT; then open requests are answered, and it ends."""

from __future__ import annotations

import gc
import os
import socket
import sys
from pathlib import Path

import structlog
import uvloop
from aiohttp import http_parser

from chain_gateway.cli import logs
from chain_gateway.cli.console import DONE, FAILED, USAGE, complain, refused, say
from chain_gateway.cli.files import Files
from chain_gateway.cli.listening import allow_connections, bound, spelled
from chain_gateway.cli.supervisor import READY, SOCKETS, Supervisor, end_with_supervisor, inherited
from chain_gateway.cli.worker import Worker
from chain_gateway.config.model import Settings
from chain_gateway.errors import ConfigError, StoreUnavailable
from chain_gateway.ops.shared_counts import share
from chain_gateway.store.urls import open_store

log = structlog.stdlib.get_logger("chain_gateway")


def serve(path: Path, workers: int) -> int:
    """Serves the configuration at ``path``; ConfigError with all that is wrong with it. Returns the exit code."""
    keep_what_is_loaded()
    if not has_c_parser():
        complain("aiohttp's C parser is not in use, and the pure-Python one is more lenient than a gateway may be")
        complain("  take AIOHTTP_NO_EXTENSIONS out of the environment, or reinstall aiohttp from a wheel")
        return USAGE
    files = Files(path)
    settings, keyring = files.read()
    if workers > 1 and settings.store.url == "memory://":
        complain("memory:// is one process's own, and several workers need a store that they share")
        complain("  write a sqlite:// or redis:// URL, or --workers 1")
        return USAGE
    open_store(settings.store.url)  # refuses what no worker could open
    logs.configure()
    allow_connections()
    browsers = bound(settings.gateway.listen, "gateway.listen")
    sockets = (browsers, _for_operators(settings))
    where = f"listening on {spelled(browsers)} as {settings.gateway.public_url}"
    if workers > 1:
        say(where)
        return uvloop.run(Supervisor(path, sockets, workers).run())
    uvloop.run(Worker(files, sockets).run(settings, keyring, lambda: say(where)))
    return DONE


def keep_what_is_loaded() -> None:
    """Has the garbage collector pass over the program itself, which it would go through again and again for nothing."""
    gc.freeze()
    gc.enable()


def has_c_parser() -> bool:
    """Whether aiohttp parses requests with llhttp: it is there, and AIOHTTP_NO_EXTENSIONS does not keep it out."""
    return http_parser.HttpRequestParser is not http_parser.HttpRequestParserPy


def _for_operators(settings: Settings) -> socket.socket | None:
    """The socket of the operations listener; one that nobody has asked for by name may be missing."""
    try:
        return bound(settings.gateway.ops_listen, "gateway.ops_listen")
    except ConfigError:
        if "ops_listen" in settings.gateway.model_fields_set:
            raise
        log.warning("operations.not_listening", listen=str(settings.gateway.ops_listen))
        return None


def main() -> int:
    """A worker of ``Supervisor``: serves the configuration that is named, on the sockets that it inherits."""
    keep_what_is_loaded()
    files, sockets = Files(Path(sys.argv[1])), inherited(os.environ[SOCKETS])
    end_with_supervisor()
    logs.configure()

    def ready() -> None:
        sys.stdout.buffer.write(READY)
        sys.stdout.flush()

    try:
        settings, keyring = files.read()
        share(int(sys.argv[2]), len(settings.apps))
        uvloop.run(Worker(files, sockets).run(settings, keyring, ready))
    except ConfigError as error:
        code = refused(error, as_json=False)
        return FAILED if error.passing else code  # by which the supervisor knows whether to try again
    except StoreUnavailable as error:
        log.error("store.unavailable", detail=error.detail)  # noqa: TRY400 - where it was raised says nothing
        return FAILED
    return DONE


if __name__ == "__main__":
    sys.exit(main())
