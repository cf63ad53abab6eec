"""The composition root: settings in, a running application out. Clock, randomness and the network enter here only.

It reads as a parts list: what a part needs is in the call that makes it.
"""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import aiohttp
import aiohttp_session
import jinja2
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc.jwk import ECKey, OKPKey, RSAKey

from chain_gateway.config.model import Settings
from chain_gateway.config.registry import registry
from chain_gateway.core.chain import AppId
from chain_gateway.core.limits import BODY_BYTES
from chain_gateway.core.walk import OpLogout
from chain_gateway.errors import ConfigError, Problem
from chain_gateway.oidc.app_keys import AppKeys
from chain_gateway.oidc.http import Client, Provider
from chain_gateway.oidc.settings import SigningKey
from chain_gateway.oidc.wire import Wire
from chain_gateway.ops.meter import PrometheusMeter
from chain_gateway.ops.tracing import Tracing
from chain_gateway.outgoing import AppCalls
from chain_gateway.resolver import LoopbackResolver
from chain_gateway.service.audit import Audit, Sink, into_log
from chain_gateway.service.background import Background, Round
from chain_gateway.service.callback import FinishLogin
from chain_gateway.service.deliver import Deliver
from chain_gateway.service.departures import Departures
from chain_gateway.service.health import Health
from chain_gateway.service.login import StartLogin
from chain_gateway.service.logout import StartLogout
from chain_gateway.service.op_logout import OpLoggedOut
from chain_gateway.service.passage import Passage
from chain_gateway.service.ports import Meter, OpenIdProvider, Traces
from chain_gateway.service.realm import SILENT, Realm
from chain_gateway.service.relay import Relay
from chain_gateway.service.resume import Resume
from chain_gateway.service.sweep import Sweep
from chain_gateway.service.walks import ShowWalk
from chain_gateway.store.base import Store
from chain_gateway.store.timed import TimedStore
from chain_gateway.store.urls import open_store
from chain_gateway.tokens.keyring import Keyring
from chain_gateway.tokens.receipt import AppKey
from chain_gateway.web.cookies import BrowserStorage
from chain_gateway.web.errors import error_middleware
from chain_gateway.web.guard import guard_middleware
from chain_gateway.web.headers import headers_middleware
from chain_gateway.web.pages import Pages
from chain_gateway.web.rate import Buckets, rate_middleware
from chain_gateway.web.reply import PAGES
from chain_gateway.web.routes import Endpoints, UseCases

REALM: Final = web.AppKey("realm", Realm)
BACKGROUND: Final = web.AppKey("background", Background)
PROVIDER: Final = web.AppKey("provider", Provider)
DELIVER_EVERY: Final = 1.0
SWEEP_EVERY: Final = 5.0
HEALTH_EVERY: Final = 1.0
"""Seconds between two rounds of each kind."""
KEY_KINDS: Final = ((RSAPrivateKey, RSAKey), (EllipticCurvePrivateKey, ECKey), (Ed25519PrivateKey, OKPKey))
OP_LOGOUT: Final = {"first": OpLogout.FIRST, "last": OpLogout.LAST, "none": OpLogout.NONE}


@dataclass(frozen=True, slots=True)
class World:
    """What no pure code has: the time in seconds, and random bytes. Tests pass their own."""

    clock: Callable[[], float] = time.time
    random: Callable[[int], bytes] = os.urandom


REAL: Final = World()


async def build(
    settings: Settings,
    keyring: Keyring,
    *,
    world: World = REAL,
    store: Store | None = None,
    provider: OpenIdProvider | None = None,
    rounds: bool = True,
    own_store: bool = True,
    meter: PrometheusMeter | None = None,
    audit: Sink = into_log,
    tracing: Tracing | None = None,
) -> web.Application:
    """The gateway as an aiohttp application, to be made in a running loop.

    ``store`` and ``provider`` take the place of those that ``settings`` name; a store is opened and closed with the
    application, unless it is not its own. Without ``rounds`` nothing goes on beside the requests but what the caller
    runs. ``meter`` counts, ``audit`` writes the audit log, ``tracing`` makes spans. Raises ConfigError if a part cannot
    be made of the settings.
    """
    pages = pages_of(settings)  # before anything is open that would have to be closed
    hooks = [tracing.calls(_called(settings))] if tracing else []
    http, calls = _http(hooks), _http(hooks, limit=0)
    keys = AppKeys(app_keys(settings), key_urls(settings), Wire(http), world.clock)
    kept = store or open_store(settings.store.url)
    watched = _watched(kept, meter, tracing)
    realm = _realm(settings, keyring, world, watched, keys, meter or SILENT, Audit(audit), tracing)
    observe = meter.op_answered if meter else None
    own = Provider(client(settings), http, world.clock, wanted_claims(settings), entropy=world.random, observe=observe)
    op = provider or own
    cases, background = use_cases(realm, op, AppCalls(calls))
    endpoints = Endpoints(cases, realm.public_url, lambda: realm.keyring().jwks(realm.now()))
    app = _bare(settings, realm, world, tracing)
    _dress(app, pages, settings)
    app[REALM] = realm
    app[BACKGROUND] = background
    app[PROVIDER] = own
    app.add_routes(endpoints.routes())
    app.cleanup_ctx.append(_lifetime(kept if own_store else None, (http, calls), background if rounds else None))
    return app


def _bare(settings: Settings, realm: Realm, world: World, tracing: Tracing | None) -> web.Application:
    """An application without routes, with what every request passes: the outermost first."""
    storage = BrowserStorage(realm.keyring, world.clock, world.random)
    return web.Application(
        client_max_size=BODY_BYTES,
        middlewares=[
            *([tracing.middleware()] if tracing else []),
            headers_middleware(https=realm.public_url.startswith("https:")),
            error_middleware,
            rate_middleware(Buckets(time.monotonic), settings.gateway.trusted_proxies),
            guard_middleware,
            aiohttp_session.session_middleware(storage),
        ],
    )


def _dress(app: web.Application, pages: Pages, settings: Settings) -> None:
    """Gives ``app`` its pages, and the operator's own files beside them."""
    app[PAGES] = pages
    pages.setup(app)
    if settings.gateway.static_dir is not None:
        app.router.add_static("/static/", settings.gateway.static_dir)


def _watched(store: Store, meter: PrometheusMeter | None, tracing: Tracing | None) -> Store:
    """``store``, with whoever wants to know how long its calls take."""
    if tracing is not None:
        return tracing.store(store, meter.store_answered if meter else lambda _, __: None)
    return TimedStore(store, meter.store_answered) if meter else store


def _called(settings: Settings) -> Mapping[str, str]:
    """The id of the app behind each URL of an app that the gateway itself calls."""
    apps = registry(settings).apps.values()
    asked = {url: app.id for app in apps for url in (app.ping_url, app.backchannel_logout_url)}
    return asked | {url: app for app, url in key_urls(settings).items()}


def _http(hooks: Sequence[aiohttp.TraceConfig], limit: int = 100) -> aiohttp.ClientSession:
    """A client with so many connections at once, 0 for as many as are asked for; ``hooks`` see each call.

    The provider has one of its own, so that apps which do not answer take no connection from it; those have no limit,
    as whoever waited for one would count as down. What calls them is bounded (``service.lanes``, an app's one ping).
    """
    connector = aiohttp.TCPConnector(resolver=LoopbackResolver(), limit=limit)
    jar = aiohttp.DummyCookieJar()
    return aiohttp.ClientSession(connector=connector, cookie_jar=jar, trace_configs=list(hooks))


def use_cases(realm: Realm, op: OpenIdProvider, calls: AppCalls) -> tuple[UseCases, Background]:
    """The use cases, each with its ports, and what goes on beside them."""
    health = Health(realm, calls)
    deliver = Deliver(realm, calls)
    passage = Passage(realm, Departures(realm, op), health, lambda: background.wake("deliver"))
    rounds = [
        Round("deliver", DELIVER_EVERY, deliver),
        Round("sweep", SWEEP_EVERY, Sweep(realm, passage)),
        Round("health", HEALTH_EVERY, health.round),
    ]
    if realm.traces is not None:
        rounds = [replace(each, run=realm.traces.round(each.name, each.run)) for each in rounds]
    background = Background(rounds)
    resume = Resume(realm, passage)
    start = StartLogin(realm, op, resume)
    cases = UseCases(
        login=start,
        callback=FinishLogin(realm, op, passage, start),
        logout=StartLogout(realm, op, passage, resume),
        relay=Relay(realm, passage),
        resume=resume,
        walks=ShowWalk(realm, passage),
        op_logged_out=OpLoggedOut(realm, op, lambda: background.wake("deliver")),
    )
    return cases, background


def _realm(
    settings: Settings,
    keyring: Keyring,
    world: World,
    store: Store,
    keys: AppKeys,
    meter: Meter,
    audit: Audit,
    traces: Traces | None,
) -> Realm:
    return Realm(
        public_url=settings.gateway.public_url,
        op_issuer=settings.op.issuer,
        registry=registry(settings),
        app_keys=keys,
        keyring=lambda: keyring,
        store=store,
        clock=world.clock,
        random=world.random,
        budget=settings.gateway.redirect_budget,
        op_logout=OP_LOGOUT[settings.op.logout],
        confirm_logout=settings.gateway.confirm_logout,
        meter=meter,
        audit=audit,
        traces=traces,
    )


def app_keys(settings: Settings) -> Mapping[AppId, AppKey]:
    """The key of each app that has one: receipts and logout requests are verified with it."""
    keys = {}
    for app in settings.apps:
        if app.secret is not None:
            keys[AppId(app.id)] = AppKey.secret(app.secret.reveal().encode())
        elif app.public_key is not None:
            keys[AppId(app.id)] = AppKey.public(app.public_key)
    return keys


def key_urls(settings: Settings) -> Mapping[AppId, str]:
    """Where each app that publishes its keys does so."""
    return {AppId(app.id): app.jwks_url for app in settings.apps if app.jwks_url is not None}


def client(settings: Settings) -> Client:
    """The gateway as it is registered at the provider."""
    op = settings.op
    return Client(
        kind=op.kind,
        issuer=op.issuer,
        client_id=op.client_id,
        redirect_uri=settings.gateway.public_url + "/callback",
        post_logout_redirect_uri=settings.gateway.public_url + "/logged-out",
        client_secret=op.client_secret.reveal() if op.client_secret else None,
        private_key=signing_key(op.private_key.reveal()) if op.private_key else None,
        auth_method=None if op.auth_method == "auto" else op.auth_method,
        scope=op.scope,
        federated=op.federated,
        max_age=op.max_age,
    )


def pages_of(settings: Settings) -> Pages:
    """The pages, with the operator's own templates; ConfigError if one of those does not compile."""
    gateway = settings.gateway
    try:
        pages = Pages(gateway.title, gateway.public_url, gateway.templates_dir, gateway.static_dir)
        pages.environment.get_template("base.html")
    except (jinja2.TemplateError, UnicodeDecodeError, RecursionError) as error:
        reason = f"a template cannot be used: {error}"
        if isinstance(error, jinja2.TemplateSyntaxError):
            reason = f"{error.name}, line {error.lineno}: {error.message}"
        hint = "correct it, or remove it: the gateway's own takes its place"
        raise ConfigError((Problem("gateway.templates_dir", reason, hint),)) from error
    return pages


def signing_key(pem: str) -> SigningKey:
    """The private key for ``private_key_jwt``; the configuration has checked that it is of one of these kinds."""
    key = load_pem_private_key(pem.encode(), password=None)
    kind = next(kind for known, kind in KEY_KINDS if isinstance(key, known))
    return kind.import_key(pem)


def wanted_claims(settings: Settings) -> frozenset[str]:
    """The claims that some app is configured to get."""
    return frozenset(name for app in settings.apps for name in app.claims)


def _lifetime(
    store: Store | None, clients: Sequence[aiohttp.ClientSession], background: Background | None
) -> Callable[[web.Application], AsyncIterator[None]]:
    async def run(app: web.Application) -> AsyncIterator[None]:  # noqa: ARG001 - aiohttp passes the application
        if store is not None:
            await store.open()
        if background is not None:
            background.start()
        try:
            yield
        finally:
            if background is not None:
                await background.stop()
            for client in clients:
                await client.close()
            if store is not None:
                await store.close()

    return run
