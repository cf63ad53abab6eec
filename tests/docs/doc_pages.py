"""Reading a page of the documentation: its headings, tables, fenced blocks and links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language, and what it holds."""

    language: str
    text: str


def page(name: str) -> str:
    """The text of a page by its path from the root."""
    return (ROOT / name).read_text()


def prose(text: str) -> str:
    """A page without its fenced blocks."""
    return _FENCE.sub("", text)


def blocks(text: str, *languages: str) -> list[Block]:
    """The fenced blocks of a page in these languages, all of them without one."""
    found = [Block(match[1], match[2]) for match in _FENCE.finditer(text)]
    return [block for block in found if not languages or block.language in languages]


def anchors(text: str) -> set[str]:
    """What the headings of a page can be linked by, as code hosts make it of their words."""
    found: set[str] = set()
    for match in _HEADING.finditer(prose(text)):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", match[2]).lower()
        slug = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        found.add(slug if slug not in found else f"{slug}-1")
    return found


def links(text: str) -> Iterator[str]:
    """Where a page's links and pictures lead."""
    for match in _LINK.finditer(prose(text)):
        yield match[1] or match[2]


def section(text: str, heading: str) -> str:
    """What stands under a heading, up to the next one of its kind or higher; AssertionError without it."""
    level = len(heading) - len(heading.lstrip("#"))
    start = text.index(f"{heading}\n") + len(heading)
    end = re.compile(rf"^#{{1,{level}}} ", re.MULTILINE).search(text, start)
    return text[start : end.start() if end else len(text)]


def table(text: str, head: str) -> list[list[str]]:
    """The rows of the table whose first column is called ``head``, each a list of cells."""
    lines = text.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(f"| {head} |"))
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def plain(cell: str) -> str:
    """A cell without its code marks."""
    return cell.replace("`", "")
