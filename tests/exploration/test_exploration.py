"""Every order of all messages of two tabs, with real use cases and real apps: the invariants hold at each end.

I1 the newest intention wins; I2 after a logout is done no app has an older session; I3 no ticket is applied twice;
I4 every walk ends, and tells truly what was proven.
"""

from __future__ import annotations

import exploration_table as table
import pytest

pytestmark = pytest.mark.timeout(300)


@pytest.mark.parametrize("row", table.QUICK, ids=str)
def test_every_order_keeps_the_invariants(row):
    """I1-I4, and the page has the numbers: where they differ, ``python tests/exploration/explore.py`` writes them."""
    found, broken = row.run()
    assert broken == []
    assert row.line(found) in table.part("quick"), "run: python tests/exploration/explore.py"


def test_the_page_has_a_line_for_each_setting_and_no_others():
    """Nothing is claimed that is not explored."""
    for name, rows in (("quick", table.QUICK),):
        lines = [line for line in table.part(name).splitlines() if line.startswith("|")]
        assert len(lines) == 2 + len(rows)
