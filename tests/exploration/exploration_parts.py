"""What an explored gateway stands on: its clock, its randomness, its store, and what it calls."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Hashable, ItemsView, Mapping

from chain_gateway.service import transactions
from chain_gateway.store.base import Advanced, StoredWalk
from chain_gateway.store.memory import MemoryStore
from chain_gateway.tokens.encoding import b64e

TRANSACTION = transactions.PREFIX


class Concerned(dict[str, str]):
    """Cookies of which only some may be looked at: those of ``names``, and those of a walk that begins just now."""

    def __init__(self, cookies: Mapping[str, str], names: frozenset[str], begun: list[StoredWalk]) -> None:
        super().__init__(cookies)
        self._names = names
        self._begun = begun

    def __contains__(self, name: object) -> bool:
        self._check(str(name))
        return super().__contains__(name)

    def get(self, name: str, default: str | None = None) -> str | None:
        self._check(name)
        return super().get(name, default)

    def _check(self, name: str) -> None:
        assert name in self._names or name.endswith(tuple(b64e(walk.id) for walk in self._begun)), f"looked at {name}"

    def items(self) -> ItemsView[str, str]:
        """Only transactions are counted, and only more than there are here would matter."""
        return {name: text for name, text in super().items() if name.startswith(TRANSACTION)}.items()


class Draws:
    """Random bytes that depend on nothing but where they are drawn, and how many were drawn there before."""

    def __init__(self) -> None:
        self._seed = b""
        self._count = 0

    def begin(self, *where: Hashable) -> None:
        """What is drawn from now on is drawn at ``where``."""
        self._seed, self._count = repr(where).encode(), 0

    def __call__(self, size: int) -> bytes:
        self._count += 1
        return hashlib.blake2b(self._seed, digest_size=size, salt=self._count.to_bytes(8)).digest()


class Clock:
    """The time that is being explored."""

    def __init__(self) -> None:
        self.now_ms = 0

    def __call__(self) -> float:
        return self.now_ms / 1000


class Watched:
    """A store, and which walks were written into it since it was last asked."""

    def __init__(self, store: MemoryStore) -> None:
        self.store = store
        self.begun: list[StoredWalk] = []
        self.stepped: list[StoredWalk] = []
        self.spent: list[bytes] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self.store, name)

    async def open_walk(self, walk: StoredWalk, *rest: object) -> None:
        await self.store.open_walk(walk, *rest)
        self.begun.append(walk)

    async def advance(self, walk: StoredWalk, spent: bytes, *rest: object) -> object:
        result = await self.store.advance(walk, spent, *rest)
        if isinstance(result, Advanced):
            self.stepped.append(walk)
            self.spent.append(spent)
        return result

    def forget(self) -> None:
        """Watches anew."""
        self.begun, self.stepped, self.spent = [], [], []


class Calls:
    """What the gateway asks of apps: they are up, and their answer to a logout token is whatever ``tell`` says."""

    def __init__(self) -> None:
        self.tell: Callable[[str, str], Awaitable[int]] | None = None

    async def ask(self, url: str) -> bool:  # noqa: ARG002 - the port's signature
        return True

    async def post(self, url: str, logout_token: str) -> int | None:
        assert self.tell is not None, "nobody is told anything now"
        return await self.tell(url, logout_token)
