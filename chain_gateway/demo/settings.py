"""From the demo's options to a configuration, as an operator could have written it.

Every name is a host under ``localhost`` on one port, every secret is drawn anew at each start.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from chain_gateway.config import Settings, parse
from chain_gateway.core.origins import origin_of
from chain_gateway.demo.cast import (
    GATEWAY,
    PROVIDER,
    SECRET_BYTES,
    Table,
    cast,
    document_of,
    origin,
    picked,
    problem,
)
from chain_gateway.demo.faults import Fault, read_faults
from chain_gateway.demo.looks import Look, look_of
from chain_gateway.demo.op import Dialect, OpClient
from chain_gateway.demo.options import DemoOptions
from chain_gateway.sdk import ChainConfig
from chain_gateway.tokens.encoding import b64e

CLIENT_ID = "gateway"
KEY_FILE = "the-demo-keeps-its-keys-in-memory.json"
FROM_GATEWAY = ("title", "redirect_budget", "confirm_logout")
FROM_OP = ("logout",)
"""What of somebody's own gateway and provider is played as it is."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A demo that can begin. ``client`` is what the embedded provider knows of the gateway, None with a real one.

    ``left_out`` names apps of somebody's own configuration that have not the SDK, and so cannot be played. ``faults``
    are what is wrong with sites on purpose, by app.
    """

    settings: Settings
    looks: tuple[Look, ...]
    chains: tuple[ChainConfig, ...]
    client: OpClient | None
    dialect: Dialect
    port: int
    left_out: tuple[str, ...] = ()
    faults: Mapping[str, Fault] = field(default_factory=dict)

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
        """CSP sources of all that a form of a site may lead through: every host of the demo.

        A real provider sends people on to wherever its own logins and logouts are, so all of https is open then, and
        its own host where that has none.
        """
        elsewhere = f" https: {origin_of(self.settings.op.issuer)}"
        return f"http://*.localhost:{self.port}" + ("" if self.client else elsewhere)


def stage(options: DemoOptions, port: int, random: Callable[[int], bytes]) -> Stage:
    """All that the demo needs to begin on ``port``; ConfigError with every problem of the options."""
    if options.dialect not in set(Dialect):
        raise problem("--dialect", "is no dialect of the embedded provider", "write oidc or auth0")
    document = document_of(options)
    players = cast(options, document, port, random)
    data: Table = {
        "gateway": picked(document, "gateway", FROM_GATEWAY)
        | {
            "public_url": origin(GATEWAY, port),
            "listen": f"127.0.0.1:{port}",
            "keys": {"file": KEY_FILE},
        },
        "store": {"url": options.store},
        "op": picked(document, "op", FROM_OP) | _op(options, port, random),
        "apps": players.apps,
        "chains": players.chains,
    }
    settings = parse(data, base=Path.cwd(), environ={})
    return Stage(
        settings=settings,
        looks=tuple(look_of(app.id, app.name or app.id, number) for number, app in enumerate(settings.apps, 1)),
        chains=tuple(_chain_config(settings, number, random) for number in range(len(settings.apps))),
        client=None if options.op else _client(settings, port),
        dialect=Dialect(options.dialect),
        port=port,
        left_out=players.left_out,
        faults=read_faults(options.fail, (app.id for app in settings.apps)),
    )


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
        raise problem("--op", "a real provider needs a client", hint)
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
        backchannel_logout_uri=f"{at}/backchannel-logout",
    )
