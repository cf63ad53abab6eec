"""Reads the files of tests/attacks: one payload a line, in ASCII, with the escapes that return_to.txt explains."""

from __future__ import annotations

import re
from pathlib import Path

ATTACKS = Path(__file__).parent.parent / "attacks"
_NAMED = {"\\": "\\", "t": "\t", "n": "\n", "r": "\r", "f": "\f", "v": "\v", "s": " ", "e": ""}
_ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|([\\tnrfvse])|(.?))")


def unescape(line: str) -> str:
    """The payload that ``line`` stands for; ValueError at an escape that does not exist."""

    def plain(match: re.Match[str]) -> str:
        short, medium, long, named, unknown = match.groups()
        if unknown is not None:
            raise ValueError(f"no such escape in {line!r}")
        return _NAMED[named] if named else chr(int(short or medium or long, 16))

    return _ESCAPE.sub(plain, line)


def numbered(name: str) -> dict[str, str]:
    """The payloads of ``tests/attacks/NAME.txt`` by their line, e.g. ``line 42``: a name for a test case."""
    lines = enumerate((ATTACKS / f"{name}.txt").read_text(encoding="ascii").splitlines(), 1)
    return {f"line {number}": unescape(line) for number, line in lines if line and not line.startswith("#")}


def payloads(name: str) -> list[str]:
    """The payloads of ``tests/attacks/NAME.txt``, in order."""
    return list(numbered(name).values())
