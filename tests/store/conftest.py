"""What is true of all tests of the stores."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent
LEFT = pytest.mark.filterwarnings("ignore:unclosed (transport|<socket):ResourceWarning")
"""redis-py leaves the socket of a connection whose opening took too long to the garbage collector.

It says so in whatever test comes next, and only where the machine is so busy that a server on loopback is late.
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Lets tests with real servers of Redis pass over what redis-py leaves behind."""
    for item in items:
        if HERE in item.path.parents and item.get_closest_marker("redis"):
            item.add_marker(LEFT)
