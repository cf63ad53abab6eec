"""What is made of the source on a page is what the source makes now; whoever changes one changes both."""

from __future__ import annotations

import sys
from pathlib import Path

import doc_blocks
import doc_source
import pytest

from chain_gateway.errors import ChainGatewayError

ROOT = Path(__file__).parents[2]
PAGES = doc_blocks.pages()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_made_part_is_what_the_source_makes(page):
    """Where the two differ, the command below writes the page anew."""
    text = page.read_text()
    assert text == doc_blocks.written(text), "run: python tests/docs/doc_blocks.py"


def test_every_part_is_on_one_page():
    """No part is made for nobody, and none stands twice."""
    found = [part["name"] for page in PAGES for part in doc_blocks.MADE.finditer(page.read_text())]
    assert sorted(found) == sorted(doc_blocks.BLOCKS)


def test_every_mark_is_half_of_a_pair():
    """A mark without its other half would leave a part to grow old."""
    for page in PAGES:
        text = page.read_text()
        assert text.count("<!-- made: ") == text.count("<!-- end: ") == len(doc_blocks.MADE.findall(text)), page


def test_a_part_that_has_grown_old_is_written_anew():
    """Whatever stands between the marks goes; what surrounds them stays."""
    old = "Before.\n<!-- made: plan-login -->\nof yesterday\n<!-- end: plan-login -->\nAfter.\n"
    new = doc_blocks.written(old)
    assert new.startswith("Before.\n<!-- made: plan-login -->\n\n|  | the app is | because |")
    assert new.endswith(" |\n\n<!-- end: plan-login -->\nAfter.\n")
    assert doc_blocks.written(new) == new


def test_the_tree_is_complete():
    """Every class of refusal is found, those of the SDK too."""
    named = {kind.__name__ for kind in doc_source.refusals()}
    assert {"ChainGatewayError", "BodyTooLong", "ConfigError", "ForeignOrigin", "KeysUnavailable"} <= named
    assert all(issubclass(kind, ChainGatewayError) for kind in doc_source.refusals())


def test_the_tree_drawn_in_the_docstring_is_the_tree():
    """The picture at the top of errors.py names each class that the module defines."""
    module = sys.modules[ChainGatewayError.__module__]
    defined = {kind.__name__ for kind in doc_source.refusals() if kind.__module__ == module.__name__}
    drawn = {line.split("──")[1].split()[0] for line in (module.__doc__ or "").splitlines() if "── " in line}
    assert drawn == defined - {"ChainGatewayError"}


def test_every_code_says_when():
    """A code that nobody explains helps nobody; and the same code stands for one status."""
    for code, said in doc_source.codes().items():
        assert said, code
        assert all(text.strip("… :") for text in said), code
