"""docs/recovery.md says what the code does: its numbers, its words, its commands, and what the ledger then holds."""

from __future__ import annotations

import importlib
import re

import pytest
import typer.main
from doc_pages import ROOT, page, plain, section, table

from chain_gateway.cli.walks_commands import frame
from chain_gateway.config.apps import AppSettings
from chain_gateway.core import rules
from chain_gateway.core.limits import RETRIES
from chain_gateway.core.recovery import OPENS_AFTER, next_delivery
from chain_gateway.core.walk import Kind, Outcome
from chain_gateway.demo.faults import Kind as Fault
from chain_gateway.service import health, lanes, loops, notes
from chain_gateway.web.words import OUTCOMES

PAGE = page("docs/recovery.md")
OUTCOME_ROWS = {plain(row[0]): row for row in table(PAGE, "outcome")}
UNITS = {"s": 1, "min": 60, "h": 3600}


def seconds(cell: str) -> int:
    """How many seconds ``15 min`` are."""
    number, unit = cell.split()
    return int(number) * UNITS[unit]


def source(*names: str) -> str:
    """The text of files of the package."""
    return "".join((ROOT / "chain_gateway" / name).read_text() for name in names)


def test_each_deadline_is_that_of_the_code():
    """The constant that stands beside a number has it."""
    rows = [row for row in table(PAGE, "what") if row[2]]
    assert len(rows) == 12
    for what, after, name, _ in rows:
        module, _, constant = plain(name).rpartition(".")
        assert seconds(after) == getattr(importlib.import_module(f"chain_gateway.{module}"), constant), what


def test_a_hop_is_made_again_as_often_as_the_page_says():
    """By itself, and at the most."""
    least = AppSettings.model_fields["retries"].default
    sentence = (
        f"A hop is made again {least} time unless `retries` says otherwise, and never more often than {RETRIES} times."
    )
    assert sentence in PAGE


def test_every_outcome_is_there():
    """But for that of a hop that was not made yet."""
    assert OUTCOME_ROWS.keys() == {outcome.word for outcome in Outcome if outcome is not Outcome.PENDING}


@pytest.mark.parametrize("outcome", [each for each in Outcome if each is not Outcome.PENDING])
def test_an_outcome_is_told_and_noted_as_its_row_says(outcome):
    """What the person reads, whether the hop is made again, and what the ledger holds."""
    _, signing_in, signing_out, again, *holdings = OUTCOME_ROWS[outcome.word]
    assert [signing_in, signing_out] == [OUTCOMES[kind][outcome].text for kind in Kind]
    helps = outcome.failed and outcome not in rules.NOT_TRIED_AGAIN and outcome is not Outcome.GONE
    assert again == ("a login" if outcome is Outcome.ABSENT else "yes" if helps else "no")
    after = [notes.AFTER.get((kind, outcome), notes.OTHERWISE[kind]) for kind in Kind]
    assert [plain(cell) for cell in holdings] == [known.value if known else "as it was" for known in after]


def test_the_back_channel_keeps_the_pauses_of_the_table():
    """From the least to the most that chance can draw; the last line stays."""
    rows = table(PAGE, "after try")
    for number, span in enumerate(row[1] for row in rows):
        least, most = (int(part.removesuffix(" s")) for part in span.split(" to "))
        assert (next_delivery(number, 0, 0.0), next_delivery(number, 0, 1 - 2**-32)) == (least, most), number
    assert [row[0] for row in rows] == [str(number) for number in range(1, len(rows) + 1)]
    last = len(rows) - 1
    assert next_delivery(last, 0, 0.5) == next_delivery(last + 1, 0, 0.5) == next_delivery(1000, 0, 0.5)


@pytest.mark.parametrize(
    "sentence",
    [
        f"At most {lanes.IN_ALL} tokens are on their way at once, and {lanes.PER_APP} to one app.",
        f"after a pause of {lanes.LONGEST_SECONDS} s at the most",
        f"walks of the last {health.ACTIVE_SECONDS // 60} min.",
        f"An answer counts as news for {health.FRESH_SECONDS} s, a first failure for {health.HURRY_SECONDS} s.",
        f"**{OPENS_AFTER} failures in a row** open the breaker",
    ],
)
def test_a_number_in_a_sentence_is_that_of_the_code(sentence):
    """Whoever changes one changes both."""
    assert sentence in PAGE


def test_the_pages_script_waits_as_long_as_the_page_says():
    """Six seconds until it offers to skip, ten until it goes on without an app."""
    script = source("web/static/walk.js")
    assert 'part("slow").hidden = false; }, 6000)' in script
    assert "let left = 10;" in script
    assert "offers to skip after six seconds" in PAGE
    assert "by itself after ten seconds" in PAGE


def test_an_app_that_asks_again_is_stopped_for_as_long_as_the_page_says():
    """A minute."""
    assert loops.LOOP_SECONDS == 60
    assert "asks once more within a minute is stopped with `asks_again`" in PAGE


def test_every_way_on_is_one_that_a_page_offers():
    """The words are those on buttons and links."""
    offered = source("web/pages.py", "web/templates/hop.html")
    for row in table(PAGE, "on the page"):
        assert re.search(rf"[\">]{row[0]}\b", offered), row[0]


def test_the_commands_are_those_that_there_are():
    """No more, no less."""
    named = {plain(row[0]).removeprefix("chain-gateway walks ") for row in table(PAGE, "command")}
    assert named == set(typer.main.get_command(frame).commands)


def test_the_lines_of_the_log_are_those_that_are_written():
    """Each name stands in the code of the use cases; and no line about a delivery is left out."""
    written = "".join(path.read_text() for path in (ROOT / "chain_gateway" / "service").glob("*.py"))
    named = {name for row in table(PAGE, "line of the log") for name in re.findall(r"`([a-z_.]+)`", row[0])}
    assert all(f'"{name}"' in written for name in named)
    assert set(re.findall(r'"((?:delivery|sweep|app)\.[a-z_]+)"', written)) <= named


def test_the_demo_can_show_a_fault():
    """The command of the first lines takes what it is given there."""
    app, _, kind = re.search(r"--fail (\w+)(=)([a-z-]+)", section(PAGE, "# When a hop fails")).groups()
    assert (app, Fault(kind)) == ("bank", Fault.HANG)
