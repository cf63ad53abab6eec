"""The dashboard has the colours of the pages that people see, light and dark; neither package imports the other."""

from __future__ import annotations

import re
from pathlib import Path

import chain_gateway
from chain_gateway.ops.screens import Screens
from chain_gateway.web.pages import Pages

PACKAGE = Path(chain_gateway.__file__).parent
ROOT_RULE = re.compile(r":root \{([^}]*)\}")


def without_space(text: str) -> str:
    """A rule as a page may have it."""
    return re.sub(r"\s", "", text).removesuffix(";")


def test_both_style_sheets_begin_with_the_same_colours() -> None:
    """They stand in one file, and in no other."""
    light, dark = ROOT_RULE.findall((PACKAGE / "colours.css").read_text("utf-8"))
    assert light.count("--") == dark.count("--") == 10
    people = Pages("Example ID", "https://login.example", None, None).environment.globals["style"].text
    operators = Screens("Example ID").style().text
    for style in (people, operators):
        assert without_space(style).count("--accent:#") == 2
        for rule in (light, dark):
            assert without_space(rule) in without_space(style)
