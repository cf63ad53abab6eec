"""From the demo's options to a configuration, as an operator could have written it.

Every name is a host under ``localhost`` on one port, every secret is drawn anew at each start.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from chain_gateway.config import Settings, parse
from chain_gateway.demo.looks import FOUR, Look, generated, look_of
from chain_gateway.demo.op import Dialect, OpClient
from chain_gateway.demo.options import DemoOptions
from chain_gateway.errors import ConfigError, Problem
from chain_gateway.sdk import ChainConfig
from chain_gateway.tokens.encoding import b64e

GATEWAY = "login"
PROVIDER = "id"
CLIENT_ID = "gateway"
CLAIMS = ("name", "email")
KEY_FILE = "the-demo-keeps-its-keys-in-memory.json"
SECRET_BYTES = 32

FROM_GATEWAY = ("title", "redirect_budget", "confirm_logout")
FROM_OP = ("logout",)
FROM_APP = (
    "id",
    "name",
    "login",
    "logout",
    "visit",
    "required",
    "retries",
    "ping",
    "session_max",
    "claims",
    "return_to",
)
"""What of somebody's own configuration can be played on loopback: all but addresses, keys and the provider."""

Table = dict[str, object]


@dataclass(frozen=True, slots=True)
class Stage:
    """A demo that can begin. ``client`` is what the embedded provider knows of the gateway, None with a real one."""

    settings: Settings
    looks: tuple[Look, ...]
    chains: tuple[ChainConfig, ...]
    client: OpClient | None
    dialect: Dialect
    port: int

    @property
    def gateway(self) -> str:
        """The gateway's origin."""
        return self.settings.gateway.public_url

    @property
    def provider(self) -> str:
        """The origin of the embedded provider."""
        return origin(PROVIDER, self.port)

    @property
    def form_targets(self) -> str:
        """CSP sources of all that a form of a site may lead through: every host of the demo, and a real provider."""
        real = "" if self.client else f" {self.settings.op.issuer.rstrip('/')}/"
        return f"http://*.localhost:{self.port}{real}"


def origin(label: str, port: int) -> str:
    """The origin of one host of the demo, as browsers spell it.

    >>> origin("shop", 8080), origin("shop", 80)
    ('http://shop.localhost:8080', 'http://shop.localhost')
    """
    return f"http://{label}.localhost" + ("" if port == 80 else f":{port}")  # noqa: PLR2004  (the port of http)


def stage(options: DemoOptions, port: int, random: Callable[[int], bytes]) -> Stage:
    """All that the demo needs to begin on ``port``; ConfigError with every problem of the options."""
    document = _document(options)
    apps = _apps(options, document, port, random)
    data: Table = {
        "gateway": _picked(document, "gateway", FROM_GATEWAY)
        | {
            "public_url": origin(GATEWAY, port),
            "listen": f"127.0.0.1:{port}",
            "keys": {"file": KEY_FILE},
        },
        "store": {"url": options.store},
        "op": _picked(document, "op", FROM_OP) | _op(options, port, random),
        "apps": apps,
        "chains": document.get("chains") or [{"id": "main", "apps": [app["id"] for app in apps]}],
    }
    settings = parse(data, base=Path.cwd(), environ={})
    return Stage(
        settings=settings,
        looks=tuple(look_of(app.id, app.name or app.id, number) for number, app in enumerate(settings.apps, 1)),
        chains=tuple(_chain_config(settings, number, random) for number in range(len(settings.apps))),
        client=None if options.op else _client(settings, port),
        dialect=Dialect(options.dialect),
        port=port,
    )


def _document(options: DemoOptions) -> Mapping[str, object]:
    """The configuration to play, empty without one; ConfigError if it cannot be read."""
    if options.dialect not in set(Dialect):
        raise _problem("--dialect", "is no dialect of the embedded provider", "write oidc or auth0")
    if options.chain is None:
        return {}
    try:
        return tomllib.loads(options.chain.read_text("utf-8"))
    except OSError as error:
        raise _problem(str(options.chain), f"cannot be read: {error.strerror}", "name a configuration") from error
    except ValueError as error:
        raise _problem(str(options.chain), f"is not TOML: {error}", "run `chain-gateway check` on it") from error


def _picked(document: Mapping[str, object], section: str, keys: Sequence[str]) -> Table:
    """The members of a section that are played as they are."""
    found = document.get(section, {})
    if not isinstance(found, dict):
        raise _problem(section, "is no table", "run `chain-gateway check` on it")
    return {key: found[key] for key in keys if key in found}


def _apps(
    options: DemoOptions, document: Mapping[str, object], port: int, random: Callable[[int], bytes]
) -> list[Table]:
    """The apps, each on a host of its own."""
    listed = document.get("apps", [])
    if not isinstance(listed, list) or not all(isinstance(app, dict) for app in listed):
        raise _problem("apps", "is no list of tables", "run `chain-gateway check` on it")
    apps: list[Table] = [{key: app[key] for key in FROM_APP if key in app} for app in listed]
    if not apps:
        looks = FOUR if options.apps is None else generated(options.apps)
        apps = [{"id": look.id, "name": look.name} for look in looks]
    modes = {key: mode for key, mode in (("login", options.login_mode), ("logout", options.logout_mode)) if mode}
    for app in apps:
        label = str(app.get("id", "")).replace("_", "-")
        if label in {GATEWAY, PROVIDER}:
            raise _problem("apps", f"{label} is a host of the demo itself", "give the app another id")
        app.update(modes, origin=origin(label, port), secret=b64e(random(SECRET_BYTES)))
        if app.get("login") != "none":
            app.setdefault("claims", list(CLAIMS))
        _sdk_only(app)
    return apps


def _sdk_only(app: Table) -> None:
    """The demo's sites all have the SDK; one that has not cannot be played."""
    for way in ("login", "logout"):
        if app.get(way) == "external":
            raise _problem(f"apps.{app.get('id')}.{way}", "the demo has no site without the SDK", "choose another mode")


def _op(options: DemoOptions, port: int, random: Callable[[int], bytes]) -> Table:
    """The provider: the embedded one, or a real one with the client that the options name."""
    if not options.op:
        slash = "/" if options.dialect == Dialect.AUTH0 else ""
        return {
            "kind": options.dialect,
            "issuer": origin(PROVIDER, port) + slash,
            "client_id": CLIENT_ID,
            "client_secret": b64e(random(SECRET_BYTES)),
        }
    if not options.op_client_id or not options.op_client_secret:
        hint = "give --op-client-id ID, and the secret in the environment variable OP_CLIENT_SECRET"
        raise _problem("--op", "a real provider needs a client", hint)
    return {
        "kind": options.op_kind,
        "issuer": options.op,
        "client_id": options.op_client_id,
        "client_secret": options.op_client_secret,
    }


def _chain_config(settings: Settings, number: int, random: Callable[[int], bytes]) -> ChainConfig:
    """The app's own side of the contract."""
    app = settings.apps[number]
    return ChainConfig(
        gateway=settings.gateway.public_url,
        app_id=app.id,
        origin=app.origin,
        secret=app.secret.reveal() if app.secret else "",
        session_key=random(SECRET_BYTES),
        session_max=app.session_max,
    )


def _client(settings: Settings, port: int) -> OpClient:
    """What the embedded provider knows of the gateway."""
    at, secret = origin(GATEWAY, port), settings.op.client_secret
    return OpClient(
        client_id=settings.op.client_id,
        client_secret=secret.reveal() if secret else "",
        redirect_uris=(f"{at}/callback",),
        post_logout_redirect_uris=(f"{at}/logged-out",),
        name="the demo",
    )


def _problem(path: str, reason: str, hint: str) -> ConfigError:
    return ConfigError((Problem(path, reason, hint),))
