"""The sections ``[[apps]]`` and ``[[chains]]``: each key with its type, its default and its words."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field

from chain_gateway.config.durations import Duration, between
from chain_gateway.config.fields import Shape, Told
from chain_gateway.config.names import ClaimName, Id, Name, read_login, read_logout
from chain_gateway.config.pem import PublicPem
from chain_gateway.config.secret import KeySecret
from chain_gateway.config.section import Section
from chain_gateway.config.urls import Origin, PathPrefix, Template, Url
from chain_gateway.core.limits import BROWSER_SECONDS, CHAIN_APPS, ID_CHARS, RETRIES

CLAIMS: Final = 32
LEAST_SESSION: Final = 60

Login = Literal["form_post", "two_step", "external", "none"]
Logout = Literal["redirect", "form_post", "external", "back_channel", "none"]


class AppSettings(Section):
    """A registered site."""

    id: Annotated[Id, Told("short name in chains, links, logs and receipts", '"shop"')]
    name: Annotated[Name, Told("what people read", '"Shop"', default="the `id`")] = ""
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
    login: Annotated[
        Login,
        BeforeValidator(read_login),
        Told(
            "how a login visits the app: `form_post` by a page that posts the ticket, `two_step` by redirects alone, "
            "`external` by a URL template",
            '"form_post"',
        ),
    ] = "form_post"
    logout: Annotated[
        Logout,
        BeforeValidator(read_logout),
        Told("how a logout reaches the app: by the browser, or from server to server (`back_channel`)", '"redirect"'),
    ] = "redirect"
    visit: Annotated[
        Literal["eager", "lazy", "recent"],
        Told(
            "`eager`: walked at each login; `lazy`: signs in silently on its first visit; "
            "`recent`: walked at login once this browser has been there by itself",
            '"eager"',
        ),
    ] = "eager"
    required: Annotated[bool, Shape("true or false"), Told("a failed login here ends the walk", "false")] = False
    retries: Annotated[
        int,
        Field(ge=0, le=RETRIES),
        Shape(f"number, 0 to {RETRIES}"),
        Told("how often a failed hop is made again", "1"),
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
        tuple[Annotated[str, Field(max_length=ID_CHARS)], ...],
        Field(strict=False, min_length=1, max_length=CHAIN_APPS),
        Shape("list of app ids"),
        Told("ids of apps, in the order of the visits", '["shop", "news"]'),
    ]
