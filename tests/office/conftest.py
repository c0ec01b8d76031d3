"""Zhou, who organises: a person, her browser at the desk, her organisation."""

import pytest

from tests.office.host_world import client_of, organisation, person


@pytest.fixture
def zhou(db):
    return person("zhou@example.org")


@pytest.fixture
def desk(zhou):
    return client_of(zhou)


@pytest.fixture
def society(zhou):
    return organisation(zhou)
