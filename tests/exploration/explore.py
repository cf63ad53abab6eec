"""Explores, and writes the numbers on the page: ``python tests/exploration/explore.py``.

These are the settings that the tests run; with ``--deep`` they are those that take too long for that.
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parents[1])]

import exploration_table as table  # noqa: E402 - found by the line above

if __name__ == "__main__":
    chosen = ("deep", table.DEEP) if "--deep" in sys.argv else ("quick", table.QUICK)
    sys.exit(not table.write(*chosen))
