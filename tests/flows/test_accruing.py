"""Every journal that owes a supplier something gets its line, whoever else makes lines."""

import pytest

from diandian.flows import accruing, goodwill
from diandian.jobs import schedule
from diandian.settlement.models import Line
from tests.flows.money import LI, WANG
from tests.flows.settling import house_breaches, merchant_file, retired

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("statements_agree")]


@pytest.fixture
def sold_while_away(world, settings, tmp_path, clock):
    """An order that no worker saw, and one three days later of which money went back at once."""
    first = retired(world, 20_000, name="Old")
    world.now = world.later(days=3)
    clock.move_to(world.now)
    merchant_file(tmp_path, settings, settlement="connect", shares=True)
    second = retired(world, 20_000, name="New")
    asked = goodwill.ask(second.id, amount_minor=10, at=world.now, **LI)
    goodwill.confirm(asked, at=world.now, **WANG)
    assert list(Line.objects.values_list("owner_ref", flat=True)) == [second.ref]
    return first


def test_what_was_sold_while_the_worker_was_away_gets_its_line(world, sold_while_away):
    sweep = accruing.Sweep()
    assert sweep.run(512, at=world.now) == 1
    assert Line.objects.filter(owner_ref=sold_while_away.ref).exists()
    assert house_breaches() == []


def test_a_line_that_a_refund_made_moves_no_sweep(world, settings, tmp_path, clock):
    sweep = accruing.Sweep()
    retired(world, 20_000, name="Before")
    assert sweep.run(512, at=world.now) == 1
    merchant_file(tmp_path, settings, settlement="connect", shares=True)
    first = retired(world, 20_000, name="Old")
    world.now = world.later(days=5)
    clock.move_to(world.now)
    second = retired(world, 20_000, name="New")
    asked = goodwill.ask(second.id, amount_minor=10, at=world.now, **LI)
    goodwill.confirm(asked, at=world.now, **WANG)
    assert sweep.run(512, at=world.now) == 1
    assert Line.objects.filter(owner_ref=first.ref).exists()


def test_a_sweep_goes_on_from_what_it_read_whole(world, clock):
    sweep = accruing.Sweep()
    first, second = retired(world, 20_000, name="A"), retired(world, 20_000, name="B")
    begin = sweep.since
    assert sweep.run(1, at=world.now) == 1
    assert sweep.since == begin, "there may be more"
    assert sweep.run(512, at=world.now) == 1
    assert (world.now.date() - sweep.since).days == 2
    assert sweep.run(512, at=world.now) == 0
    assert Line.objects.filter(owner_ref__in=[first.ref, second.ref]).count() == 2


def test_what_has_no_line_for_hours_is_told(world, sold_while_away, caplog):
    assert accruing.warn_late in [task.run for task in schedule.TASKS]
    assert accruing.warn_late(at=world.now) == 1
    assert f"{sold_while_away.ref}:sale" in caplog.text
    accruing.accrue(at=world.now)
    assert accruing.warn_late(at=world.now) == 0


def test_what_was_just_sold_is_not_late(world):
    retired(world)
    assert accruing.warn_late(at=world.later(hours=1)) == 0
