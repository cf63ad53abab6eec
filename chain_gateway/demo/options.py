"""What can be chosen about the demo."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """The options of ``chain-gateway demo``; an empty text leaves a thing as it is.

    ``port`` 0 takes a free one. ``apps`` makes that many sites in place of the four, ``chain`` is a configuration whose
    apps and chains are played on loopback. The modes are for all apps. ``fail`` has items ``APP=KIND``, see ``faults``.
    ``op`` is the issuer of a real provider.
    """

    port: int = 8080
    apps: int | None = None
    chain: Path | None = None
    login_mode: str = ""
    logout_mode: str = ""
    fail: tuple[str, ...] = ()
    store: str = "memory://"
    dialect: str = "oidc"
    op: str = ""
    op_kind: str = "oidc"
    op_client_id: str = ""
    op_client_secret: str = field(default="", repr=False)
    headless_check: bool = False
    as_json: bool = False
