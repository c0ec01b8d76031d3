"""Books that nobody can add up say so, in plain words and without what stands in a row."""

import pytest

from diandian.flows import close
from diandian.kernel.memory import Memory
from tests.web.public_world import buy
from tests.web.world import open_scene, open_shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def get(client, settings, tmp_path):
    settings.SANDBOX_STORE = tmp_path / "bank.sqlite3"
    settings.DATA_DIR = tmp_path

    def fetch(path):
        Memory.forget_everything()
        return client.get(path, headers={"accept-language": "en"}).content.decode()

    return fetch


def test_books_that_nobody_can_add_up_say_so(get, monkeypatch):
    def cannot(*_, **__):
        raise KeyError("the name of somebody")

    open_shop()
    buy(open_scene("unread-2026"), project="rooftop-solar")
    assert "The books hold" in get("/books")
    with monkeypatch.context() as patch:
        patch.setattr("diandian.flows.books.registry_queries.stock", cannot)
        page = get("/books")
        assert "The books cannot be added up" in page
        assert "nobody knows whether they hold" in page
        assert "the name of somebody" not in page
        close.close(actor="platform")
        assert "The books are being checked" in get("/books")
