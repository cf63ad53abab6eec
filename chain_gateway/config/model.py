"""The sections of the configuration file: each key with its type, its default and its words.

Only what the gateway does is accepted. What one key says about another is in ``config.rules``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from chain_gateway.config.addresses import ListenAddress, TcpAddress, TrustedNetwork
from chain_gateway.config.durations import Duration, between
from chain_gateway.config.fields import Shape, Told
from chain_gateway.config.names import ClaimName, Folder, Id, Name, Scope, read_login, read_logout
from chain_gateway.config.pem import PrivatePem, PublicPem
from chain_gateway.config.secret import AnySecret, KeyringFile, KeySecret
from chain_gateway.config.urls import IssuerUrl, Origin, PathPrefix, PublicUrl, StoreUrl, Template, Url
from chain_gateway.core.limits import BROWSER_SECONDS, CHAIN_APPS, RETRIES

DAY: Final = 24 * 3600
LEAST_SESSION: Final = 60
CLAIMS: Final = 32
CLIENT_ID_CHARS: Final = 256

Login = Literal["form_post", "two_step", "external", "none"]
Logout = Literal["redirect", "form_post", "external", "back_channel", "none"]
AuthMethod = Literal["auto", "client_secret_basic", "client_secret_post", "private_key_jwt", "none"]


class Section(BaseModel):
    """What all sections have in common: they are frozen, take no unknown key, convert nothing, and show no input."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class GatewaySettings(Section):
    """The gateway itself."""

    public_url: Annotated[
        PublicUrl,
        Told(
            "where browsers reach the gateway: the only source of its own URLs, and its `iss`",
            '"https://login.example.com"',
        ),
    ]
    listen: Annotated[ListenAddress, Told("where it listens for browsers", '"127.0.0.1:8080"')] = TcpAddress(
        "127.0.0.1", 8080
    )
    ops_listen: Annotated[
        ListenAddress, Told("where health, metrics and the dashboard are; loopback or a socket", '"127.0.0.1:9090"')
    ] = TcpAddress("127.0.0.1", 9090)
    trusted_proxies: Annotated[
        tuple[TrustedNetwork, ...],
        Field(strict=False),
        Told("whose `X-Forwarded-For` counts, for logs and rate limits alone", '["127.0.0.1/32"]'),
    ] = ()
    keys: Annotated[
        KeyringFile, Told("the keyring, which `chain-gateway keys new` makes", '{ file = "keys.json" }')
    ] = Field(default=Path("keys.json"), validate_default=True)
    redirect_budget: Annotated[
        int, Field(ge=6, le=19), Shape("number"), Told("redirects in a row before a page breaks them", "15")
    ] = 15
    confirm_logout: Annotated[
        Literal["unsigned", "never", "always"],
        Told("which sign-outs ask first: those that no app has signed, none, or all", '"unsigned"'),
    ] = "unsigned"
    title: Annotated[Name, Told("the name on the pages", '"Example ID"')] = "Chain Gateway"
    templates_dir: Annotated[
        Folder | None,
        Told("templates of your own, which take the place of those of the same name", '"templates"', shown=False),
    ] = None
    static_dir: Annotated[Folder | None, Told("styles and pictures of your own", '"static"', shown=False)] = None


class StoreSettings(Section):
    """Where walks and what apps are owed are written down."""

    url: Annotated[
        StoreUrl,
        Told("`memory://` forgets at a restart; `sqlite:///PATH` is a file on this machine", '"sqlite:///chain.db"'),
    ] = Field(default="sqlite:///chain.db", validate_default=True, repr=False)


class OpSettings(Section):
    """The OpenID Provider, and the client that the gateway is there."""

    kind: Annotated[
        Literal["auth0", "oidc"], Told("`auth0` knows Auth0's own ways beside the specifications", '"auth0"')
    ] = "oidc"
    issuer: Annotated[IssuerUrl, Told("exactly as the provider's metadata spells it", '"https://tenant.eu.auth0.com/"')]
    client_id: Annotated[
        str,
        Field(min_length=1, max_length=CLIENT_ID_CHARS),
        Shape("text"),
        Told("the client's id there", '"chain-gateway"'),
    ]
    client_secret: Annotated[AnySecret | None, Told("the client's secret there", '{ env = "OP_CLIENT_SECRET" }')] = None
    private_key: Annotated[
        PrivatePem | None,
        Told(
            "a PEM private key instead of a client secret, for `private_key_jwt`",
            '{ file = "op-key.pem" }',
            shown=False,
        ),
    ] = None
    auth_method: Annotated[
        AuthMethod,
        Told("how the client authenticates; `auto` takes the best that the provider's metadata offer", '"auto"'),
    ] = "auto"
    scope: Annotated[Scope, Told("what to ask for; `openid` is a must", '"openid profile email"')] = (
        "openid profile email"
    )
    max_age: Annotated[
        Duration,
        between(60, BROWSER_SECONDS),
        Told("how old a sign-in may be; always asked for, as it makes the provider tell `auth_time`", '"30d"'),
    ] = 30 * DAY
    logout: Annotated[
        Literal["first", "last", "none"],
        Told("when the provider's own session ends: before the apps, after them, or not at all", '"first"'),
    ] = "first"
    federated: Annotated[
        bool, Shape("true or false"), Told("Auth0: end the session at the upstream provider too", "false")
    ] = False
    action_secret: Annotated[
        KeySecret | None,
        Told(
            "Auth0: the secret shared with a post-login Action that sends browsers to `/continue`",
            '{ env = "ACTION_SECRET" }',
        ),
    ] = None


class AppSettings(Section):
    """A registered site."""

    id: Annotated[Id, Told("short name in chains, links, logs and receipts", '"shop"')]
    name: Annotated[Name, Told("what people read", '"Shop"', default="the id")] = ""
    origin: Annotated[
        Origin, Told("the site's origin; all that the gateway sends there stays under it", '"https://shop.example"')
    ]
    secret: Annotated[
        KeySecret | None,
        Told("signs receipts and logout requests (HS256); no two apps share one", '{ env = "SHOP_SECRET" }'),
    ] = None
    public_key: Annotated[
        PublicPem | None,
        Told("instead of `secret`: an EC P-256 public key (ES256)", '{ file = "shop.pem" }', shown=False),
    ] = None
    jwks_url: Annotated[
        Url | None,
        Told(
            "instead of `secret`: where the app publishes its keys (ES256)",
            '"https://shop.example/jwks.json"',
            shown=False,
        ),
    ] = None
    login: Annotated[Login, BeforeValidator(read_login), Told("how a login visits the app", '"form_post"')] = (
        "form_post"
    )
    logout: Annotated[Logout, BeforeValidator(read_logout), Told("how a logout reaches the app", '"redirect"')] = (
        "redirect"
    )
    visit: Annotated[
        Literal["eager", "lazy", "recent"],
        Told("walked at each login, on its first visit, or at login where this browser has been before", '"eager"'),
    ] = "eager"
    required: Annotated[bool, Shape("true or false"), Told("a failed login here ends the walk", "false")] = False
    retries: Annotated[
        int, Field(ge=0, le=RETRIES), Shape("number"), Told("how often a failed hop is made again", "1")
    ] = 1
    ping: Annotated[
        bool, Shape("true or false"), Told("whether the browser itself asks the app before it goes there", "true")
    ] = True
    session_max: Annotated[
        Duration, between(LEAST_SESSION, BROWSER_SECONDS), Told("the longest that a session of the app lasts", '"12h"')
    ] = 12 * 3600
    claims: Annotated[
        tuple[ClaimName, ...],
        Field(strict=False, max_length=CLAIMS),
        Told("the claims about the person that its login tickets carry", '["email", "name"]'),
    ] = ()
    return_to: Annotated[
        tuple[PathPrefix, ...],
        Field(strict=False, min_length=1),
        Told("path prefixes of the origin that `return_to` may name", '["/", "/account"]'),
    ] = ("/",)
    hop_url: Annotated[
        Url | None,
        Told(
            "where its hops go", '"https://shop.example/chain/hop"', shown=False, default="`/chain/hop` under `origin`"
        ),
    ] = None
    ping_url: Annotated[
        Url | None,
        Told(
            "what is asked before a hop",
            '"https://shop.example/chain/ping"',
            shown=False,
            default="`/chain/ping` under `origin`",
        ),
    ] = None
    backchannel_logout_url: Annotated[
        Url | None,
        Told(
            "where logout tokens are posted",
            '"https://shop.example/chain/backchannel-logout"',
            shown=False,
            default="`/chain/backchannel-logout` under `origin`",
        ),
    ] = None
    external_login: Annotated[
        Template | None,
        Told(
            'where `login = "external"` goes',
            '"https://shop.example/login?iss={iss}&target_link_uri={target_link_uri}"',
            shown=False,
        ),
    ] = None
    external_logout: Annotated[
        Template | None,
        Told('where `logout = "external"` goes', '"https://shop.example/logout?next={return_to}"', shown=False),
    ] = None


class ChainSettings(Section):
    """An ordered list of apps: whom a login or a logout visits."""

    id: Annotated[Id, Told("short name, for `chain=` in links", '"main"')]
    apps: Annotated[
        tuple[str, ...],
        Field(strict=False, min_length=1, max_length=CHAIN_APPS),
        Shape("list of app ids"),
        Told("ids of apps, in the order of the visits", '["shop", "news"]'),
    ]


class Settings(Section):
    """A whole configuration without a problem."""

    gateway: GatewaySettings
    store: StoreSettings
    op: OpSettings
    apps: tuple[AppSettings, ...]
    chains: tuple[ChainSettings, ...]


SECTIONS: Final[dict[str, type[Section]]] = {
    "[gateway]": GatewaySettings,
    "[store]": StoreSettings,
    "[op]": OpSettings,
    "[[apps]]": AppSettings,
    "[[chains]]": ChainSettings,
}
"""The sections of the file as TOML writes their headings, in the order of the pages that are made of them."""
