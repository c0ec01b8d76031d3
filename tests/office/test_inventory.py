"""The organiser's inventory at the desk: entries, declarations, travel, reductions, versions."""

import re

import pytest
from django.test import Client

from diandian.audit.models import AuditEntry
from diandian.emissions.factor_set import newest
from diandian.flows import inventory as flow
from diandian.flows.cover import residual_of
from diandian.footprints import queries
from diandian.footprints.models import InventoryVersion
from diandian.kernel.memory import Memory
from diandian.people.queries import visitor
from diandian.scenes.models import Scene
from tests.office.host_world import client_of, draft, member, person
from tests.office.inventory_world import add, base, closed, form, sheet_of, since

pytestmark = pytest.mark.django_db
ANSWERS = {"live_here": "0", "from": "西安", "mode": "train", "nights": "2", "stay": "mid"}
GRID_KG = str(newest().find("energy.electricity.grid", "CN-SC").factor.value)


@pytest.fixture(autouse=True)
def fresh(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    Memory.forget_everything()


@pytest.fixture
def scene(desk, society):
    return draft(desk, society)


def test_an_empty_inventory_shows_every_source_as_missing(desk, scene):
    page = desk.get(base(scene)).content.decode()
    assert page.count("Still missing") >= 8
    assert "Fuel burned on site and in own vehicles" in page
    assert not re.findall(r'<b class="num">0\W', page), "what nobody said is no zero"
    assert not InventoryVersion.objects.exists(), "looking writes nothing"


def test_an_entry_is_added_with_its_factor_source_and_range(desk, zhou, scene):
    answer = desk.get(f"{base(scene)}/new?activity=electricity")
    assert 'name="amount"' in answer.content.decode()
    key = add(desk, scene, note="hall 3")
    page = desk.get(base(scene)).content.decode()
    assert "1,000 kWh" in page
    assert "hall 3" in page
    assert GRID_KG.rstrip("0") in page
    assert "no file" in page, "metered, but nothing shows it"
    entry = AuditEntry.objects.get(action="inventory.entry_put")
    assert (entry.actor_ref, entry.details["entry"]) == (zhou.ref, key)


def test_an_entry_is_changed_removed_and_brought_back(desk, scene):
    key = add(desk, scene)
    address = f"{base(scene)}/entry/{key}"
    changed = desk.post(address, form(amount="1.2", unit="MWh", since=since(desk, address)))
    assert changed.status_code == 303
    assert "1.2 MWh" in desk.get(base(scene)).content.decode()
    removal = {"action": "remove", "key": key, "since": since(desk, base(scene))}
    removed = desk.post(base(scene), removal)
    assert removed["Location"].endswith(f"?removed={key}")
    assert "Undo" in desk.get(removed["Location"]).content.decode()
    assert not sheet_of(scene).entries
    desk.post(base(scene), {"action": "restore", "key": key})
    desk.post(base(scene), {"action": "restore", "key": key})
    assert list(sheet_of(scene).entries) == [key]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amount": "-5"}, "amount"),
        ({"amount": ""}, "amount"),
        ({"amount": "=1+1"}, "amount"),
        ({"amount": "1,234"}, "amount"),
        ({"amount": "9" * 41}, "amount"),
        ({"unit": "kg"}, "unit"),
        ({"quality": "default"}, "quality"),
        ({"share_pct": "0"}, "share_pct"),
        ({"share_pct": "101"}, "share_pct"),
        ({"uses": "1.5"}, "uses"),
        ({"owner": "split", "owner_pct": "many"}, "owner_pct"),
        ({"own_value": "0.2"}, "own_source"),
        ({"note": "x" * 201}, "note"),
        ({"evidence": "not a digest"}, "file"),
    ],
)
def test_a_wrong_field_is_refused_beside_it_and_nothing_is_lost(desk, scene, changes, field):
    answer = desk.post(f"{base(scene)}/new", form(note="kept") | changes)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert f'id="{field}-error"' in page
    assert 'value="kept"' in page or field == "note"
    assert not InventoryVersion.objects.exists()


def test_negative_waste_is_refused(desk, scene):
    waste = form(activity="waste_landfill", category="waste", unit="kg", amount="-20")
    answer = desk.post(f"{base(scene)}/new", waste)
    assert answer.status_code == 422
    assert not InventoryVersion.objects.exists()


def test_an_activity_without_a_factor_here_is_not_counted_silently(zhou, desk, society):
    abroad = draft(desk, society, place="Amsterdam", slug="abroad")
    page = desk.get(f"{base(abroad)}/new?activity=flight_china").content.decode()
    assert "no published factor" in page
    sent = form(activity="flight_china", category="staff_travel", unit="passenger-km")
    assert desk.post(f"{base(abroad)}/new", sent).status_code == 422
    own = sent | {"own_value": "0.1", "own_source": "the airline's statement"}
    assert desk.post(f"{base(abroad)}/new", own).status_code == 303


def test_an_entry_that_lost_its_factor_is_shown_in_no_sum_and_keeps_it_open(desk, zhou, scene):
    add(desk, scene, activity="flight_china", category="staff_travel", unit="passenger-km")
    add(desk, scene)
    Scene.objects.filter(id=scene.id).update(country="NL", region="NL")
    page = desk.get(base(scene)).content.decode()
    assert "1 entry cannot be counted here" in page
    closing = {"meant": "1", "since": since(desk, base(scene))}
    refused = desk.post(f"{base(scene)}/close", closing)
    assert refused.status_code == 409
    assert "has no factor here" in refused.content.decode()
    assert queries.closed_inventory(scene) is None


def test_two_editors_keep_both_their_entries(desk, zhou, society, scene):
    other = client_of(member(zhou, society, "lin@example.org", "editor"))
    add(desk, scene, note="mine")
    add(other, scene, note="theirs")
    notes = {entry.note for entry in sheet_of(scene).all_entries()}
    assert notes == {"mine", "theirs"}


def test_of_two_editors_of_one_entry_the_second_is_told(desk, zhou, society, scene):
    other = client_of(member(zhou, society, "lin@example.org", "editor"))
    key, second = add(desk, scene), add(desk, scene, note="another")
    address = f"{base(scene)}/entry/{key}"
    seen = since(desk, address)
    assert other.post(address, form(amount="2000", since=seen)).status_code == 303
    refused = desk.post(address, form(amount="3000", since=seen))
    page = refused.content.decode()
    assert refused.status_code == 409
    assert "Somebody else changed this meanwhile" in page
    assert 'value="3000"' in page
    assert "2000 kWh" in page, "what stands there now"
    assert sheet_of(scene).entry(key).amount == 2000
    untouched = f"{base(scene)}/entry/{second}"
    assert desk.post(untouched, form(note="mended", since=seen)).status_code == 303
    again = form(amount="3000", since=re.search(r'name="since" value="(\d+)"', page)[1])
    assert desk.post(address, again).status_code == 303


def test_the_same_button_twice_adds_one_entry(desk, scene):
    for _ in range(2):
        assert desk.post(f"{base(scene)}/new", form()).status_code == 303
    assert len(sheet_of(scene).entries) == 1
    later = desk.post(f"{base(scene)}/new", form(since=str(sheet_of(scene).revision)))
    assert later.status_code == 422
    assert "stands in the inventory already" in later.content.decode()


def test_a_source_is_zero_or_left_out_only_with_a_reason(desk, scene):
    address = f"{base(scene)}/source/freight"
    assert desk.post(address, {"state": "zero", "reason": ""}).status_code == 422
    assert desk.post(address, {"state": "left_out", "reason": "small"}).status_code == 422
    assert desk.post(address, {"state": "zero", "reason": "no stands"}).status_code == 303
    page = desk.get(base(scene)).content.decode()
    assert "no stands" in page
    assert "Zero, for the reason given" in page
    desk.post(base(scene), {"action": "undeclare", "key": "freight"})
    assert not sheet_of(scene).declared
    assert desk.get(f"{base(scene)}/source/nonsense").status_code == 404


def test_too_much_left_out_keeps_it_open(desk, scene):
    add(desk, scene)
    out = {"state": "left_out", "reason": "hard to weigh", "expected_kg": "500", "since": "9"}
    desk.post(f"{base(scene)}/source/freight", out)
    closing = {"meant": "1", "since": since(desk, base(scene))}
    refused = desk.post(f"{base(scene)}/close", closing)
    assert refused.status_code == 409
    assert "may not be left out" in refused.content.decode()


def test_a_closed_version_stays_and_a_correction_is_the_next(desk, scene):
    key = add(desk, scene)
    unmeant = desk.post(f"{base(scene)}/close", {"since": "1"})
    assert unmeant.status_code == 409
    first = closed(desk, scene)
    assert first.mass_g == -(-int(1_000_000 * float(GRID_KG)) // 1)
    assert desk.post(f"{base(scene)}/new", form(amount="7")).status_code in {303, 409}
    assert len(sheet_of(scene).entries) == 1, "closed: nothing was added"
    removal = desk.post(base(scene), {"action": "remove", "key": key, "since": "9"})
    assert removal.status_code == 409
    assert "begin the next version" in removal.content.decode()
    for _ in range(2):
        assert desk.post(base(scene), {"action": "next_version"}).status_code == 303
    address = f"{base(scene)}/entry/{key}"
    desk.post(address, form(amount="900", since=since(desk, address)))
    second = closed(desk, scene)
    assert (first.number, second.number) == (1, 2)
    assert second.mass_g < first.mass_g
    assert InventoryVersion.objects.get(number=1).mass_g == first.mass_g
    keys = [{line["key"] for line in each.document["lines"]} for each in (first, second)]
    assert keys[0] == keys[1], "what was claimed of a line stays claimed"
    assert residual_of(scene).inventory_g == second.mass_g


def test_what_somebody_has_not_seen_is_not_closed(desk, zhou, society, scene):
    other = client_of(member(zhou, society, "lin@example.org", "editor"))
    add(desk, scene)
    seen = since(desk, f"{base(scene)}/close")
    add(other, scene, note="late")
    refused = desk.post(f"{base(scene)}/close", {"meant": "1", "since": seen})
    assert refused.status_code == 409
    assert queries.closed_inventory(scene) is None


def test_closing_twice_closes_once(desk, zhou, scene):
    add(desk, scene)
    who = visitor(zhou)
    revision = sheet_of(scene).revision
    versions = {flow.close_version(who, scene, since=revision).id for _ in range(2)}
    assert len(versions) == 1
    assert InventoryVersion.objects.count() == 1


def test_nothing_is_closed_where_nothing_was_said(desk, scene):
    refused = desk.post(f"{base(scene)}/close", {"meant": "1", "since": "0"})
    assert refused.status_code == 409
    assert "holds nothing yet" in refused.content.decode()
    assert not InventoryVersion.objects.exists()


# --- who may ------------------------------------------------------------------------------------

ADDRESSES = (
    "",
    "/new",
    "/new?activity=electricity",
    "/import",
    "/template",
    "/travel",
    "/reductions",
    "/close",
    "/files",
    "/source/freight",
)


def test_strangers_find_nothing_and_viewers_only_look(desk, zhou, society, scene):
    key = add(desk, scene)
    stranger = client_of(person("tang@example.org"))
    looks = client_of(member(zhou, society, "he@example.org", "viewer"))
    for address in (*ADDRESSES, f"/entry/{key}"):
        assert stranger.get(base(scene) + address).status_code == 404, address
        assert stranger.post(base(scene) + address, form()).status_code in {404, 405}, address
        assert Client().get(base(scene) + address).status_code == 302, address
    readable = {"", "/template", "/travel", "/reductions", "/files"}
    for address in ADDRESSES:
        expected = 200 if address in readable else 403
        assert looks.get(base(scene) + address).status_code == expected, address
    removal = {"action": "remove", "key": key, "since": "9"}
    assert looks.post(base(scene), removal).status_code == 403
    assert looks.post(f"{base(scene)}/new", form(note="x")).status_code == 403
    assert looks.post(f"{base(scene)}/travel", {"people": "9"}).status_code == 403
    assert looks.post(f"{base(scene)}/reductions", {"action": "tick"}).status_code == 403
    assert len(sheet_of(scene).entries) == 1
    assert ">Remove<" not in looks.get(base(scene)).content.decode()
