"""L5: nobody's name is in any file that everybody can fetch."""

import pytest

from diandian.flows.erase import erase_order
from diandian.registry.models import Beneficiary, Retirement
from diandian.transparency.heads.signer import Signer
from diandian.transparency.models import LogEntry

pytestmark = pytest.mark.django_db

NAMES = ("Wilhelmina van der Meer", "欧阳娜娜", "O'Brien & Søn")


def test_no_name_of_a_beneficiary_is_in_a_published_file(world, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    orders = [world.order(1_000, name=name) for name in NAMES]
    for order in orders:
        assert world.pay(order) == "completed"
    Signer().turn(at=world.now)
    files = [each for each in (tmp_path / "log").rglob("*") if each.is_file()]
    assert {"checkpoint", "5"} <= {each.name for each in files}
    published = b"\n".join(each.read_bytes() for each in files)
    for retirement in Retirement.objects.all():
        assert retirement.public_id.encode() in published
    for row in Beneficiary.objects.all():
        assert row.salt.encode() not in published
    for name in NAMES:
        for part in (name, *name.split(" ")):
            assert len(part) < 4 or part.encode() not in published
            assert len(part) < 4 or ascii(part).strip("'\"").encode() not in published
    for order in orders:
        assert order.token.encode() not in published


def test_erasing_a_person_changes_no_entry(world):
    order = world.order(1_000, name=NAMES[0])
    world.pay(order)
    before = list(LogEntry.objects.order_by("position").values_list("body", flat=True))
    erase_order(order, at=world.now)
    assert list(LogEntry.objects.order_by("position").values_list("body", flat=True)) == before
    assert Beneficiary.objects.get().salt == ""
