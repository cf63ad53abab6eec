"""The decision records agree with what they are about."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DECISIONS = ROOT / "docs" / "decisions"


def declared() -> dict[str, str]:
    """Each requirement of setup.cfg with its floor."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    lines = config["options"]["install_requires"] + "".join(config["options.extras_require"].values())
    found = re.findall(r"^([a-z0-9-]+)(?:\[[a-z]+\])? +>=([0-9.]+)", lines, re.MULTILINE)
    names = [line.split()[0] for line in lines.splitlines() if line and not line.startswith("chain-gateway[")]
    assert sorted(names) == sorted(name for name, _ in found), "a requirement without a floor"
    return dict(found)


def test_every_dependency_is_explained_and_every_explained_one_is_declared():
    """The record of dependencies and setup.cfg name the same libraries with the same floors."""
    rows = re.findall(
        r"^\| ([a-z0-9-]+) \| ([0-9.]+) \|", (DECISIONS / "0001-dependencies.md").read_text(), re.MULTILINE
    )
    assert len(dict(rows)) == len(rows), "a library in two rows"
    assert dict(rows) == declared()


def test_the_index_names_every_record():
    """Each record is in the index, and nothing else is; numbers are used once."""
    records = sorted(path.name for path in DECISIONS.glob("[0-9]*.md"))
    index = re.findall(r"\]\((\d{4}-[a-z-]+\.md)\)", (DECISIONS / "README.md").read_text())
    assert sorted(index) == records
    assert len({name[:4] for name in records}) == len(records)
