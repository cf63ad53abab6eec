"""``/healthz``, ``/readyz`` and ``/metrics`` of the operations listener, and beside them the dashboard."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Protocol, Self

import structlog
from aiohttp import web

from chain_gateway.config.secret import Secret
from chain_gateway.errors import ChainGatewayError
from chain_gateway.ops.dashboard import Dashboard
from chain_gateway.ops.meter import PrometheusMeter
from chain_gateway.service.realm import Realm
from chain_gateway.store.base import Store
from chain_gateway.tokens.purposes import Use

READY_SECONDS: Final = 5
"""How long one check may take."""
LOOK_SECONDS: Final = 10
"""How often it is looked whether a minute is over."""
BODY_BYTES: Final = 16 * 1024
TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
Check = Callable[[], Awaitable[None]]
log = structlog.stdlib.get_logger("chain_gateway")


class Ready(Protocol):
    """What of a provider says whether people can sign in."""

    async def probe(self) -> None:
        """Raises OpUnavailable if a login could not be done now."""


@dataclass(frozen=True, slots=True)
class Operations:
    """What the listener tells of: the store, the checks by name, and what is counted."""

    store: Store
    checks: Mapping[str, Check]
    meter: PrometheusMeter
    dashboard: Dashboard
    now: Callable[[], int]

    @classmethod
    def of(
        cls, realm: Realm, provider: Ready, meter: PrometheusMeter, token: Secret | None = None, title: str = "Gateway"
    ) -> Self:
        """Looks at the store, at the provider's metadata and keys, and at the gateway's own keys.

        ``token`` opens the dashboard, ``title`` is the gateway's name there.
        """

        async def keys() -> None:
            if missing := sorted(set(Use) - realm.keyring().active(realm.now()).keys()):
                raise ChainGatewayError(f"no active key for {', '.join(missing)}", code="not_ready.keys")

        checks: dict[str, Check] = {"store": realm.store.ping, "provider": provider.probe, "keys": keys}
        return cls(realm.store, checks, meter, Dashboard(realm, meter, token, title), realm.now)


def operations(inside: Operations) -> web.Application:
    """The listener's application."""

    async def healthz(_: web.Request) -> web.Response:
        """The process answers."""
        return web.json_response({"ok": True})

    async def readyz(request: web.Request) -> web.Response:
        """Every part that a login needs, or that ``checks`` names, is fit for service; else 503, and which is not."""
        names = request.query.get("checks", ",".join(inside.checks)).split(",")
        if not inside.checks.keys() >= set(names):
            return web.json_response({"error": "unknown check", "known": list(inside.checks)}, status=400)
        found = await asyncio.gather(*(_looked(inside.checks[name]) for name in names))
        ready = not any(found)
        checks = {name: what or "ok" for name, what in zip(names, found, strict=True)}
        return web.json_response({"ready": ready, "checks": checks}, status=200 if ready else 503)

    async def metrics(_: web.Request) -> web.Response:
        """What was counted, and what the store holds now as far as it answers."""
        try:
            stands = await inside.store.counts()
            inside.meter.stands(owed=stands.owed, walks=stands.walks)
        except ChainGatewayError:
            pass
        return web.Response(body=inside.meter.text(), headers={"Content-Type": TEXT})

    app = web.Application(client_max_size=BODY_BYTES)
    app.add_routes([web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", metrics)])
    app.add_routes(inside.dashboard.routes())
    app.on_response_prepare.append(_no_store)
    app.cleanup_ctx.append(_remembering(inside))
    return app


def _remembering(inside: Operations) -> Callable[[web.Application], AsyncIterator[None]]:
    """Lets the meter remember what is counted, as long as the application runs."""

    async def rounds() -> None:
        while True:
            try:
                # Elsewhere, as it reads the files of all workers.
                await asyncio.to_thread(inside.meter.remember, inside.now())
            except Exception as error:  # noqa: BLE001 - such as a file that a killed worker has left half made
                log.warning("history.not_taken", cause=type(error).__name__)
            await asyncio.sleep(LOOK_SECONDS)

    async def run(app: web.Application) -> AsyncIterator[None]:  # noqa: ARG001 - aiohttp passes the application
        task = asyncio.create_task(rounds())
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    return run


async def _looked(check: Check) -> str:
    """What is wrong, by its code; empty if nothing is."""
    try:
        async with asyncio.timeout(READY_SECONDS):
            await check()
    except TimeoutError:
        return "no answer in time"
    except ChainGatewayError as error:
        return error.code
    return ""


async def _no_store(_: web.Request, response: web.StreamResponse) -> None:
    response.headers["Cache-Control"] = "no-store"
