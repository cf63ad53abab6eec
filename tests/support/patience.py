"""How long tests wait for what ought to come, in seconds, before they say that it did not.

Where a defence is switched off something hardly ever comes, so those runs are told to wait for less: to be red too
soon costs nothing there, and every minute counts (``tests/mutations``).
"""

from __future__ import annotations

import os
from typing import Final

VARIABLE: Final = "CHAIN_TESTS_PATIENCE"
PATIENCE: Final = float(os.environ.get(VARIABLE, "30"))
