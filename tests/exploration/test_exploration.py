"""Every order of all messages of two tabs, with real use cases and real apps: the invariants hold at each end.

I1 the newest intention wins; I2 after a logout is done no app has an older session; I3 no ticket is applied twice;
I4 every walk ends, and tells truly what was proven.
"""

from __future__ import annotations

from dataclasses import replace

import exploration_table as table
import pytest
from exploration_claims import Claims
from exploration_facts import FACTS
from exploration_values import ANSWERS, TABS
from exploration_world import a_world

pytestmark = pytest.mark.timeout(300)

SMALL = (
    table.Row("known", (table.LOGIN, table.OUT)),
    table.Row("signed in", (table.LOGIN, table.OUT), 0, "one app", table.ONE_APP),
    table.Row("signed in", (table.OUT, table.APP_OUT), 0, "one app", table.ONE_APP),
    table.Row("known", (table.SILENT, table.OUT), 1, "one app", table.ONE_APP),
)


@pytest.mark.parametrize("row", table.QUICK, ids=str)
def test_every_order_keeps_the_invariants(row):
    """I1-I4, and the page has the numbers: where they differ, ``python tests/exploration/explore.py`` writes them."""
    found, broken = row.run()
    assert broken == []
    assert row.line(found) in table.part("quick"), "run: python tests/exploration/explore.py"


@pytest.mark.parametrize(("name", "rows"), [("quick", table.QUICK), ("deep", table.DEEP)])
def test_the_page_has_a_line_for_each_setting_and_no_others(name, rows):
    """Nothing is claimed that is not explored."""
    lines = [line for line in table.part(name).splitlines() if line.startswith("|")]
    assert lines[:2] == [table.HEAD, table.RULE]
    assert [line.startswith(row.cells) for line, row in zip(lines[2:], rows, strict=True)] == [True] * len(rows)


@pytest.mark.parametrize("row", SMALL, ids=str)
def test_what_is_left_out_would_have_led_to_the_same_ends(row):
    """Without the first two reductions: the same live sessions, pages, outcomes and ledgers, and many more states."""
    counted, ends = {}, {}
    for narrow in (True, False):
        with a_world(replace(row.settings, narrow=narrow)) as world:
            counted[narrow], ends[narrow] = every_end(world, row.first(world), row.wanted)
    assert ends[True] == ends[False]
    assert counted[True] < counted[False]


def every_end(world, first, wanted):
    """How many states there are, and what can be seen at their ends."""
    claims, count, ends, level = Claims(world), 0, set(), {first}
    while level:
        following = set()
        count += len(level)
        for state in level:
            after = {event.state for event in world.following(state, wanted)}
            following |= after
            if not after:
                pages = tuple(ANSWERS.values[TABS.values[tab].answer].page for tab in state.tabs)
                known = claims.ledger(state)
                entries = known.ledger.values() if known else ()
                ledger = frozenset((entry.app, entry.holding, entry.epoch) for entry in entries)
                ended = FACTS.values[state.facts].ended
                ends.add((pages, tuple(claims.live(state).items()), ledger, ended))
        level = following
    return count, ends
