"""From settings to the registry that the core judges by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from chain_gateway.config.model import AppSettings, Settings
from chain_gateway.core.chain import App, AppId, Chain, ChainId, Mode, Registry, Visit

HOP_PATH: Final = "/chain/hop"
PING_PATH: Final = "/chain/ping"
BACKCHANNEL_PATH: Final = "/chain/backchannel-logout"
"""Where an app has the SDK's paths unless it says otherwise (docs/protocol.md, section 3)."""

MODES: Final[Mapping[str, Mode]] = {mode.word: mode for mode in Mode}


def registry(settings: Settings) -> Registry:
    """All apps and chains of ``settings``, with every default filled in."""
    apps = {app.id: _app(app) for app in settings.apps}
    chains = (Chain(ChainId(chain.id), tuple(apps[name] for name in chain.apps)) for chain in settings.chains)
    return Registry(apps.values(), chains)


def _app(app: AppSettings) -> App:
    return App(
        id=AppId(app.id),
        name=app.name or app.id,
        origin=app.origin,
        hop_url=app.hop_url or app.origin + HOP_PATH,
        ping_url=app.ping_url or app.origin + PING_PATH,
        backchannel_logout_url=app.backchannel_logout_url or app.origin + BACKCHANNEL_PATH,
        login=MODES[app.login],
        logout=MODES[app.logout],
        visit=Visit(app.visit),
        required=app.required,
        retries=app.retries,
        ping=app.ping,
        session_max=app.session_max,
        claims=app.claims,
        return_to=app.return_to,
        external_login=app.external_login or "",
        external_logout=app.external_logout or "",
    )
