"""The audit log's own file: one JSON object a line, appended by any number of processes, and never in anybody's way.

Each line is one ``write`` to a file that is opened to append, so lines of several processes do not mix. Whose turn it
is looks whether the line before has its end, which a full disk may have cut for any of them. Whoever rotates the file
may just rename it: the name is looked at before each line, and a new file is begun when it leads elsewhere. What cannot
be written is counted and told in the log, once a minute at most.
"""

from __future__ import annotations

import fcntl
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import orjson
import structlog

from chain_gateway.errors import ConfigError, Problem, passes
from chain_gateway.service.audit import Sink, into_log

LINE_BYTES: Final = 32 * 1024
"""The longest line; an event with more says ``cut`` and leaves its lists out."""
QUIET_SECONDS: Final = 60.0
"""How often it is told that lines are lost."""
PAUSES: Final = (0.0, 0.0, 0.001, 0.002, 0.004)
"""Seconds between two tries for the file, which others have for as long as one line takes."""
_HOW: Final = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
log = structlog.stdlib.get_logger("chain_gateway")


class AuditFile:
    """A ``service.audit.Sink`` that appends to the file at ``path``."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        """Opens it, for its owner alone if it is new; OSError if that cannot be done."""
        self._path = path
        self._clock = clock
        self._lost = 0
        self._told_at = -QUIET_SECONDS
        self._file: int | None = self._opened()

    def __call__(self, event: str, **fields: object) -> None:
        """Writes one line; see ``Sink``."""
        when = datetime.fromtimestamp(self._clock(), UTC).isoformat().replace("+00:00", "Z")
        head = {"event": event, "timestamp": when}
        line = orjson.dumps(head | fields, default=str, option=orjson.OPT_APPEND_NEWLINE)
        if len(line) > LINE_BYTES:
            short = {name: value for name, value in fields.items() if not isinstance(value, dict | list | tuple)}
            line = orjson.dumps(head | short | {"cut": True}, default=str, option=orjson.OPT_APPEND_NEWLINE)
        try:
            self._write(line)
        except OSError as error:
            self._fail(error.strerror or type(error).__name__)

    def close(self) -> None:
        """Lets go of the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _write(self, line: bytes) -> None:
        if self._file is None or not self._is_there(self._file):
            self.close()
            self._file = self._opened()
        with _turn(self._file):
            text = b"\n" + line if _is_cut(self._file) else line  # what a full disk has cut stays a line of its own
            written = os.write(self._file, text)
        if written < len(text):
            raise OSError(0, "the line was cut")

    def _is_there(self, file: int) -> bool:
        """Whether the name still leads to ``file``."""
        with suppress(OSError):
            return os.path.samestat(os.stat(self._path), os.fstat(file))  # noqa: PTH116 - beside a descriptor's
        return False

    def _opened(self) -> int:
        try:
            file = os.open(self._path, _HOW | os.O_EXCL, 0o600)
        except FileExistsError:
            file = os.open(self._path, _HOW, 0o600)
        else:
            _give_to_owner(file, self._path.parent)
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode):
            os.close(file)
            raise OSError(0, "this is not a file")
        if is_open(found.st_mode):  # whoever made it may want that, so it stays as it is
            log.warning("audit.open_to_others", mode=f"{stat.S_IMODE(found.st_mode):o}")
        return file

    def _fail(self, reason: str) -> None:
        self._lost += 1
        if self._clock() - self._told_at >= QUIET_SECONDS:
            log.error("audit.not_written", reason=reason, lost=self._lost)
            self._told_at, self._lost = self._clock(), 0


def is_open(mode: int) -> bool:
    """Whether a file of that mode is more than its owner's to write, or than its owner's and a group's to read."""
    return bool(mode & (stat.S_IRWXO | stat.S_IWGRP))


@contextmanager
def _turn(file: int) -> Iterator[None]:
    """One process at a time looks at the end of the file and writes; nobody waits long for one that has stopped."""
    for pause in PAUSES:
        with suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        time.sleep(pause)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)


def _is_cut(file: int) -> bool:
    """Whether the last line has no end, whoever wrote it."""
    size = os.fstat(file).st_size
    return size > 0 and os.pread(file, 1, size - 1) != b"\n"


def _give_to_owner(file: int, folder: Path) -> None:
    """Gives a new file to whom its folder belongs: what a command of root's begins is the gateway's too."""
    if os.geteuid() == 0:
        owner = folder.stat()
        with suppress(PermissionError):
            os.fchown(file, owner.st_uid, owner.st_gid)


@contextmanager
def sink_at(path: Path | None) -> Iterator[Sink]:
    """The sink that a configuration names: the log where it names no file; ConfigError if that cannot be opened."""
    if path is None:
        yield into_log
        return
    try:
        file = AuditFile(path)
    except OSError as error:
        reason = f"{path} cannot be opened: {(error.strerror or 'unknown error').lower()}"
        hint = "let the gateway's user write there, or name another file"
        raise ConfigError((Problem("gateway.audit_log", reason, hint, passes(error)),)) from error
    try:
        yield file
    finally:
        file.close()
