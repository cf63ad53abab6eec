"""What is kept of one browser."""

from __future__ import annotations

from dataclasses import dataclass, field

from chain_gateway.core.ledger import Browser, Entry, OpRecord
from chain_gateway.core.limits import BROWSER_SECONDS, NOBODY_SECONDS


@dataclass(slots=True)
class Known:
    """One browser: ``walks`` are the ids of its open ones, ``op_epoch`` is when ``op`` was set or cleared.

    ``someone`` is whether anybody ever signed in with it.
    """

    epoch: int
    signed_out_ms: int = 0
    signed_out_epoch: int = 0
    op: OpRecord | None = None
    op_epoch: int = -1
    ledger: dict[str, Entry] = field(default_factory=dict)
    walks: tuple[bytes, ...] = ()
    someone: bool = False

    def kept_until(self, now: int) -> int:
        """The last second for which it is kept, as far as is known now."""
        if self.someone:
            return self.epoch // 1000 + BROWSER_SECONDS
        last = self.epoch // 1000 + NOBODY_SECONDS
        return max(last, now) if self.walks else last

    def next_epoch(self, now_ms: int, *, logout: bool) -> int:
        """Takes an epoch; see ``Walks.take_epoch``."""
        self.epoch = max(self.epoch + 1, now_ms)
        if logout:
            self.signed_out_ms = max(self.signed_out_ms, now_ms)
            self.signed_out_epoch = self.epoch
        return self.epoch

    def takes(self, epoch: int) -> bool:
        """Whether an ``op_session`` of this epoch takes the place of what stands; what was cleared stays so."""
        return epoch > self.op_epoch or (epoch == self.op_epoch and self.op is not None)

    def as_browser(self, browser: bytes) -> Browser:
        """The same as a value, which later changes leave alone."""
        return Browser(
            browser, self.epoch, self.signed_out_ms, self.signed_out_epoch, self.op, ledger=dict(self.ledger)
        )
