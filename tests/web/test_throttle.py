"""What one address may do in a minute where no secret link is asked for."""

import pytest

from diandian.footprints.models import Footprint
from diandian.kernel.memory import Memory
from diandian.ui import limits
from tests.web.world import open_scene

pytestmark = pytest.mark.django_db
ANSWERS = {"from": "西安", "mode": "train", "nights": "2", "stay": "mid"}
ELSEWHERE = {"REMOTE_ADDR": "198.51.100.7"}


@pytest.fixture(autouse=True)
def fresh():
    Memory.forget_everything()
    for window in (limits.footprints, limits.downloads):
        window.forget()


def text(response):
    return response.content.decode()


def test_answers_wait_when_very_many_come_from_one_address(client, settings):
    settings.FOOTPRINTS_PER_MINUTE = 2
    scene = open_scene()
    path = f"/s/{scene.slug}/go"
    assert [client.post(path, ANSWERS).status_code for _ in range(4)] == [303, 303, 429, 429]
    put_off = client.post(path, ANSWERS, headers={"accept-language": "en"})
    assert put_off["Retry-After"] == "60"
    assert "Yours were not counted yet." in text(put_off)
    assert Footprint.objects.count() == 2
    assert client.get(path).status_code == 200, "the questions stay open"
    assert client.post(path, ANSWERS, **ELSEWHERE).status_code == 303


def test_a_hall_behind_one_address_is_not_held_up(client):
    scene = open_scene()
    statuses = {client.post(f"/s/{scene.slug}/go", ANSWERS).status_code for _ in range(70)}
    assert statuses == {303}


@pytest.mark.parametrize("path", ["/register.csv", "/register.json"])
def test_downloads_of_the_whole_register_wait(client, settings, path):
    settings.DOWNLOADS_PER_MINUTE = 2
    assert [client.get(path).status_code for _ in range(3)] == [200, 200, 429]
    put_off = client.get(path, headers={"accept-language": "en"})
    assert put_off["Retry-After"] == "60"
    assert "Nothing was sent." in text(put_off)
    assert client.get("/register").status_code == 200, "the pages of the register stay open"
    assert client.get(path, **ELSEWHERE).status_code == 200


def test_visitors_behind_a_trusted_proxy_are_told_apart(client, settings):
    settings.DOWNLOADS_PER_MINUTE, settings.TRUSTED_PROXIES = 1, 1
    for visitor in ("203.0.113.5", "203.0.113.6"):
        headers = {"x-forwarded-for": f"192.0.2.1, {visitor}"}
        statuses = [client.get("/register.csv", headers=headers).status_code for _ in range(2)]
        assert statuses == [200, 429]
