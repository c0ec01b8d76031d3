"""A browser, a shop and the answers of one year, for pages that end at the till."""

import pytest

from diandian.kernel.memory import Memory
from tests.web.life.walk import ANSWERS, a_of, walk
from tests.web.world import open_shop

# The address of one year is the same in every test that does not look at the way there.
_WALKED: list[str] = []


@pytest.fixture
def fresh(settings, tmp_path):
    settings.SANDBOX_STORE = tmp_path / "bank.sqlite3"
    settings.DATA_DIR = tmp_path
    Memory.forget_everything()


@pytest.fixture
def browser(client):
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


@pytest.fixture
def shop():
    open_shop()


@pytest.fixture
def text(browser):
    if not _WALKED:
        _WALKED.append(a_of(walk(browser, ANSWERS)[-1]))
    return _WALKED[0]
