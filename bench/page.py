"""Tables in a page of Markdown, each between two marks, so that they can be written anew."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def put(path: Path, mark: str, lines: Sequence[str]) -> None:
    """Writes ``lines`` into the page at ``path`` in place of what stands at ``mark``; ValueError without the marks."""
    begin, end = f"<!-- {mark} -->\n", f"<!-- /{mark} -->"
    before, found, rest = path.read_text("utf-8").partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"{path} has no place marked {mark}")
    path.write_text("".join((before, begin, "\n", *(line + "\n" for line in lines), "\n", end, after)), "utf-8")
