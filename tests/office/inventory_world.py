"""An inventory at the desk, as several tests fill and close it."""

import re

from diandian.flows import inventory as flow
from diandian.footprints import queries
from diandian.scenes.models import Scene


def base(scene):
    return f"/host/{scene.slug}/inventory"


def sheet_of(scene):
    return flow._standing(Scene.objects.get(id=scene.id)).sheet


def since(desk, address):
    page = desk.get(address).content.decode()
    return re.search(r'name="since" value="(\d+)"', page)[1]


def form(**changes):
    return {
        "activity": "electricity",
        "category": "electricity",
        "amount": "1000",
        "unit": "kWh",
        "quality": "metered",
        "owner": "organiser",
        "since": "0",
    } | changes


def add(desk, scene, **changes):
    answer = desk.post(f"{base(scene)}/new", form(**changes))
    assert answer.status_code == 303, answer.content.decode()
    return list(sheet_of(scene).entries)[-1]


def closed(desk, scene):
    address = f"{base(scene)}/close"
    answer = desk.post(address, {"meant": "1", "since": since(desk, address)})
    assert answer.status_code == 303, answer.content.decode()
    return queries.closed_inventory(scene)
