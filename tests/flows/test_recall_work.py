"""How a recall is decided, worked off, replaced from what, and told to the public log."""

from datetime import date

import pytest
from django.db import DatabaseError, transaction

from diandian.audit.models import AuditEntry, OutboxEvent
from diandian.flows import batches, fulfil, log_fill, recall, remedy
from diandian.flows.close import close
from diandian.flows.issuance import OutsideRetirement, record_outside
from diandian.kernel.memory import Memory
from diandian.registry import actions as registry
from diandian.registry import queries as registry_queries
from diandian.registry.errors import UnderRecallError
from diandian.registry.models import CreditBatch, Recall, Remedy, Retirement
from diandian.registry.recalls.errors import (
    RecalledAlreadyError,
    RecallFactsError,
    RecallSettledError,
    SamePersonError,
)
from diandian.transparency.models import LogEntry
from diandian.verifier import entries
from diandian.verifier.audit import verdict
from diandian.verifier.audit.book import Book
from diandian.verifier.audit.replay import Replay
from diandian.verifier.merkle import Frontier
from tests.flows.conftest import NOW
from tests.flows.recalls import (
    TONNE,
    another_project,
    bad_batch,
    bought,
    more,
    newest,
    opened,
    recalled,
    record,
    started,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_remembered():
    Memory.forget_everything()


def test_only_good_enough_credits_replace(world):
    order = bought(world, 300_000)
    more(world.project, text="OLD", vintage_year=2024, period_start=date(2024, 1, 1))
    more(world.project, text="SAMPLE", is_sample=True)
    outside = more(world.project, text="OUTSIDE", custody="external")
    another_project("other-wind", kind="wind")
    recalled()
    assert record(order)["state"] == "short"
    # The tonne at the outside registry counts once it is retired there.
    gone = OutsideRetirement(
        first_tonne=1, last_tonne=1, reference="R-1", retired_at=NOW, is_simulated=True
    )
    record_outside(outside, gone, actor_ref="operator:test")
    assert recall.retry() == 1
    found = record(order)
    assert found["recalls"][0]["replacements"][0]["ranges"][0]["batch"] == outside.public_id


@pytest.mark.parametrize(
    ("bad", "good", "is_enough"),
    [
        ("ccer", "puhui", False),
        ("ccer", "other", False),
        ("ccer", "not-known", False),
        ("ccer", "ccer", True),
        ("ccer", "allowance", True),
        ("puhui", "ccer", True),
        ("other", "not-known", True),
        ("not-known", "other", True),
    ],
)
def test_a_worse_class_never_replaces(world, bad, good, is_enough):
    order = bought(world, 300_000)
    CreditBatch.objects.update(credit_class=bad)
    CreditBatch.objects.filter(id=more(world.project).id).update(credit_class=good)
    recalled()
    assert record(order)["state"] == ("remedied" if is_enough else "short")


_DATED = {"adjustment_reference": "BTR 2", "adjustment_on": date(2026, 3, 1)}
_COMMITTED = {"adjustment_declaration": "committed"}
_PENDING = _COMMITTED | {"adjustment_status": "pending"}
_COMPLETED = _COMMITTED | {"adjustment_status": "completed"} | _DATED
_NOT_REQUIRED = {"adjustment_declaration": "not_required"}
_LABELLED = {"ccp_label": True, "ccp_reference": "CCP 7", "ccp_on": date(2026, 3, 1)}


@pytest.mark.parametrize(
    ("bad", "good", "is_enough"),
    [
        (_COMMITTED, {}, False),
        (_COMMITTED, _NOT_REQUIRED, False),
        (_COMMITTED, _COMMITTED, True),
        (_PENDING, _COMMITTED, False),
        (_PENDING, _COMPLETED, True),
        (_COMPLETED, _PENDING, False),
        (_COMPLETED, _COMPLETED, True),
        (_NOT_REQUIRED, {}, False),
        (_NOT_REQUIRED, _PENDING, False),
        (_NOT_REQUIRED, _NOT_REQUIRED, True),
        (_NOT_REQUIRED, _COMPLETED, True),
        ({}, _NOT_REQUIRED, True),
        (_LABELLED, {}, False),
        (_LABELLED, _LABELLED, True),
        ({}, _LABELLED, True),
    ],
)
def test_neither_adjustment_nor_label_is_lost(world, bad, good, is_enough):
    order = bought(world, 300_000)
    CreditBatch.objects.update(**bad)
    CreditBatch.objects.filter(id=more(world.project).id).update(**good)
    recalled()
    assert record(order)["state"] == ("remedied" if is_enough else "short")


def test_what_cannot_be_replaced_does_not_keep_others_waiting(world):
    stuck = [bought(world, 300_000) for _ in range(2)]
    recalled()
    world.project = another_project("other-wind", kind="wind")
    order = bought(world, 300_000)
    recalled(CreditBatch.objects.get(project=world.project))
    more(world.project, text="WIND")
    assert recall.retry(1) == 1
    assert [record(each)["state"] for each in (*stuck, order)] == ["short", "short", "remedied"]
    assert recall.retry(1) == 0


def test_large_certificates_do_not_keep_small_ones_waiting(world):
    large = bought(world, 900_000)
    small = bought(world, 50_000)
    recalled()
    more(world.project, text="NEW")
    bought(world, 900_000)
    assert recall.retry(1) == 1
    assert record(large)["state"] == "short"
    assert record(small)["state"] == "remedied"
    assert recall.retry(1) == 0


def test_an_order_that_somebody_is_changing_does_not_keep_others_waiting(world, monkeypatch):
    busy, free = (bought(world, 300_000) for _ in range(2))
    recalled()
    more(world.project, text="NEW")
    with monkeypatch.context() as patch:
        patch.setattr(
            recall, "lock_orders_of_refs", lambda refs: {ref for ref in refs if ref != busy.ref}
        )
        assert recall.retry(1) == 1
    assert [record(each)["state"] for each in (busy, free)] == ["short", "remedied"]
    assert recall.retry(1) == 1
    assert record(busy)["state"] == "remedied"


def test_the_operators_list_comes_last_and_likeness_before_it(world):
    order = bought(world, 300_000)
    another_project("other-wind", kind="wind")
    near = another_project("other-solar")
    found = recalled(sources=["other-wind"])
    loss = record(order)["recalls"][0]
    assert [each["project"] for each in loss["replacements"]] == [near.code]
    assert found.sources == ["other-wind"]


def test_a_need_may_be_met_from_several_projects(world):
    order = bought(world, 900_000)
    more(world.project, text="A")
    bought(world, 600_000)
    near = another_project("other-solar")
    recalled()
    loss = record(order)["recalls"][0]
    assert [each["project"] for each in loss["replacements"]] == [world.project.code, near.code]
    assert loss["replaced_g"] == 900_000


def test_two_people_open_and_approve(world):
    found = opened()
    with pytest.raises(SamePersonError, match="second person"):
        recall.approve(found, approved_by="operator:  wEN ")
    with pytest.raises(DatabaseError), transaction.atomic():
        Recall.objects.update(state="running", approved_by="operator:Wen", approved_at=NOW)
    assert bad_batch().state == "frozen"
    with pytest.raises(UnderRecallError, match="frozen"):
        registry.thaw(bad_batch(), "we need stock")
    recall.drop(found, dropped_by="operator:Wen")
    assert bad_batch().state == "open"
    with pytest.raises(RecallSettledError):
        recall.approve(found, approved_by="operator:Jansen")


def test_a_batch_that_was_stopped_before_stays_stopped_when_a_recall_is_dropped(world):
    registry.freeze(bad_batch(), "under review")
    recall.drop(opened(), dropped_by="operator:Wen")
    assert bad_batch().state == "frozen"


def test_a_batch_that_is_stopped_while_a_recall_is_open_stays_stopped_when_that_is_dropped(world):
    found = opened()
    number = bad_batch().public_id
    for _ in range(2):
        batches.freeze(number, reason="under-review", actor_ref="operator:Wen")
    told = AuditEntry.objects.filter(action="recall.batch_kept_frozen")
    assert [(each.actor_ref, each.details) for each in told] == [
        ("operator:Wen", {"reason": "under-review"})
    ]

    recall.drop(found, dropped_by="operator:Wen")
    assert bad_batch().state == "frozen"

    batches.thaw(number, reason="reviewed", actor_ref="operator:Wen")
    assert bad_batch().state == "open"


def test_a_recalled_batch_never_sells_or_thaws(world):
    started()
    registry.freeze(bad_batch(), "again")
    registry.thaw(bad_batch(), "please")
    assert bad_batch().state == "recalled"
    with pytest.raises(DatabaseError, match="stays recalled"), transaction.atomic():
        CreditBatch.objects.update(state="open")
    assert registry_queries.available_g(world.project.id) == 0


def test_a_paid_order_that_waits_for_a_recalled_batch_is_refunded(world):
    order = world.order(300_000)
    started()
    assert world.pay(order) == "paid"
    for hours in range(1, 8):
        fulfil.drain(at=world.later(hours=24 * hours))
    assert world.state(order) == "refunded"
    assert world.stock().held_g == 0


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"kind": "sour"}, "its kind"),
        ({"grams": (0, 2 * TONNE)}, "do not lie"),
        ({"grams": (5, 5)}, "do not lie"),
        ({"grams": (-5, 5)}, "do not lie"),
    ],
)
def test_a_recall_that_does_not_fit_is_refused(world, facts, why):
    with pytest.raises(RecallFactsError, match=why):
        opened(**facts)
    assert bad_batch().state == "open"


def test_grams_are_recalled_once(world):
    opened(grams=(0, 500_000))
    with pytest.raises(RecalledAlreadyError):
        opened(grams=(499_999, TONNE))
    opened(grams=(500_000, TONNE))


def test_a_stop_in_the_middle_of_a_commit_loses_nothing(world, monkeypatch):
    orders = [bought(world, 10_000) for _ in range(7)]
    more(world.project)
    found = started()
    assert recall.work(3) == 3
    supersede = remedy.certificate_actions.supersede

    def dies(*args, **kwargs):
        supersede(*args, **kwargs)
        raise RuntimeError("stopped in the middle of a commit")

    with monkeypatch.context() as patch:
        patch.setattr(remedy.certificate_actions, "supersede", dies)
        with pytest.raises(RuntimeError):
            recall.work(3)
    assert Remedy.objects.count() == 3
    assert recall.work(3) == 3
    # Somebody begins anew: what has its answer is not answered again.
    Recall.objects.update(position=0)
    while recall.work(3):
        pass
    found.refresh_from_db()
    assert found.state == "done"
    assert [newest(order).version for order in orders] == [2] * 7
    assert Remedy.objects.count() == Retirement.objects.filter(purpose="remedy").count() == 7
    assert OutboxEvent.objects.filter(kind=remedy.ANSWERED).count() == 7
    assert recall.work() == 0


def test_one_portion_costs_the_same_few_queries_for_many(world, django_assert_max_num_queries):
    for _ in range(5):
        bought(world, 10_000)
    more(world.project)
    started()
    with django_assert_max_num_queries(56):
        assert recall.work() == 5


def test_the_books_close_after_a_recall(world):
    for mass_g in (300_000, 500_000):
        bought(world, mass_g)
    more(world.project)
    recalled()
    found = close(actor="operator:test")
    assert found.breaches == ()
    assert found.holds


def test_the_public_log_tells_all_of_it_and_names_nobody(world):
    registry.freeze(bad_batch(), "only the forest sells here")
    log_fill.fill()
    forest = more(world.project, 2, text="FOREST", buffer_g=50_000)
    orders = [bought(world, 200_000) for _ in range(2)]
    more(world.project, 1, text="OTHER", sale_lanes=1)
    before = LogEntry.objects.count()
    found = recalled(forest, kind="reversal", grams=(0, 400_000))
    told = [entries.decode(row.body.encode()) for row in log_entries_from(before)]
    kinds = [body["type"] for body in told]
    assert kinds == ["freeze", "recall", "reversal", "retire", "retire"] + ["remedy"] * 3
    first, second = (record(order)["retirement"] for order in orders)
    assert told[1]["recall"] == found.public_id
    assert told[2]["ranges"] == [[forest.public_id, 1_950_000, 2_000_000]]
    assert [body["replaces"] for body in told[3:5]] == [first, second]
    steps = [(body["retirement"], body["outcome"], body["short_g"]) for body in told[5:]]
    assert steps == [(first, "buffer", 150_000), (first, "replaced", 0), (second, "replaced", 0)]
    assert "Lin Wan" not in str(told)
    log = record(orders[1])["recalls"][0]["replacements"][0]["log"]
    assert log["entry"] == told[4]
    assert log["index"] == LogEntry.objects.get(ref=f"retire:{told[4]['retirement']}").position


def test_an_auditor_who_replays_the_log_finds_nothing(world):
    registry.freeze(bad_batch(), "only the forest sells here")
    forest = more(world.project, 2, text="FOREST", buffer_g=50_000)
    bought(world, 200_000), bought(world, 900_000)
    second = more(world.project, text="SECOND")
    recalled(forest, kind="reversal")
    more(world.project, text="THIRD")
    assert recall.retry() == 1
    recalled(second)
    recall.drop(opened(), dropped_by="operator:Wen")
    book = Book()
    data = [row.body.encode() for row in log_entries_from(0)]
    Replay(book).take(0, data, lambda _: Frontier())
    used = [entries.decode(each) for each in data]
    for each in book.recalls.values():
        for body in used:
            for batch, start_g, end_g in body["ranges"] if body["type"] == "retire" else ():
                shared_g = min(end_g, each.end_g) - max(start_g, each.start_g)
                if batch == each.batch and shared_g > 0:
                    name = body["retirement"]
                    each.affected[name] = each.affected.get(name, 0) + shared_g
    assert [str(found) for found in verdict.findings(book)] == []
    assert [str(found) for found in book.findings] == []
    told = verdict.balance(book.recalls[Recall.objects.get(batch=forest).public_id])
    assert (told.buffer_g, told.open_g, told.short_g) == (50_000, 0, 0)


def log_entries_from(first):
    return LogEntry.objects.order_by("position")[first:]


def test_a_project_without_a_price_replaces_nothing(world):
    order = bought(world, 300_000)
    more(world.project)
    near = another_project("never-offered")
    near.offers.all().delete()
    CreditBatch.objects.filter(source_ref="test:MORE").update(state="frozen")
    recalled()
    assert record(order)["state"] == "short"
