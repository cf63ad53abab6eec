"""All looks at once, in the order in which they are read, and what is to be pasted at the provider."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import aiohttp

from chain_gateway.assembly import client, wanted_claims
from chain_gateway.config.model import Settings
from chain_gateway.config.registry import registry
from chain_gateway.doctor import look
from chain_gateway.doctor.files import at_audit_log
from chain_gateway.doctor.findings import Finding
from chain_gateway.doctor.hosts import shared
from chain_gateway.oidc.http import Provider
from chain_gateway.resolver import LoopbackResolver
from chain_gateway.store.base import Store
from chain_gateway.tokens.keyring import Keyring


async def diagnose(
    settings: Settings, keyring: Keyring, store: Store, clock: Callable[[], float] = time.time
) -> list[Finding]:
    """What is found in the world of ``settings``; ``store`` is not open, and is closed again."""
    now = clock()
    apps = list(registry(settings).apps.values())
    connector = aiohttp.TCPConnector(resolver=LoopbackResolver())
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as http:
        provider = Provider(client(settings), http, clock, wanted_claims(settings))
        at_store, at_provider, *at_apps = await asyncio.gather(
            look.at_store(store, settings.store.url),
            look.at_provider(provider, http, settings.op.issuer, now),
            *(look.at_app(app, http, now) for app in apps),
        )
    origins = {"the gateway": settings.gateway.public_url} | {app.id: app.origin for app in apps}
    return [
        *at_store,
        *look.at_keys(keyring, int(now)),
        *at_audit_log(settings.gateway.audit_log),
        *at_provider,
        *(finding for found in at_apps for finding in found),
        *shared(origins),
    ]


def paste(settings: Settings) -> dict[str, str]:
    """What the provider has to know of the gateway, under the names that providers use."""
    own = settings.gateway.public_url
    names = (
        ("Allowed Callback URLs", "Allowed Logout URLs", "Back-Channel Logout URI")
        if settings.op.kind == "auth0"
        else ("redirect_uri", "post_logout_redirect_uri", "backchannel_logout_uri")
    )
    return dict(zip(names, (f"{own}/callback", f"{own}/logged-out", f"{own}/backchannel-logout"), strict=True))
