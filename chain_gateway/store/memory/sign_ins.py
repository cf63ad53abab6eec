"""Which browsers the provider's words lead to."""

from __future__ import annotations

from dataclasses import dataclass, field

from chain_gateway.core.ledger import OpRecord


@dataclass(slots=True)
class SignIns:
    """Two indexes, by session and by person, of the records that stand."""

    _by_sid: dict[str, dict[bytes, OpRecord]] = field(default_factory=dict)
    _by_sub: dict[str, dict[bytes, OpRecord]] = field(default_factory=dict)

    def __len__(self) -> int:
        """How many words lead somewhere."""
        return len(self._by_sid) + len(self._by_sub)

    def put(self, browser: bytes, old: OpRecord | None, new: OpRecord | None) -> None:
        """``new`` stands for ``browser`` in place of ``old``."""
        if old is not None:
            _remove(self._by_sid, old.sid, browser)
            _remove(self._by_sub, old.sub, browser)
        if new is not None:
            self._by_sid.setdefault(new.sid, {})[browser] = new
            self._by_sub.setdefault(new.sub, {})[browser] = new

    def clear(self) -> None:
        """Forgets all."""
        self._by_sid.clear()
        self._by_sub.clear()

    def find(self, sub: str, sid: str) -> list[bytes]:
        """See ``SignIns.browsers_of`` of ``store.base``."""
        if sid:
            found = self._by_sid.get(sid, {})
            return [browser for browser, record in found.items() if sub in {"", record.sub}]
        return list(self._by_sub.get(sub, {})) if sub else []


def _remove(index: dict[str, dict[bytes, OpRecord]], word: str, browser: bytes) -> None:
    index[word].pop(browser)
    if not index[word]:
        del index[word]
