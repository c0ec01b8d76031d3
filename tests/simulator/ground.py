"""Pieces of new forest: no ground serves two projects, whoever comes first."""

import json
from datetime import date

from diandian.flows import sites
from diandian.registry import errors
from diandian.registry.sites.facts import SiteFacts
from tests.simulator.book import require
from tests.simulator.sight import rows_of
from tests.simulator.stage import GROUND

# A square of a hundredth of a degree on a grid; neighbours share a border, which is allowed.
_STEP = 100_000
_WEST, _SOUTH = 1_022_000_000, 319_000_000
FACTS = SiteFacts(
    species_names={"zh-Hans": "松", "en": "Pine", "nl": "Den"},
    planted_on=date(2020, 3, 1),
    methodology_code="M-1",
    monitoring_plan="Plan 1",
)


def standing():
    """Return the standing sites: project, code and box."""
    found = rows_of(
        "SELECT p.code, s.code, s.west, s.south, s.east, s.north FROM registry_projectsite s"
        " JOIN registry_project p ON p.id = s.project_id WHERE s.withdrawn_at IS NULL"
    )
    return {(project, code): tuple(box) for project, code, *box in found}


def _share(one, other):
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _geojson(box):
    west, south, east, north = (value / 10_000_000 for value in box)
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return json.dumps({"type": "Polygon", "coordinates": [ring]}).encode()


def enter_site(sim, dice):
    """A boundary comes in: refused where it shares ground with another that stands."""
    key = (dice.choice(GROUND), f"plot-{dice.randint(1, 3)}")
    west, south = (_WEST + dice.randrange(6) * _STEP, _SOUTH + dice.randrange(3) * _STEP)
    box = (west, south, west + dice.randint(1, 2) * _STEP, south + dice.randint(1, 2) * _STEP)
    return lambda: enter(key, box)


def enter(key, box):
    """Enter a site; the simulator knows whether its ground is free."""
    before = standing()
    meets = [other for other, taken in before.items() if other != key and _share(box, taken)]
    try:
        sites.enter(*key, _geojson(box), FACTS, actor_ref="operator:sim")
    except errors.SiteOverlapError:
        require(meets and key not in before, key, "was told that its ground is taken")
    except errors.SiteDifferentError:
        require(before.get(key, box) != box, key, "was told that it has another boundary")
    else:
        is_same = before.get(key) == box
        require(is_same or (key not in before and not meets), key, "got ground of", meets)
        require(standing() == before | {key: box}, key, "is not what was entered")


def withdraw_site(sim, dice):
    """A site that was entered wrongly is taken back; its ground is free again."""
    found = sorted(standing())
    key = dice.choice(found)

    def do():
        if key in standing():
            sites.withdraw(*key, reason="sim", actor_ref="operator:sim")
        require(key not in standing(), key, "was taken back and stands")

    return do


def check():
    """No two standing sites share ground."""
    found = sorted(standing().items())
    for number, (key, box) in enumerate(found):
        for other, taken in found[:number]:
            require(not _share(box, taken), key, "and", other, "stand on the same ground")


# How often each comes, against the others that are seldom.
ACTS = {enter_site: 3, withdraw_site: 1}
