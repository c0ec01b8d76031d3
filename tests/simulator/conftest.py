"""The stage: databases of its own, so that nothing is emptied between tests."""

import pytest

from tests.simulator.stage import Stage


@pytest.fixture
def _django_db_helper(django_db_setup, django_db_blocker):
    """Open the database, and leave transactions and rows to the stage."""
    with django_db_blocker.unblock():
        yield


@pytest.fixture(scope="module")
def stage(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), Stage() as made:
        yield made
