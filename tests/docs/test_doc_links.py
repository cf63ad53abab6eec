"""Links of the documentation lead somewhere: files are there, headings have the names that are linked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from doc_pages import ROOT, anchors, links

PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")), ROOT / "chain_configs" / "README.md"]


def broken(path: Path, text: str) -> list[str]:
    """The links in ``text``, a page at ``path``, that lead nowhere."""
    found = []
    for link in links(text):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        is_there = target.is_relative_to(ROOT) and target.exists()
        if not is_there or (anchor and anchor not in anchors(text if target == path else target.read_text())):
            found.append(link)
    return found


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(path):
    """To a file of the project, and to a heading of it where one is named."""
    assert broken(path, path.read_text()) == []


def test_a_broken_link_is_found():
    """A file that is not there, a heading that is not there, and what lies outside of the project."""
    sample = ROOT / "docs" / "a-page-that-is-never-written.md"
    text = "[a](no-such.md) [b](protocol.md#no-such) [c](protocol.md#1-words) ![d](images/walk.svg) [e](../../else.md)"
    assert broken(sample, text) == ["no-such.md", "protocol.md#no-such", "../../else.md"]


def test_every_page_can_be_reached():
    """From the README, by links alone."""
    seen: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        for link in links(path.read_text()):
            target = (path.parent / link.partition("#")[0]).resolve()
            if not re.match(r"[a-z]+:", link) and target.suffix == ".md" and target.is_file():
                waiting.append(target)
    assert set(PAGES) <= seen
