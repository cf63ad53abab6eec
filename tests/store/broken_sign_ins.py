"""Stores that break the promise about sign-ins, each with the cases that must notice."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from chain_gateway.core.ledger import Entry, OpRecord
from chain_gateway.store.base import StoredWalk
from chain_gateway.store.memory import MemoryStore
from chain_gateway.store.memory.sign_ins import SignIns


class LateSignInWins(MemoryStore):
    """Lets a walk that is opened late replace what a newer one knows of the provider's session."""

    async def open_walk(self, walk: StoredWalk, ledger: Sequence[Entry], op_session: OpRecord | None) -> None:
        await super().open_walk(walk, ledger, op_session)
        if op_session is not None:
            self._browsers[walk.browser].op = op_session


class LateWordsLead(MemoryStore):
    """Finds a browser by words that came too late to be kept."""

    async def open_walk(self, walk: StoredWalk, ledger: Sequence[Entry], op_session: OpRecord | None) -> None:
        await super().open_walk(walk, ledger, op_session)
        if op_session is not None and self._browsers[walk.browser].op != op_session:
            self._sign_ins.put(walk.browser, None, op_session)


class NoneForgets(MemoryStore):
    """Forgets the sign-in when a walk brings none."""

    async def open_walk(self, walk: StoredWalk, ledger: Sequence[Entry], op_session: OpRecord | None) -> None:
        await super().open_walk(walk, ledger, op_session)
        if op_session is None:
            self._browsers[walk.browser].op = None


class EmptySignInIgnored(MemoryStore):
    """Takes an empty record for none."""

    async def open_walk(self, walk: StoredWalk, ledger: Sequence[Entry], op_session: OpRecord | None) -> None:
        await super().open_walk(walk, ledger, op_session if op_session and op_session.sealed else None)


class SessionAlone(MemoryStore):
    """Does not compare the person where there is a session."""

    async def browsers_of(self, sub: str, sid: str) -> list[bytes]:
        return await super().browsers_of("" if sid else sub, sid)


class PersonAlone(MemoryStore):
    """Does not look at the session where there is a person."""

    async def browsers_of(self, sub: str, sid: str) -> list[bytes]:
        return await super().browsers_of(sub, "" if sub else sid)


class PersonsWithASessionAlone(MemoryStore):
    """Does not find a sign-in to which the provider gave no ``sid``."""

    async def browsers_of(self, sub: str, sid: str) -> list[bytes]:
        found = [(browser, self._browsers[browser].op) for browser in await super().browsers_of(sub, sid)]
        return [browser for browser, record in found if record is not None and record.sid]


class EmptyWordsLead(MemoryStore):
    """Finds records without words by no words."""

    async def browsers_of(self, sub: str, sid: str) -> list[bytes]:  # noqa: ARG002
        return [browser for browser, known in self._browsers.items() if known.op and sid in {"", known.op.sid}]


class ClearsWhateverStands(MemoryStore):
    """Forgets a sign-in that came after the logout."""

    async def clear_op(self, browser: bytes, epoch: int) -> None:
        known = self._browsers.get(browser)
        await super().clear_op(browser, max(epoch, known.op_epoch) if known else epoch)


class NeverClears(MemoryStore):
    """Keeps a sign-in that a logout has ended."""

    async def clear_op(self, browser: bytes, epoch: int) -> None:
        pass


class ClearedStillFound(MemoryStore):
    """Forgets a sign-in and not its words."""

    async def clear_op(self, browser: bytes, epoch: int) -> None:
        known = self._browsers.get(browser)
        before = known.op if known else None
        await super().clear_op(browser, epoch)
        self._sign_ins.put(browser, None, before)


class ClearedComesBack(MemoryStore):
    """Deletes the row, and with it the epoch that it was cleared at."""

    async def clear_op(self, browser: bytes, epoch: int) -> None:
        await super().clear_op(browser, epoch)
        known = self._browsers.get(browser)
        if known is not None and known.op is None:
            known.op_epoch = -1


class ClearedGoesBack(MemoryStore):
    """Remembers the last logout that came in, and not the newest."""

    async def clear_op(self, browser: bytes, epoch: int) -> None:
        await super().clear_op(browser, epoch)
        known = self._browsers.get(browser)
        if known is not None and known.op is None:
            known.op_epoch = epoch


class ClearedForGood(MemoryStore):
    """Takes no sign-in after a logout."""

    async def clear_op(self, browser: bytes, epoch: int) -> None:
        await super().clear_op(browser, epoch)
        if browser in self._browsers:
            self._browsers[browser].op_epoch = 2**60


class ClearKeepsTheEpoch(MemoryStore):
    """Lets a logout's epoch be taken again."""

    async def clear_op(self, browser: bytes, epoch: int) -> None:
        known = self._browsers.get(browser)
        before = known.epoch if known else 0
        await super().clear_op(browser, epoch)
        if known is not None:
            known.epoch = before


class ClearRemembersStrangers(MemoryStore):
    """Writes something down of a browser that nobody knows."""

    async def clear_op(self, browser: bytes, epoch: int) -> None:
        self._known(browser, epoch)
        await super().clear_op(browser, epoch)


class SignInComparedThenWritten(MemoryStore):
    """Lets others run between comparing epochs and replacing the record."""

    async def open_walk(self, walk: StoredWalk, ledger: Sequence[Entry], op_session: OpRecord | None) -> None:
        known = self._known(walk.browser, walk.epoch)
        taken = op_session is not None and known.takes(walk.epoch)
        await asyncio.sleep(0)
        if taken:
            known.op_epoch = walk.epoch - 1
        await super().open_walk(walk, ledger, op_session)


class ClearComparedThenWritten(MemoryStore):
    """Lets others run between comparing epochs and forgetting the record."""

    async def clear_op(self, browser: bytes, epoch: int) -> None:
        known = self._browsers.get(browser)
        cleared = known is None or epoch >= known.op_epoch
        await asyncio.sleep(0)
        if cleared:
            known = self._known(browser, 0)
            await super().clear_op(browser, max(epoch, known.op_epoch))


class OldWordsLead(SignIns):
    """Finds a browser by words that were replaced."""

    def put(self, browser: bytes, old: OpRecord | None, new: OpRecord | None) -> None:  # noqa: ARG002
        super().put(browser, None, new)


class NotIndexedBySession(SignIns):
    """Knows no ``sid``."""

    def put(self, browser: bytes, old: OpRecord | None, new: OpRecord | None) -> None:
        super().put(browser, old and replace(old, sid=""), new and replace(new, sid=""))


def indexed_by(index: type[SignIns]) -> type[MemoryStore]:
    """A store of that index, and of its name."""

    class Indexed(MemoryStore):
        def __init__(self) -> None:
            super().__init__()
            self._sign_ins = index()

    Indexed.__name__ = index.__name__
    return Indexed


BROKEN: list[tuple[type[MemoryStore], str]] = [
    (NoneForgets, "sign_ins.are_kept_until_the_next"),
    (EmptySignInIgnored, "sign_ins.are_kept_until_the_next"),
    (LateSignInWins, "sign_ins.are_not_replaced_by_older_ones"),
    (LateWordsLead, "sign_ins.are_not_replaced_by_older_ones"),
    (SessionAlone, "sign_ins.are_found_by_session"),
    (PersonAlone, "sign_ins.are_found_by_session"),
    (indexed_by(NotIndexedBySession), "sign_ins.are_found_by_session"),
    (PersonsWithASessionAlone, "sign_ins.are_found_by_person"),
    (EmptyWordsLead, "sign_ins.are_found_by_person"),
    (EmptyWordsLead, "sign_ins.are_not_found_by_nothing"),
    (indexed_by(OldWordsLead), "sign_ins.are_found_by_their_last_words"),
    (ClearsWhateverStands, "sign_ins.are_forgotten_after_a_logout"),
    (NeverClears, "sign_ins.are_forgotten_after_a_logout"),
    (ClearedStillFound, "sign_ins.are_forgotten_after_a_logout"),
    (ClearedComesBack, "sign_ins.are_not_revived"),
    (ClearedGoesBack, "sign_ins.are_not_revived"),
    (ClearedForGood, "sign_ins.are_not_revived"),
    (ClearKeepsTheEpoch, "sign_ins.leave_epochs_rising"),
    (ClearRemembersStrangers, "sign_ins.leave_epochs_rising"),
    (SignInComparedThenWritten, "sign_ins.agree_in_a_race"),
    (ClearComparedThenWritten, "sign_ins.agree_in_a_race"),
    (indexed_by(OldWordsLead), "sign_ins.go_with_their_browser"),
]
