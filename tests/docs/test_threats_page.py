"""docs/threats.md: what is said to be defended is shown to be, and what is switched off is explained."""

from __future__ import annotations

import re
import tomllib

import pytest
from doc_pages import ROOT, page, section

PAGE = page("docs/threats.md")
BY_HAND = PAGE[: PAGE.index("## What is not defended")]
ROWS = {match[1]: match[2] for match in re.finditer(r"^\| ([TFI]\d+) \| (.*) \|$", BY_HAND, re.MULTILINE)}


def switched_off() -> set[str]:
    """The ids of threats, faults and invariants that some mutation is about."""
    rows = [
        row["id"]
        for path in (ROOT / "tests" / "mutations").glob("*.toml")
        for row in tomllib.loads(path.read_text())["mutation"]
    ]
    return {match[0] for each in rows if (match := re.match(r"[TFI]\d+", each))}


def test_every_threat_with_a_mutation_is_explained():
    """Whoever reads an id finds what it is."""
    assert switched_off() <= ROWS.keys()


@pytest.mark.parametrize("threat", sorted(ROWS))
def test_every_threat_is_shown_to_be_defended(threat):
    """By a mutation, or by a test or record that its own row leads to."""
    assert threat in switched_off() or re.search(r"\]\([^)]+\)", ROWS[threat])


def test_every_threat_has_one_row():
    """An id stands for one thing."""
    ids = re.findall(r"^\| ([TFI]\d+) \|", BY_HAND, re.MULTILINE)
    assert len(ids) == len(set(ids))


def test_what_is_left_out_is_named():
    """From the first threat to the last, none is passed over: what is not defended or not there is said so."""
    left_out = section(PAGE, "## What is not defended")
    for number in range(1, 64):
        threat = f"T{number:02}"
        assert (threat in ROWS) != (re.search(rf"\b{threat}\b", left_out) is not None), threat
