"""The one list of what a sealed or signed text is for, so that none is ever taken for another.

A purpose's value is authenticated with each text that is sealed for it (``sealer``); a type stands in the protected
header of each text that is signed (``jws``). Both are frozen: texts that are out in the world carry them.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final

from chain_gateway.core import limits

TICKET_TYP: Final = "chain-ticket+jwt"
RECEIPT_TYP: Final = "chain-receipt+jwt"
LOGOUT_REQUEST_TYP: Final = "chain-logout-request+jwt"


class Use(enum.StrEnum):
    """What a key of the keyring does; the values stand in the key file."""

    SEAL = "seal"
    COOKIE = "cookie"
    SIGN = "sign"


class Purpose(enum.StrEnum):
    """What a sealed text is for."""

    CHAIN_TOKEN = "chain-token"  # noqa: S105 - a label, not a secret
    OP_STATE = "op-state"
    CONFIRM = "confirm"
    OP_SESSION = "op-session"
    TRANSACTION = "transaction"
    BROWSER = "browser"
    IDENTITY = "identity"
    AWAY = "away"
    APP_SESSION = "app-session"
    APP_TOMBSTONE = "app-tombstone"


USE: Final[Mapping[Purpose, Use]] = {
    Purpose.CHAIN_TOKEN: Use.SEAL,
    Purpose.OP_STATE: Use.SEAL,
    Purpose.CONFIRM: Use.SEAL,
    Purpose.OP_SESSION: Use.SEAL,
    Purpose.TRANSACTION: Use.COOKIE,
    Purpose.BROWSER: Use.COOKIE,
    Purpose.IDENTITY: Use.COOKIE,
    Purpose.AWAY: Use.COOKIE,
}
"""Which keys of the gateway seal what; an app's own texts are sealed by the app's own keys."""

LIFE: Final[Mapping[Purpose, int]] = {
    Purpose.CHAIN_TOKEN: limits.WALK_SECONDS,
    Purpose.OP_STATE: limits.WALK_SECONDS,
    Purpose.CONFIRM: limits.CONFIRM_SECONDS,
    Purpose.OP_SESSION: 30 * 24 * 3600,
    Purpose.TRANSACTION: limits.TRANSACTION_SECONDS,
    Purpose.BROWSER: limits.BROWSER_SECONDS,
    Purpose.IDENTITY: limits.WALK_SECONDS,
    Purpose.AWAY: limits.WALK_SECONDS,
}
"""How many seconds after its sealing a text may still be shown: so long an old key is needed after its last use."""
