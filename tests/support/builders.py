"""Values with defaults, so that a test names only what it is about."""

from __future__ import annotations

from chain_gateway.core.chain import App, AppId, Chain, ChainId, Mode, Registry
from chain_gateway.core.ledger import Entry, Holding
from chain_gateway.core.walk import Hop, Hops, Kind, Walk

NOW = 1_800_000_000


def an_app(app_id: str = "shop", **changes: object) -> App:
    """A registered app at ``https://ID.example``."""
    origin = f"https://{app_id}.example"
    values: dict[str, object] = {
        "id": AppId(app_id),
        "name": app_id.capitalize(),
        "origin": origin,
        "hop_url": f"{origin}/chain/hop",
        "ping_url": f"{origin}/chain/ping",
        "backchannel_logout_url": f"{origin}/chain/backchannel-logout",
    }
    return App(**(values | changes))


def a_chain(*apps: App) -> Chain:
    """A chain of these apps, or of shop, news and bank."""
    return Chain(ChainId("main"), apps or tuple(an_app(name) for name in ("shop", "news", "bank")))


def a_registry(*apps: App) -> Registry:
    """A registry with one chain."""
    chain = a_chain(*apps)
    return Registry(chain.apps, [chain])


def an_entry(app_id: str = "shop", holding: Holding = Holding.HOLDS, **changes: object) -> Entry:
    """A ledger entry, fresh now."""
    values: dict[str, object] = {"epoch": NOW * 1000, "since": NOW, "sub": "alice", "sid": "s1", "auth_time": NOW}
    return Entry(AppId(app_id), holding, **(values | changes))


def a_walk(*modes: Mode, kind: Kind = Kind.LOGIN, required: bool = False, retries: int = 1, **changes: object) -> Walk:
    """A walk that is ready for its first hop; app ``n`` is made in ``modes[n]`` (default: three by form_post)."""
    chosen = modes or (Mode.FORM_POST,) * 3
    hops = tuple(Hop(an_app(f"app{i}").tag, mode, required, retries) for i, mode in enumerate(chosen))
    values: dict[str, object] = {
        "id": bytes(range(16)),
        "browser": b"B" * 16,
        "epoch": NOW * 1000,
        "chain": "main",
        "hops": Hops.of(hops),
        "nonce": b"N" * 16,
        "issued_at": NOW,
        "expires_at": NOW + 900,
        "return_to": "https://app0.example/",
    }
    return Walk(kind=kind, **(values | changes))
