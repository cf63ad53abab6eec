"""Runs that are too long to be counted, sampled: three tabs, two people, and everything that may go wrong, often."""

from __future__ import annotations

import pytest
from exploration_machine import Machine
from hypothesis import HealthCheck, Phase, settings

pytestmark = pytest.mark.timeout(600)


class TestLongRuns(Machine.TestCase):
    """I1-I4, whatever order three tabs, two people and a clock come up with."""

    settings = settings(
        max_examples=150,
        stateful_step_count=60,
        deadline=None,
        phases=(Phase.generate,),  # a run tells all that it did, and making it shorter takes minutes
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
