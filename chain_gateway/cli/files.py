"""The configuration and the keys as files: read together, and looked at for changes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from chain_gateway.cli import keys
from chain_gateway.config.load import load
from chain_gateway.config.model import Settings
from chain_gateway.tokens.keyring import Keyring


class Files:
    """The configuration at ``path``, and the file of keys that it names."""

    def __init__(self, path: Path) -> None:
        """Nothing is read before ``read``."""
        self.path = path
        self._files: tuple[Path, ...] = (path,)
        self._taken = self._seen = _looks(self._files)

    def read(self) -> tuple[Settings, Keyring]:
        """What the files say; ConfigError with all that is wrong with them.

        How they look is noted before, so that what changes meanwhile is read again.
        """
        self._taken = _looks(self._files)
        settings = load(self.path)
        self._files = (self.path, settings.gateway.keys)
        self._taken = (self._taken[0], *_looks(self._files[1:]))
        return settings, keys.load(settings.gateway.keys)

    def have_changed(self) -> bool:
        """Whether they are others than were read, and still as at the last look: whoever writes may not be done.

        True once for each change.
        """
        before, self._seen = self._seen, _looks(self._files)
        if self._seen != before or self._seen == self._taken:
            return False
        self._taken = self._seen
        return True


def _looks(files: Sequence[Path]) -> tuple[tuple[int, int, int] | None, ...]:
    """What tells that a file is another one than before; None for one that is not there."""
    found: list[tuple[int, int, int] | None] = []
    for file in files:
        look = None
        with suppress(OSError):
            stat = file.stat()
            # The time of the last change of any kind: also whoever may read a file makes it another one.
            look = (stat.st_ctime_ns, stat.st_size, stat.st_ino)
        found.append(look)
    return tuple(found)
