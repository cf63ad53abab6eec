"""docs/operations.md says what the code does: the metrics, the names in the log, and what takes a restart."""

from __future__ import annotations

import re

from doc_pages import ROOT, page, plain, table
from prometheus_client.parser import text_string_to_metric_families

from chain_gateway.cli.generation import DRAIN_SECONDS
from chain_gateway.cli.supervisor import FIRST_PAUSE, LONGEST_PAUSE
from chain_gateway.cli.worker import FIXED
from chain_gateway.ops.audit_log import LINE_BYTES
from chain_gateway.ops.door import BURST, LIFE_SECONDS, PER_SECOND
from chain_gateway.ops.history import MINUTES
from chain_gateway.ops.meter import PrometheusMeter
from chain_gateway.ops.tracing import STOP_SECONDS
from chain_gateway.service.audit import AuditEvent

SPANS = "".join(path.read_text() for path in (ROOT / "chain_gateway" / "ops" / "tracing").glob("*.py"))
PAGE = page("docs/operations.md")
CODE = "".join(path.read_text() for path in (ROOT / "chain_gateway").rglob("*.py"))


def test_the_metrics_are_those_that_are_counted() -> None:
    """Each with its labels, none too few and none too many."""
    meter = PrometheusMeter()
    meter.walk_begun("login")
    meter.walk_ended("login", "done", 1)
    meter.hop_settled("shop", "login", "form_post", "applied", 1)
    meter.delivered("shop", "confirmed")
    meter.app_up("shop", up=True)
    meter.store_answered("advance", 1)
    meter.op_answered("token", 1)
    counted = {}
    for family in text_string_to_metric_families(meter.text().decode()):
        name = family.name + ("_total" if family.type == "counter" else "")
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        if not name.endswith("_created"):
            counted[name] = labels
    written = {plain(row[0]): set(filter(None, re.split(r", ?", row[1].strip()))) for row in table(PAGE, "name")}
    assert written == counted


def test_the_names_in_the_log_are_those_of_the_code() -> None:
    """Every dotted name that the page has is logged somewhere."""
    names = re.findall(r"`((?:walk|hop|delivery|configuration|operations|tracing)\.[a-z_]+)`", PAGE)
    assert len(set(names)) >= 8
    assert [name for name in names if f'"{name}"' not in CODE] == []


def test_the_audit_log_is_told_event_by_event() -> None:
    """All of them, and no others; and the numbers of the dashboard are those of the code."""
    assert {plain(row[0]) for row in table(PAGE, "event")} == {event.value for event in AuditEvent}
    assert (BURST, PER_SECOND, LIFE_SECONDS, MINUTES, LINE_BYTES) == (5, 0.1, 8 * 3600, 180, 32 * 1024)
    assert "Five wrong tokens may come at once, and one in ten seconds" in PAGE
    assert "signed in for eight hours" in PAGE
    assert "The three hours are remembered" in PAGE
    assert "longer than 32 KiB" in PAGE


def test_what_takes_a_restart_is_named() -> None:
    """All of it."""
    assert [name for name in FIXED if f"`{name}`" not in PAGE] == []


def test_the_attributes_of_spans_are_those_of_the_code() -> None:
    """Each that is made is on the page, and none that is not."""
    written = {name for row in table(PAGE, "attribute") for name in plain(row[0]).replace(",", "").split()}
    made = set(re.findall(r'"((?:chain|http|server|db|error)\.[a-z_.]+)"', SPANS))
    assert written == made


def test_the_numbers_are_those_of_the_code() -> None:
    """How long an open request has, and how long a worker that died is left alone."""
    assert f"has {DRAIN_SECONDS} seconds" in PAGE
    assert f"waits up to {STOP_SECONDS} seconds" in PAGE
    assert (FIRST_PAUSE, LONGEST_PAUSE) == (0.5, 30.0)
    assert "after half\na second, then a second, and so on up to 30 seconds" in PAGE
