"""The looks that ask somebody: each returns what it found and raises nothing, so that one failure hides no other."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Iterator, Sequence
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import aiohttp

from chain_gateway.core.chain import App, Mode
from chain_gateway.core.limits import SKEW_SECONDS
from chain_gateway.doctor.findings import Finding, Level, bad, ok, warn
from chain_gateway.errors import ChainGatewayError
from chain_gateway.oidc.http import Provider
from chain_gateway.oidc.metadata import metadata_url
from chain_gateway.store.base import Store
from chain_gateway.tokens.keyring import Keyring
from chain_gateway.tokens.purposes import Use

SECONDS: Final = 5
DAY: Final = 24 * 3600
OLD_DAYS: Final = 90
"""How old an active key may be before it is mentioned."""
CERTIFICATE_DAYS: Final = 14
NO_CONTENT: Final = 204
NOT_FOUND: Final = 404
SERVER_ERROR: Final = 500
NETWORK: Final = (aiohttp.ClientError, TimeoutError, OSError)


async def at_store(store: Store, url: str) -> list[Finding]:
    """Whether the store opens and answers; a file that is not there is left to the gateway, whose own it has to be."""
    if url.startswith("sqlite:") and _is_to_come(Path(unquote(urlsplit(url).path)[1:])):
        return [ok("store", "its file is made by the gateway when that starts")]
    try:
        await store.open()
        try:
            began = time.perf_counter()
            await store.ping()
            took = (time.perf_counter() - began) * 1000
        finally:
            await store.close()
    except ChainGatewayError as error:
        return [bad("store", error.detail, "start it, or correct store.url; without it nobody can sign in")]
    if url == "memory://":
        hint = "fine for a try; write sqlite:///chain.db, or the URL of a Redis"
        return [warn("store", "memory:// forgets who is owed a logout at each restart", hint)]
    return [ok("store", f"answers in {took:.1f} ms")]


def _is_to_come(file: Path) -> bool:
    return not file.exists() and file.parent.is_dir()


def at_keys(keyring: Keyring, now: int) -> Iterator[Finding]:
    """Whether each kind of key has an active one, and how old that is."""
    active = keyring.active(now)
    for use in Use:
        row = active.get(use)
        if row is None:
            yield bad("keys", f"no {use} key is active", "look at `chain-gateway keys list`, and at the clock")
        elif now - row.created > OLD_DAYS * DAY:
            days = (now - row.created) // DAY
            yield warn("keys", f"the {use} key is {days} days old", f"run `chain-gateway keys rotate {use}`")
        else:
            yield ok("keys", f"the {use} key is {(now - row.created) // DAY} days old")


async def at_provider(provider: Provider, http: aiohttp.ClientSession, issuer: str, now: float) -> list[Finding]:
    """Metadata, keys, and how far the provider's clock is from ours."""
    try:
        metadata = await provider.metadata()
        await provider.probe()
    except ChainGatewayError as error:
        return [bad("provider", f"{error.detail} ({error.code})", "check op.issuer, and that this machine reaches it")]
    found = [ok("provider", "metadata and keys are there and hold")]
    if metadata.end_session_endpoint is None and "auth0" not in issuer:
        hint = "set op.logout to none, or sign-outs will say that the provider has not confirmed"
        found.append(warn("provider", "it announces no logout", hint))
    if not metadata.backchannel_logout_supported:
        hint = "without it a sign-out at the provider itself reaches no site; see what your provider calls it"
        found.append(warn("provider", "it announces no back-channel logout", hint))
    return [*found, *await _clock(http, metadata_url(issuer), now)]


async def _clock(http: aiohttp.ClientSession, url: str, now: float) -> list[Finding]:
    try:
        async with http.get(url, timeout=aiohttp.ClientTimeout(total=SECONDS), allow_redirects=False) as response:
            said = response.headers.get("Date", "")
        apart = abs(parsedate_to_datetime(said).timestamp() - now)
    except (*NETWORK, ValueError, TypeError):
        return [
            warn("clock", "the provider's answers bear no date to compare with", "keep this machine's clock by NTP")
        ]
    if apart > SKEW_SECONDS / 2:
        hint = f"set the clock, and keep it by NTP: beyond {SKEW_SECONDS} seconds nobody can sign in"
        return [bad("clock", f"it is {apart:.0f} seconds apart from the provider's", hint)]
    return [ok("clock", f"within {apart:.0f} s of the provider's")]


async def at_app(app: App, http: aiohttp.ClientSession, now: float) -> list[Finding]:
    """What an app says at its ping, its hop and its back channel to somebody who brings nothing."""
    asked = [_ping(app, http)] if app.ping else []
    if _has_hops(app):
        asked.append(_refuses(app.id, "hop", "GET", app.hop_url, http))
        asked.append(_refuses(app.id, "back channel", "POST", app.backchannel_logout_url, http))
    if app.origin.startswith("https:"):
        asked.append(_certificate(app, now))
    return [finding for found in await asyncio.gather(*asked) for finding in found]


def _has_hops(app: App) -> bool:
    return app.login in {Mode.FORM_POST, Mode.TWO_STEP} or app.logout in {Mode.FORM_POST, Mode.REDIRECT}


async def _ping(app: App, http: aiohttp.ClientSession) -> list[Finding]:
    status, why = await _asked("GET", app.ping_url, http)
    if status is None:
        hint = "start the app, or correct its origin; until it answers, walks leave it out"
        return [bad(app.id, f"its ping cannot be reached: {why}", hint)]
    if status >= SERVER_ERROR or status == NOT_FOUND:
        hint = f"mount the SDK so that {app.ping_url} answers 204, or set ping = false"
        return [bad(app.id, f"its ping answers {status}", hint)]
    if status != NO_CONTENT:
        return [
            warn(
                app.id, f"its ping answers {status} and not 204", "let nothing else answer there, such as a login page"
            )
        ]
    return [ok(app.id, "its ping answers")]


async def _refuses(app_id: str, what: str, method: str, url: str, http: aiohttp.ClientSession) -> list[Finding]:
    """An endpoint of the SDK refuses who brings nothing; anything else there is something else."""
    status, why = await _asked(method, url, http)
    if status is None:
        return [bad(app_id, f"its {what} cannot be reached: {why}", f"correct the app's origin, or open {url} to us")]
    if status not in {400, 401, 403}:
        hint = f"mount the SDK there, or name the right address; who brings nothing to {url} is to be refused"
        return [bad(app_id, f"its {what} answers {status} to a request without a ticket or token", hint)]
    return [ok(app_id, f"its {what} is there")]


async def _asked(method: str, url: str, http: aiohttp.ClientSession) -> tuple[int | None, str]:
    """The status of an answer, or None and why there is none."""
    timeout = aiohttp.ClientTimeout(total=SECONDS)
    try:
        async with http.request(method, url, timeout=timeout, allow_redirects=False) as response:
            return response.status, ""
    except TimeoutError:
        return None, f"no answer in {SECONDS} seconds"
    except NETWORK as error:
        return None, str(error).partition(" [")[0] or type(error).__name__


async def _certificate(app: App, now: float) -> list[Finding]:
    """How long the certificate at the app's origin still holds; one that does not hold fails the other looks."""
    parts = urlsplit(app.origin)
    host = parts.hostname or ""
    at = "127.0.0.1" if host.endswith(".localhost") else host  # as everywhere else, see ``resolver``
    writer = None
    try:
        async with asyncio.timeout(SECONDS):
            _, writer = await asyncio.open_connection(
                at, parts.port or 443, ssl=ssl.create_default_context(), server_hostname=host
            )
        shown = writer.get_extra_info("peercert") or {}
        days = int((ssl.cert_time_to_seconds(str(shown["notAfter"])) - now) // DAY)
    except (*NETWORK, KeyError, ValueError) as error:
        return [bad(app.id, f"its certificate does not hold: {error}", "renew it, or install the whole chain")]
    finally:
        if writer is not None:
            writer.close()
    if days < CERTIFICATE_DAYS:
        return [warn(app.id, f"its certificate ends in {days} days", "renew it")]
    return [ok(app.id, f"its certificate holds for {days} days")]


def worst(findings: Sequence[Finding]) -> bool:
    """Whether people would notice something."""
    return any(finding.level is Level.BAD for finding in findings)
