"""docs/architecture.md names the layers that are law, every room of the house, and every place of the machine."""

from __future__ import annotations

import configparser
import re

from doc_pages import ROOT, blocks, page, plain, section, table

from chain_gateway.core.walk import Place

PAGE = page("docs/architecture.md")
PACKAGE = ROOT / "chain_gateway"


def test_the_layers_are_those_of_the_contract():
    """The page draws what import-linter holds."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    contract = config["importlinter:contract:layers"]["layers"].replace("chain_gateway.", "").split("\n")
    drawn = blocks(section(PAGE, "## The layers"), "text")[0].text.splitlines()
    assert drawn == [line for line in contract if line]


def test_every_room_is_in_the_table():
    """Each package, and each module that lies beside them; nothing that is not there."""
    named = {re.search(r"`([\w.]+)`", row[0])[1] for row in table(PAGE, "room")}
    packages = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    modules = {path.name for path in PACKAGE.glob("*.py")} - {"__init__.py"}
    assert named == packages | modules


def test_every_place_is_explained():
    """The table of places is the machine's."""
    named = [plain(row[0]) for row in table(PAGE, "place")]
    assert named == [place.name for place in Place]


def test_files_that_the_page_names_are_there():
    """Also where they are not links."""
    for name in re.findall(r"`((?:[a-z_]+/)+[a-z_]+\.py)`", PAGE):
        assert (PACKAGE / name).is_file() or (ROOT / name).is_file(), name
