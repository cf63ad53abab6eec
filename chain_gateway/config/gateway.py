"""The sections ``[gateway]`` and ``[store]``: each key with its type, its default and its words."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field

from chain_gateway.config.addresses import ListenAddress, TcpAddress, TrustedNetwork
from chain_gateway.config.fields import Shape, Told
from chain_gateway.config.names import Folder, LogFile, Name
from chain_gateway.config.secret import KeyringFile, KeySecret
from chain_gateway.config.section import Section
from chain_gateway.config.urls import PublicUrl, StoreUrl

LEAST_BUDGET: Final = 6
MOST_BUDGET: Final = 19
"""Chromium stops at 20 redirects in a row."""


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
    dashboard_token: Annotated[
        KeySecret | None,
        Told(
            "what opens the dashboard at `ops_listen`, for a person or a program; without one it shows nothing",
            '{ env = "DASHBOARD_TOKEN" }',
        ),
    ] = None
    audit_log: Annotated[
        LogFile | None,
        Told("a file for the audit log, a JSON object a line; without one its events are in the log", '"audit.jsonl"'),
    ] = None
    trusted_proxies: Annotated[
        tuple[TrustedNetwork, ...],
        Field(strict=False),
        Told("whose `X-Forwarded-For` counts, for logs and rate limits alone", '["127.0.0.1/32"]'),
    ] = ()
    keys: Annotated[
        KeyringFile,
        Told(
            "the keyring, which `chain-gateway keys new` makes",
            '{ file = "keys.json" }',
            default='{ file = "keys.json" }',
        ),
    ] = Field(default=Path("keys.json"), validate_default=True)
    redirect_budget: Annotated[
        int,
        Field(ge=LEAST_BUDGET, le=MOST_BUDGET),
        Shape(f"number, {LEAST_BUDGET} to {MOST_BUDGET}"),
        Told("redirects in a row before a page breaks them", "15"),
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
        Told(
            "`memory://` forgets at a restart; `sqlite:///PATH` is a file on this machine; `redis://HOST` is shared",
            '"sqlite:///chain.db"',
        ),
    ] = Field(default="sqlite:///chain.db", validate_default=True, repr=False)
