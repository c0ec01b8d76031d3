"""An older backup comes back: nothing is sold or retired until the log has caught up.

What happens after the backup is rolled back: the database is as it was, the published files not.
"""

import shutil
from contextlib import contextmanager, suppress
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import transaction

from diandian.flows import (
    batches,
    cancellations,
    close,
    fulfil,
    log_check,
    log_fill,
    log_guard,
    log_recover,
    pool,
    recall,
    sales,
)
from diandian.flows.allocator import Allocator
from diandian.kernel.memory import Memory
from diandian.orders.errors import SalesPausedError
from diandian.orders.models import Intake
from diandian.registry.models import CreditBatch, Remedy, Retirement
from diandian.transparency.errors import LogRefusedError
from diandian.transparency.files import folder_of
from diandian.transparency.heads import actions as head_actions
from diandian.transparency.heads.signer import HeadSigner, Signer
from diandian.transparency.heads.trouble import RefusedError
from diandian.transparency.models import LogHead
from tests.flows import recalls
from tests.flows.conftest import make_project
from tests.flows.test_log_audit import audited

pytestmark = pytest.mark.django_db

WHO = {"actor": "operator:lin", "reason": "disk broke"}


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.DATA_DIR = tmp_path / "data"
    settings.KEYS_DIR = tmp_path / "keys"
    settings.LOG_WITNESSES = ""
    settings.HIGH_WATER = ""
    yield tmp_path
    Memory.forget_everything()


class _LostError(Exception):
    """Ends what the backup does not know."""


@contextmanager
def undone():
    """Do something, and roll it back."""
    with suppress(_LostError), transaction.atomic():
        yield
        raise _LostError


@contextmanager
def lost():
    """Do what happens after the backup was made, then bring the backup back; all start anew."""
    with undone():
        yield
    Memory.forget_everything()


@pytest.fixture
def waiting(world, monkeypatch):
    """A first sale, signed; one that is paid and waits; a second project on sale."""
    make_project("second")
    assert world.pay(world.order(124_000)) == "completed"
    order = world.order(5_000)
    with monkeypatch.context() as patch:
        patch.setattr(fulfil, "fulfil_order", lambda *_, **__: False)
        assert world.pay(order) == "paid"
    Signer().turn(at=world.now)
    return order


@pytest.fixture
def restored(world, waiting):
    """Older than what is published by one sale."""
    with lost():
        assert world.pay(world.order(3_000)) == "completed"
        Signer().turn(at=world.now)
    return waiting


def test_nothing_is_sold_or_retired_before_anybody_signs(world, restored):
    """The window after a start: no signer has looked yet, the flag of the backup is empty."""
    assert LogHead.objects.get().refusal == ""
    before = Retirement.objects.count()
    assert fulfil.drain(at=world.now) == 0
    Memory.forget_everything()
    assert not fulfil.fulfil_order(restored.id, at=world.now)
    assert pool.complete_due(at=world.later(days=13)) == 0
    assert Retirement.objects.count() == before
    assert Intake.objects.get(order=restored).attempts == 0
    with pytest.raises(SalesPausedError) as refused:
        world.quote(2_000)
    assert "Nothing was charged." in refused.value.text()
    log_recover.recover(**WHO, at=world.now)


def test_the_log_catches_up_and_sales_go_on(world, restored, capsys):
    first = CreditBatch.objects.get(project=world.project).public_id
    assert Signer().turn(at=world.now) == 0
    assert LogHead.objects.get().refusal == "behind-published"
    assert fulfil.drain(at=world.now) == 0
    done = log_recover.recover(**WHO, at=world.now)
    assert (done.entries, done.frozen, done.trouble) == (1, (first,), "")
    assert not sales.are_stopped()
    # What was paid waits: grams of its batch were used after the backup, which ones people look up.
    world.project = CreditBatch.objects.exclude(public_id=first).get().project
    assert world.pay(world.order(2_000)) == "completed"
    Signer().turn(at=world.now)
    assert LogHead.objects.get().refusal == ""
    assert audited(folder_of(1)) == 0, capsys.readouterr().out


def test_the_close_names_what_differs_and_holds_once_people_can_look(world, restored):
    found = close.close(actor="operator:lin", at=world.now).breaches
    assert [(each.rule, each.detail) for each in found] == [
        ("L3", "5 entries are published, it has 4")
    ]
    log_recover.recover(**WHO, at=world.now)
    first = CreditBatch.objects.get(project=world.project)
    assert close.reopen(actor="operator:lin", reason="caught up", at=world.now).holds
    # Frozen, the batch of which the log knows more may wait for people; thawed, it may not.
    assert log_check.check() == []
    with undone():
        batches.thaw(first.public_id, reason="hope", actor_ref="operator:lin", at=world.now)
        assert {each.rule for each in log_check.check()} == {"L4"}


def test_a_batch_that_stood_still_already_is_marked_too(world, waiting):
    first = CreditBatch.objects.get(project=world.project).public_id
    who = {"actor_ref": "operator:lin", "at": world.now}
    with lost():
        assert world.pay(world.order(3_000)) == "completed"
        batches.freeze(first, reason="under-review", **who)
        Signer().turn(at=world.now)
    # The registry's own freeze is lost with the rest; an operator's of before the backup is not.
    CreditBatch.objects.filter(public_id=first).update(state="frozen")
    assert log_recover.recover(**WHO, at=world.now).frozen == ()
    assert log_check.check() == []
    size = LogHead.objects.get().size
    assert log_recover._freeze_what_differs("operator:lin", world.now) == ()
    assert LogHead.objects.get().size == size


def test_what_was_recalled_waits_and_nobody_cancels(world, waiting):
    found = recalls.started(CreditBatch.objects.get(project=world.project))
    other = CreditBatch.objects.exclude(project=world.project).get()
    asked = cancellations.ask(
        other.public_id, mass_g=1_000, reason="entered-twice", actor_ref="operator:lin"
    )
    with lost():
        batches.freeze(other.public_id, reason="fire", actor_ref="operator:lin", at=world.now)
        Signer().turn(at=world.now)
    assert recall.work(at=world.now) == recall.retry(at=world.now) == 0
    assert log_fill.fill_and_tell() == 0
    # Nothing at all is entered, whichever door it comes by: it would be another past.
    for act in (
        lambda: cancellations.confirm(asked, actor_ref="operator:wang"),
        lambda: batches.freeze(other.public_id, reason="fire", actor_ref="operator:lin"),
        lambda: recalls.opened(other),
    ):
        with pytest.raises(LogRefusedError) as refused, transaction.atomic():
            act()
        assert "Nothing was entered" in refused.value.text()
    assert not Remedy.objects.filter(recall=found).exists()
    assert log_recover.recover(**WHO, at=world.now).entries == 1
    assert recall.work(at=world.now) == 1


def test_a_refusal_that_comes_between_look_and_commit_counts_as_nobodys_fault(world, waiting):
    """Each append reads the refusal with its number: what was looked at may be a second old."""
    assert sales.may_retire(at=world.now)
    head_actions.set_refusal(LogHead.objects.get(), "damaged-files")
    assert fulfil.drain(at=world.now) == 0
    assert Intake.objects.get(order=waiting).attempts == 0
    assert world.state(waiting) == "paid"
    head_actions.set_refusal(LogHead.objects.get(), "")
    assert fulfil.drain(at=world.now) == 1


def test_an_allocator_compares_anew_at_each_term(world, waiting):
    assert sales.may_retire(at=world.now)
    looks = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HeadSigner, "look", lambda *_: looks.append(1))
        for _ in range(3):
            assert sales.may_retire(at=world.now)
        assert not looks
        Allocator("test").begin()
        for _ in range(3):
            assert sales.may_retire(at=world.now)
    assert looks == [1]


def test_a_witness_that_saw_more_is_asked_before_the_first_retirement(world, waiting, monkeypatch):
    def saw_more(*_):
        raise RefusedError("behind-witness")

    monkeypatch.setattr(HeadSigner, "_ask_first", saw_more)
    Memory.forget_everything()
    assert fulfil.drain(at=world.now) == 0
    assert LogHead.objects.get().refusal == "behind-witness"
    monkeypatch.undo()
    assert log_guard.look(at=world.now) == ""
    assert fulfil.drain(at=world.now) == 1


# --- the data folder came back with the database -------------------------------------------------


@pytest.fixture
def both_restored(settings, world, folder, waiting):
    """The published files are as old as the database; one copy of them was fetched before."""
    settings.HIGH_WATER = str(folder / "elsewhere" / "high-water")
    Signer().turn(at=world.now)
    shutil.copytree(settings.DATA_DIR / "log", folder / "old")
    with lost():
        assert world.pay(world.order(3_000)) == "completed"
        Signer().turn(at=world.now)
        shutil.copytree(settings.DATA_DIR / "log", folder / "newer")
    shutil.rmtree(settings.DATA_DIR / "log")
    shutil.copytree(folder / "old", settings.DATA_DIR / "log")
    return waiting


def test_without_anything_outside_nobody_notices(settings, world, both_restored):
    """Documented: with neither a high-water file nor a witness the platform goes on."""
    settings.HIGH_WATER = ""
    assert fulfil.drain(at=world.now) == 1


def test_the_high_water_file_stops_sales_until_a_copy_brings_the_entries_back(
    world, both_restored, folder, capsys
):
    before = Retirement.objects.count()
    assert fulfil.drain(at=world.now) == 0
    assert LogHead.objects.get().refusal == "behind-high-water"
    Memory.forget_everything()
    assert Signer().turn(at=world.now) == 0
    said = StringIO()
    who = ("--as", "lin", "--reason", "disk broke", "--yes")
    # Our own files know no more than the database.
    call_command("log", "recover", *who, stdout=said)
    assert "0 entries came back.\nSales stay stopped." in said.getvalue()
    call_command("close", "--as", "lin", stdout=said)
    assert "as the high-water file says" in said.getvalue().rpartition("Everything holds.")[2]
    assert sales.are_stopped()
    assert Retirement.objects.count() == before
    call_command("log", "recover", "--from", str(folder / "newer"), *who, stdout=said)
    assert "1 entries came back.\nFrozen: " in said.getvalue()
    world.project = CreditBatch.objects.filter(state="open").get().project
    assert world.pay(world.order(2_000)) == "completed"
    assert Signer().turn(at=world.now) == 1
    assert audited(folder_of(1)) == 0, capsys.readouterr().out
    [line] = (folder / "elsewhere" / "high-water").read_text().splitlines()
    assert int(line.split(" ")[2]) == LogHead.objects.get().size


# --- what the log tells already ------------------------------------------------------------------


def test_a_recovery_that_dies_halfway_brings_nothing_back(world, restored, monkeypatch):
    """Entries without the freezes would let grams be used that the log counts otherwise."""

    def dies(*_):
        raise _LostError

    with monkeypatch.context() as patch, suppress(_LostError):
        patch.setattr(log_recover, "_freeze_what_differs", dies)
        log_recover.recover(**WHO, at=world.now)
    Memory.forget_everything()
    assert sales.are_stopped()
    assert fulfil.drain(at=world.now) == 0
    assert log_recover.recover(**WHO, at=world.now).entries == 1


@pytest.mark.parametrize("frozen", [(), ("second",)])
def test_remedies_that_the_registry_lost_are_made_anew(world, waiting, frozen):
    """The entries came back, the remedies did not: whoever holds recalled grams is answered.

    What had replaced them is frozen with the batch of which the log tells more.
    """
    CreditBatch.objects.filter(project__code__in=frozen).update(state="frozen")
    found = recalls.started(CreditBatch.objects.get(project=world.project))
    with lost():
        assert recall.work(at=world.now) == 1
        Signer().turn(at=world.now)
    log_recover.recover(**WHO, at=world.now)
    recall.work_all(at=world.now)
    found.refresh_from_db()
    assert found.state == "done"
    assert [row.outcome for row in Remedy.objects.filter(recall=found)] == ["short"]
    assert log_check.check() == []


def test_a_recall_whose_approval_was_lost_is_approved_again(world, waiting):
    opened = recalls.opened(CreditBatch.objects.get(project=world.project))
    with lost():
        recall.approve(opened, approved_by="operator:Jansen", at=world.now)
        Signer().turn(at=world.now)
    log_recover.recover(**WHO, at=world.now)
    opened.refresh_from_db()
    recall.approve(opened, approved_by="operator:Jansen", at=world.now)
    recall.work_all(at=world.now)
    assert log_check.check() == []
