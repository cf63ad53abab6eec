"""A file that can be opened and not read, as on a disk that does not answer: nothing of a process is at address 0."""

from __future__ import annotations

from pathlib import Path
from typing import Final

BROKEN: Final = Path("/proc/self/mem")
"""Reading it from the beginning is EIO."""
