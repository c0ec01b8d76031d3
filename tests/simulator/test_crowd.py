"""A crowd over faulty lines; ``./run simulate --payments N`` plays larger ones."""

import pytest

from tests.simulator.crowd.town import play
from tests.simulator.stage import Stage

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_the_lines_do_every_payment_ends_well(seed):
    with Stage() as stage:
        told = play(stage, payments=150, seed=seed)
    assert sum(told.ends.values()) == 150
    assert told.ends["completed"] > 75
    assert told.counts.crashes
    assert told.counts.stale
    assert told.counts.lost
