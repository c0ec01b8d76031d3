"""Links to keep name the address that guests use, whatever a request in between looked like."""

import pytest

from diandian.kernel.memory import Memory
from tests.web.public_world import order, take_part
from tests.web.world import open_scene, open_shop

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def behind_a_proxy_that_ends_tls(settings, tmp_path):
    settings.BASE_URL = "https://diandian.example"
    settings.SANDBOX_STORE = tmp_path / "bank.sqlite3"
    settings.DATA_DIR = tmp_path
    Memory.forget_everything()


def test_a_result_is_kept_by_its_public_address(client):
    open_shop()
    scene = open_scene()
    path = f"/s/{scene.slug}/go/{take_part(scene).token}"
    body = client.get(path).content.decode()
    assert f'value="https://diandian.example{path}"' in body
    assert "http://testserver" not in body


def test_an_order_is_kept_by_its_public_address(client):
    open_shop()
    placed = order(open_scene())
    body = client.get(f"/o/{placed.token}").content.decode()
    assert f'value="https://diandian.example/o/{placed.token}"' in body
    assert "http://testserver" not in body
