"""The dashboard has the colours of the pages that people see, light and dark; neither package imports the other."""

from __future__ import annotations

import re
from pathlib import Path

import chain_gateway

PACKAGE = Path(chain_gateway.__file__).parent
ROOT_RULE = re.compile(r":root \{([^}]*)\}")


def colours(name: str) -> list[dict[str, str]]:
    """What each ``:root`` of a style sheet says, the light one first."""
    rules = ROOT_RULE.findall((PACKAGE / name).read_text("utf-8"))
    return [dict(re.findall(r"([\w-]+): ([^;]+);", rule)) for rule in rules]


def test_both_style_sheets_have_the_same_colours() -> None:
    """A colour that is changed for people is changed for operators in the same commit."""
    light, dark = colours("web/static/style.css")
    assert light.keys() - {"color-scheme"} == dark.keys()
    assert len(dark) == 10
    assert colours("ops/static/dashboard.css") == [light, dark]
