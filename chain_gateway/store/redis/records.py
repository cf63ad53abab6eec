"""How walks, entries and browsers are written: what scripts compare in front, as text, and the rest behind it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import orjson

from chain_gateway.core.chain import AppId
from chain_gateway.core.ledger import Browser, Entry, Holding, OpRecord
from chain_gateway.store.base import Owed, StoredWalk

Text = str | bytes | int
_OPEN, _ENDED, _STOPPED = b"0", b"1", b"2"
_APP: Final = b"app:"


def walk_words(walk: StoredWalk, by: str) -> tuple[Text, ...]:
    """A walk as scripts take it; ``by`` is the call that writes it."""
    status = (_OPEN, _ENDED, _STOPPED)[walk.ended + 2 * walk.stopped]
    return (walk.epoch, status, walk.hop_deadline, walk.expires_at, walk.nonce.hex(), by, walk.state)


def read_walk(walk_id: bytes, record: bytes) -> StoredWalk:
    """The walk of a record; ``walk_id`` is raw."""
    browser, epoch, status, deadline, expires, nonce, _, state = record.split(b"|", 7)
    return StoredWalk(
        id=walk_id,
        browser=unhex(browser),
        epoch=int(epoch),
        nonce=unhex(nonce),
        state=state,
        hop_deadline=int(deadline),
        expires_at=int(expires),
        ended=status == _ENDED,
        stopped=status == _STOPPED,
    )


def read_walks(pairs: Sequence[bytes]) -> list[StoredWalk]:
    """The walks of ids and records by turns."""
    return [read_walk(unhex(name), record) for name, record in _in_pairs(pairs)]


def someone(ledger: Iterable[Entry]) -> int:
    """Whether entries tell that somebody was signed in."""
    return int(any(entry.of_somebody for entry in ledger))


def entry_words(ledger: Iterable[Entry]) -> list[Text]:
    """Entries as scripts take them, six words each."""
    words: list[Text] = []
    for each in ledger:
        rest = orjson.dumps([each.holding.value, each.sub, each.sid, each.auth_time])
        words += (each.app, each.epoch, int(each.holding is Holding.OWED), each.due, each.since, rest)
    return words


def read_entry(app: str, record: bytes) -> Entry:
    """The entry of a ledger's record."""
    epoch, _, since, rest = record.split(b"|", 3)
    holding, sub, sid, auth_time = orjson.loads(rest)
    return Entry(AppId(app), Holding(holding), int(epoch), int(since), sub, sid, auth_time)


def read_owed(pairs: Sequence[bytes]) -> list[Owed]:
    """Owed logouts of names and records by turns."""
    found = []
    for owing, record in _in_pairs(pairs):
        browser, _, app = owing.partition(b":")
        _, due, attempts, _, entry = record.split(b"|", 4)
        found.append(Owed(unhex(browser), read_entry(app.decode(), entry), int(attempts), int(due)))
    return found


def owing(browser: bytes, app: str) -> str:
    """What an owed logout is called in the queue."""
    return f"{browser.hex()}:{app}"


def read_browser(browser: bytes, pairs: Sequence[bytes]) -> Browser | None:
    """A browser of its fields and values by turns; None of none."""
    if not pairs:
        return None
    fields = dict(_in_pairs(pairs))
    ledger = {
        name.removeprefix(_APP).decode(): read_entry(name.removeprefix(_APP).decode(), record)
        for name, record in fields.items()
        if name.startswith(_APP)
    }
    op_session = None
    if b"sealed" in fields:
        op_session = OpRecord(fields[b"sealed"], fields[b"sub"].decode(), fields[b"sid"].decode())
    return Browser(
        browser,
        epoch=int(fields[b"epoch"]),
        signed_out_ms=int(fields.get(b"signed_out_ms", 0)),
        signed_out_epoch=int(fields.get(b"signed_out_epoch", 0)),
        op_session=op_session,
        ledger=ledger,
        whole=fields[b"whole"] == b"1",
    )


def unhex(text: bytes) -> bytes:
    """Raw bytes of hexadecimal ones."""
    return bytes.fromhex(text.decode())


def _in_pairs(flat: Sequence[bytes]) -> Iterable[tuple[bytes, bytes]]:
    return zip(flat[::2], flat[1::2], strict=True)
