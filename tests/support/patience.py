"""How long tests wait for what ought to come, in seconds, before they say that it did not.

Where a defence is switched off something hardly ever comes, so those runs are told to wait for less: to be red too
soon costs nothing there, and every minute counts (``tests/mutations``). What a test needs before it can look at the
defence, as a program that starts or a page that is shown, has its time there as well: to be red for want of that says
nothing.
"""

from __future__ import annotations

import os
from typing import Final

VARIABLE: Final = "CHAIN_TESTS_PATIENCE"
FULL: Final = 30.0
PATIENCE: Final = float(os.environ.get(VARIABLE, FULL))
STEP_PATIENCE: Final = max(PATIENCE / 2, 6.0)
"""For each step of a person in a real browser."""
