"""All that the embedded provider remembers, in memory and bounded."""

from __future__ import annotations

import base64
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from chain_gateway.demo.op.keys import OpKeys
from chain_gateway.demo.op.model import Access, Account, Dialect, Grant, OpClient, Session

CODE_SECONDS = 60
ACCESS_SECONDS = 3600
SESSION_SECONDS = 8 * 3600
ENTRIES = 4096

T = TypeVar("T")


class Shelf(Generic[T]):
    """Values by name, each for ``life`` seconds, at most ``entries`` of them: the oldest goes first."""

    def __init__(self, life: int, entries: int = ENTRIES) -> None:
        """Starts empty."""
        self._life = life
        self._entries = entries
        self._items: OrderedDict[str, tuple[float, T]] = OrderedDict()

    def put(self, name: str, value: T, now: float) -> None:
        """Keeps ``value`` from ``now`` on (seconds)."""
        self._items[name] = (now + self._life, value)
        while len(self._items) > self._entries:
            self._items.popitem(last=False)

    def get(self, name: str, now: float) -> T | None:
        """The value, or None if it is unknown or past its life."""
        until, value = self._items.get(name, (0.0, None))
        return value if now < until else None

    def take(self, name: str, now: float) -> T | None:
        """The value as ``get`` gives it; it is not there a second time."""
        value = self.get(name, now)
        self._items.pop(name, None)
        return value

    def clear(self) -> None:
        """Forgets everything."""
        self._items.clear()

    def __len__(self) -> int:
        """How many entries are kept, the ones past their life included."""
        return len(self._items)


class OpState:
    """The provider's configuration and memory, as its endpoints share them."""

    def __init__(
        self,
        issuer: str,
        clients: Iterable[OpClient],
        accounts: Iterable[Account],
        keys: OpKeys,
        dialect: Dialect,
        clock: Callable[[], float],
        random: Callable[[int], bytes],
    ) -> None:
        """``issuer`` is the origin; the Auth0 dialect's ``iss`` gets the slash that Auth0 appends."""
        self.base = issuer.rstrip("/")
        self.issuer = self.base + "/" if dialect is Dialect.AUTH0 else self.base
        self.clients = {client.client_id: client for client in clients}
        self.accounts = {account.sub: account for account in accounts}
        self.keys = keys
        self.dialect = dialect
        self.clock = clock
        self._random = random
        self.sessions: Shelf[Session] = Shelf(SESSION_SECONDS)
        self.grants: Shelf[Grant] = Shelf(CODE_SECONDS)
        self.spent: Shelf[str] = Shelf(CODE_SECONDS)
        self.access: Shelf[Access] = Shelf(ACCESS_SECONDS)
        self._used: Shelf[frozenset[str]] = Shelf(SESSION_SECONDS)

    def name(self) -> str:
        """A name that nobody can guess: 22 characters of base64url."""
        return base64.urlsafe_b64encode(self._random(16)).rstrip(b"=").decode()

    def account(self, hint: str) -> Account | None:
        """The account whose username, subject or address ``hint`` is."""
        found = (a for a in self.accounts.values() if hint in {a.username, a.sub, a.email})
        return next(found, None)

    def used(self, session: Session, client_id: str) -> None:
        """Remembers that a client was given a code of ``session``."""
        self._used.put(session.id, self.clients_of(session) | {client_id}, self.clock())

    def clients_of(self, session: Session) -> frozenset[str]:
        """The clients at which ``session`` was used."""
        return self._used.get(session.id, self.clock()) or frozenset()

    def sign_in(self, account: Account, old: str) -> Session:
        """A new session under a new name; the one named ``old``, which this browser showed, is over."""
        now = self.clock()
        self.sessions.take(old, now)
        session = Session(self.name(), account.sub, self.name(), int(now))
        self.sessions.put(session.id, session, now)
        return session
