"""One login at the provider, from ``/login`` to ``/callback``, kept by the browser and by the provider's ``state``.

Nothing is stored for somebody who has only asked to sign in. The ``state`` is sealed and tells where the login leads,
so that a browser which lost its cookie can be sent round once more; the cookie, named by the state's id, holds what no
URL may: the PKCE verifier and the nonce (RFC 7636, OIDC Core 3.1.2.1).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from chain_gateway.core.limits import TRANSACTION_SECONDS, TRANSACTIONS
from chain_gateway.errors import TokenRefused
from chain_gateway.service.realm import Realm, Visitor
from chain_gateway.service.views import Cookie
from chain_gateway.tokens.encoding import b64e
from chain_gateway.tokens.purposes import Purpose

PREFIX = "__Host-chain-tx-"
SEALED_BYTES = 2048


@dataclass(frozen=True, slots=True)
class OpState:
    """What the provider hands back: the transaction's id, and where it leads. ``at`` is when it began, in seconds."""

    id: str
    at: int
    chain: str
    app: str
    return_to: str
    prompt: str
    restarts: int = 0


@dataclass(frozen=True, slots=True)
class Transaction:
    """What only this browser has. ``left_ms`` is when it left for the provider."""

    id: str
    verifier: str
    nonce: str
    left_ms: int


class Transactions:
    """Begins them and finds them again."""

    def __init__(self, realm: Realm) -> None:
        """``realm`` seals."""
        self._realm = realm

    def new_id(self) -> str:
        """The id of a new transaction."""
        return b64e(self._realm.random(12))

    def state(self, state: OpState) -> str:
        """The ``state`` parameter."""
        return self._realm.seal(Purpose.OP_STATE, orjson.dumps(state))

    def read_state(self, text: str) -> OpState:
        """The opened ``state``; TokenRefused if it is not ours."""
        plain = self._realm.keyring().open(Purpose.OP_STATE, text, SEALED_BYTES, self._realm.now())
        return OpState(**orjson.loads(plain))

    def begin(self, visitor: Visitor, transaction: Transaction) -> tuple[Cookie, ...]:
        """The cookie of ``transaction``, and the end of the oldest where this browser has too many at once."""
        sealed = self._realm.seal(Purpose.TRANSACTION, orjson.dumps(transaction))
        cookie = Cookie(PREFIX + transaction.id, sealed, TRANSACTION_SECONDS)
        return (cookie, *(Cookie(name, "") for name in self._surplus(visitor)))

    def read(self, visitor: Visitor, state: OpState) -> Transaction | None:
        """The transaction of ``state`` in this browser; None if it is not there or its time is over."""
        text = visitor.cookies.get(PREFIX + state.id)
        transaction = self._open(text) if text else None
        if transaction is None or transaction.id != state.id:
            return None
        return transaction if self._realm.now() - state.at <= TRANSACTION_SECONDS else None

    @staticmethod
    def clear(state: OpState) -> Cookie:
        """Ends the cookie."""
        return Cookie(PREFIX + state.id, "")

    def _open(self, text: str) -> Transaction | None:
        try:
            plain = self._realm.keyring().open(Purpose.TRANSACTION, text, SEALED_BYTES, self._realm.now())
        except TokenRefused:
            return None
        return Transaction(**orjson.loads(plain))

    def _surplus(self, visitor: Visitor) -> Iterator[str]:
        """The names beyond the newest four, the oldest and those that cannot be opened first to go."""
        ages = []
        for name, text in visitor.cookies.items():
            if name.startswith(PREFIX):
                transaction = self._open(text)
                ages.append((transaction.left_ms if transaction else 0, name))
        ages.sort(reverse=True)
        return (name for _, name in ages[TRANSACTIONS - 1 :])
