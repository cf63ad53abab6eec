"""The section ``[op]``: each key with its type, its default and its words."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from chain_gateway.config.durations import Duration, between
from chain_gateway.config.fields import Shape, Told
from chain_gateway.config.names import Scope
from chain_gateway.config.pem import PrivatePem
from chain_gateway.config.secret import AnySecret, KeySecret
from chain_gateway.config.section import Section
from chain_gateway.config.urls import IssuerUrl
from chain_gateway.core.limits import BROWSER_SECONDS

CLIENT_ID_CHARS: Final = 256
LEAST_MAX_AGE: Final = 60
MAX_AGE: Final = BROWSER_SECONDS

AuthMethod = Literal["auto", "client_secret_basic", "client_secret_post", "private_key_jwt", "none"]


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
        between(LEAST_MAX_AGE, BROWSER_SECONDS),
        Told(
            "how old a sign-in may be; always asked for, as it makes the provider tell `auth_time`; "
            "below the default a provider that does not tell it is refused",
            '"400d"',
        ),
    ] = MAX_AGE
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
