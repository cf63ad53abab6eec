"""Settings as they may be shown: to a person, to a log, to a bug report."""

from __future__ import annotations

from chain_gateway.config.model import Settings
from chain_gateway.config.urls import without_password


def redacted(settings: Settings) -> dict[str, object]:
    """``settings`` as plain values of JSON, every secret as ``***``, a store's URL without its password."""
    shown: dict[str, object] = settings.model_dump(mode="json")
    shown["store"] = {"url": without_password(settings.store.url)}
    return shown
