"""Every check in code is load-bearing: taken away, the simulator fails within a few seeds."""

import pytest
from django.db import connection  # noqa: F401 - asked by the mark

from tests.simulator.checks import CHECKS, SEEDS, SURVIVES, caught

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.slow,
    pytest.mark.skipif("connection.vendor != 'sqlite'", reason="the same code on both databases"),
]


@pytest.mark.parametrize("name", CHECKS)
def test_without_a_check_the_simulator_fails(stage, name):
    found = caught(stage, CHECKS[name])
    assert found is not None, f"nobody noticed that this is gone: {name}"


@pytest.mark.parametrize("name", SURVIVES)
def test_what_needs_two_threads_to_show_is_not_shown_by_one(stage, name):
    # Proved by tests/concurrency/test_registry.py, and by the constraint lane_never_oversold.
    assert caught(stage, SURVIVES[name], SEEDS[:1]) is None, "it can be shown: move it to CHECKS"
