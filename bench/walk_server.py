"""The servers of the walk's measurement: ``python -m bench.walk_server ROLE SPEC``, a role in each process.

``gateway`` is the gateway with a bare 302 beside it, ``apps`` are all apps with the SDK, ``provider`` is the embedded
OpenID Provider, whose time is nobody's concern here. SPEC is JSON: the socket's number of each name, and what every app
has in its settings.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack

from aiohttp import web

from bench.gateways import CLIENT_ID, SECRET, settings, url
from bench.serving import bare, obey, run, serving
from chain_gateway import assembly
from chain_gateway.demo.op import DemoOp, OpClient
from chain_gateway.ops.meter import PrometheusMeter
from chain_gateway.sdk import ChainConfig
from chain_gateway.sdk.aiohttp import chain_session, setup_chain
from chain_gateway.tokens.keyring import Keyring

NOT_APPS = frozenset({"login", "id", "bare"})


async def gateway(ports: Mapping[str, int], every: Mapping[str, object]) -> dict[str, web.Application]:
    """The gateway, and the baseline on the same loop."""
    keyring = Keyring.generate(int(time.time()) - 10, os.urandom)
    configured = settings(len(ports.keys() - NOT_APPS), ports=ports, every=every)
    return {"login": await assembly.build(configured, keyring, meter=PrometheusMeter()), "bare": bare()}


async def apps(ports: Mapping[str, int], _: Mapping[str, object]) -> dict[str, web.Application]:
    """Every app, each an application with a host and a port of its own."""
    return {name: app(name, ports) for name in ports if name not in NOT_APPS}


async def provider(ports: Mapping[str, int], _: Mapping[str, object]) -> dict[str, web.Application]:
    """The provider, which knows the gateway."""
    at = url("login", ports["login"])
    client = OpClient(CLIENT_ID, SECRET, (at + "/callback",), (at + "/logged-out",))
    return {"id": DemoOp(url("id", ports["id"]), [client]).app()}


ROLES = {"gateway": gateway, "apps": apps, "provider": provider}


def app(name: str, ports: Mapping[str, int]) -> web.Application:
    """One app with the SDK; its front page says who is signed in."""
    chain = ChainConfig(
        gateway=url("login", ports["login"]),
        app_id=name,
        origin=url(name, ports[name]),
        secret=SECRET + name,
        session_key=SECRET + name,
    )
    made = web.Application()
    setup_chain(made, chain)

    async def home(request: web.Request) -> web.Response:
        session = chain_session(request)
        return web.Response(text=session.sub if session else "nobody")

    made.router.add_get("/", home)
    return made


async def main(role: str, spec: str) -> None:
    """Serves until standard input ends."""
    given = json.loads(spec)
    sockets = {name: socket.socket(fileno=number) for name, number in given["sockets"].items()}
    applications = await ROLES[role](given["ports"], given["every"])
    async with AsyncExitStack() as stack:
        for name, application in applications.items():
            await stack.enter_async_context(serving(application, sockets[name]))

        async def ready(_: str) -> list[str]:
            return [role]

        await obey({"ready": ready})


if __name__ == "__main__":
    run(main(*sys.argv[1:]))
