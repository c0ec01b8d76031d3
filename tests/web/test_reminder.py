"""The calendar file for a sold-out project: a reminder of one's own, no address given away."""

from datetime import timedelta

import pytest

from diandian.kernel.clock import business_day
from diandian.kernel.memory import Memory
from diandian.registry.models import Project
from tests.web.world import open_shop

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh():
    Memory.forget_everything()


def unfolded(response):
    return response.content.decode().replace("\r\n ", "").split("\r\n")


def test_it_reminds_in_two_weeks_and_leads_to_the_project(client, settings):
    open_shop()
    response = client.get("/projects/rooftop-solar/again.ics")
    assert response["Content-Type"] == "text/calendar; charset=utf-8"
    lines = unfolded(response)
    day = business_day() + timedelta(days=14)
    assert f"DTSTART;VALUE=DATE:{day:%Y%m%d}" in lines
    assert f"URL:{settings.BASE_URL}/projects/rooftop-solar" in lines
    assert (lines[0], lines[-2:]) == ("BEGIN:VCALENDAR", ["END:VCALENDAR", ""])


def test_long_and_hard_names_keep_the_format(client):
    open_shop()
    name = "Sun; wind, water\r\nEND:VEVENT and 竹" + "林" * 60
    Project.objects.filter(code="rooftop-solar").update(names={"en": name, "zh-Hans": name})
    response = client.get("/projects/rooftop-solar/again.ics", headers={"accept-language": "en"})
    assert all(len(line) <= 75 for line in response.content.split(b"\r\n"))
    assert unfolded(response).count("END:VEVENT") == 1
    assert any("Sun\\; wind\\, water\\nEND" in line for line in unfolded(response))


def test_there_is_none_for_a_project_that_does_not_exist(client):
    assert client.get("/projects/nowhere/again.ics").status_code == 404
