"""Every change of the grams stands in the public log, written in its own commit, without names."""

import json

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from diandian.audit.models import AuditEntry
from diandian.certificates.models import Certificate
from diandian.config import guards
from diandian.flows import batches, fulfil, issuance, log_check, log_fill
from diandian.registry import actions as registry_actions
from diandian.registry import queries as registry
from diandian.registry.errors import CancelledDifferentlyError, NotEnoughCreditsError
from diandian.registry.models import CreditBatch, Retirement, UpstreamRetirement
from diandian.transparency import actions as log_actions
from diandian.transparency import queries as log
from diandian.transparency.models import LogEntry
from diandian.verifier import entries
from diandian.verifier.credential import record_of
from tests.registry import builders

pytestmark = pytest.mark.django_db


def said(kind):
    rows = LogEntry.objects.filter(kind=kind).order_by("position")
    return [entries.decode(row.body.encode()) for row in rows]


def bought(world, mass_g=124_000, name="Lin Wan"):
    order = world.order(mass_g, name=name)
    assert world.pay(order) == "completed"
    return order


def test_a_retirement_its_entry_and_its_certificate_say_the_same(world):
    order = bought(world)
    retirement = Retirement.objects.get()
    [entry] = said("retire")
    [piece] = registry.ranges_of(retirement)
    assert entry["retirement"] == retirement.public_id
    assert entry["ranges"] == [[piece.batch, piece.start_g, piece.end_g]]
    assert entry["commit"] == retirement.subject_commit
    record = record_of(Certificate.objects.get(order_ref=order.ref).credential)
    row = log.entry_about(f"retire:{retirement.public_id}")
    assert record["log"] == {
        "origin": log.open_head().origin,
        "index": row.position,
        "entry": entry,
    }
    assert entries.encode(record["log"]["entry"]) == row.body.encode()
    assert log_check.check() == []


def test_no_name_and_no_number_of_an_order_is_in_any_entry(world):
    order = bought(world, name="Lin Wan 林晚")
    text = "\n".join(LogEntry.objects.values_list("body", flat=True))
    assert "retire" in text
    for secret in ("Lin", "Wan", "林晚", json.dumps("林晚").strip('"'), order.token, order.ref):
        assert secret not in text


def test_many_orders_of_one_commit_stand_in_the_order_of_their_grams(world, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(fulfil, "fulfil_order", lambda *_, **__: False)
        orders = [world.order(1_000 * number) for number in (1, 2, 3)]
        for order in orders:
            assert world.pay(order) == "paid"
    assert fulfil.drain(at=world.now) == 3
    starts = [entry["ranges"][0][1] for entry in said("retire")]
    assert starts == sorted(starts) == [0, 1_000, 3_000]
    assert log_check.check() == []


def test_a_purchase_that_fails_leaves_no_entry(world, monkeypatch):
    order = world.order()
    monkeypatch.setattr(fulfil.actions, "complete", lambda *_, **__: 1 / 0)
    assert world.pay(order) == "paid"
    assert said("retire") == []
    monkeypatch.undo()
    assert fulfil.drain(at=world.later(hours=1)) == 1
    assert len(said("retire")) == 1


def issuance_of(project, **facts):
    facts = {
        "serial_text": "X-1~X-3",
        "vintage_year": 2025,
        "period_start": builders.AT.date().replace(year=2025),
        "period_end": builders.AT.date().replace(year=2025, month=12),
        "custody": "external",
        "source_ref": "issue:1",
        "verified_by": "Verifier",
        "verified_on": builders.AT.date(),
        "buffer_g": 1_000_000,
        "issued_at": builders.AT,
    } | facts
    return issuance.issue_batch(
        project_code=project.code, issuance=issuance.Issuance(**facts), actor_ref="test"
    )


@pytest.fixture
def outside():
    return issuance.OutsideRetirement(
        first_tonne=1, last_tonne=2, reference="VCS RT 17", retired_at=builders.AT
    )


def test_an_issuance_and_its_evidence_are_entered_once(outside):
    project = builders.make_project(code="riverbank")
    for _ in range(2):
        batch = issuance_of(project, retired=[outside])
    [issued], [upstream] = said("issue"), said("upstream")
    assert issued["lanes"] == [["sale", 0, 2_000_000], ["buffer", 2_000_000, 3_000_000]]
    assert (issued["batch"], issued["first"], issued["last"]) == (batch.public_id, 1, 3)
    assert (upstream["first"], upstream["last"]) == (1, 2)
    # Words that somebody typed are named by their digest.
    assert upstream["reference"].startswith("sha256-")
    assert log_check.check() == []


def test_a_batch_is_frozen_thawed_and_cancelled_in_three_books_at_once():
    batch = builders.make_batch(tonnes=2, buffer_g=1_000_000)
    log_fill.fill()
    number = batch.public_id
    for _ in range(2):
        batches.freeze(number, reason="under-review", note="a letter came", actor_ref="op:1")
    assert CreditBatch.objects.get().state == "frozen"
    for _ in range(2):
        batches.thaw(number, reason="cleared", actor_ref="op:1")
    assert CreditBatch.objects.get().state == "open"
    for _ in range(2):
        batches.cancel(number, mass_g=400_000, reason="fire", source_ref="c:1", actor_ref="op:1")
    batches.cancel(
        number,
        mass_g=5,
        reason="fire",
        source_ref="r:1",
        from_buffer=True,
        actor_ref="op:1",
        at=builders.AT,
    )
    assert [entry["reason"] for entry in said("freeze")] == ["under-review"]
    assert [entry["reason"] for entry in said("thaw")] == ["cleared"]
    assert [entry["ranges"] for entry in said("cancel")] == [[[number, 0, 400_000]]]
    assert [entry["ranges"] for entry in said("reversal")] == [[[number, 1_000_000, 1_000_005]]]
    trail = list(AuditEntry.objects.order_by("id").values_list("action", flat=True))
    assert trail == ["batch.frozen", "batch.open", "batch.cancelled", "batch.reversed"]
    assert "a letter came" not in "".join(LogEntry.objects.values_list("body", flat=True))
    assert log_check.check() == []


def test_what_is_refused_is_not_entered():
    batch = builders.make_batch()
    log_fill.fill()
    before = LogEntry.objects.count()
    wish = {"reason": "fire", "source_ref": "c:1", "actor_ref": "op:1"}
    with pytest.raises(NotEnoughCreditsError), transaction.atomic():
        batches.cancel(batch.public_id, mass_g=2_000_000, **wish)
    batches.cancel(batch.public_id, mass_g=5, **wish)
    with pytest.raises(CancelledDifferentlyError), transaction.atomic():
        batches.cancel(batch.public_id, mass_g=6, **wish)
    with pytest.raises(AssertionError):
        batches.freeze(batch.public_id, reason="Words, not a code", actor_ref="op:1")
    assert LogEntry.objects.count() == before + 1


def before_the_log():
    """Move grams in all ways, as a program without a log did."""
    project = builders.make_project()
    batch = builders.make_batch(project, buffer_g=100_000)
    for number in range(3):
        builders.hold(project, 1_000 + number, f"order:{number}")
    requests = [builders.request(f"order:{number}") for number in (2, 0, 1)]
    with transaction.atomic():
        registry_actions.retire_many(requests[:1], at=builders.AT)
        registry_actions.cancel(batch=batch, mass_g=7, reason="words", source_ref="c:1")
        registry_actions.retire_many(requests[1:], at=builders.LATER)
        registry_actions.record_upstream(
            batch=batch,
            first_serial=1,
            last_serial=1,
            reference="R-1",
            retired_at=builders.AT,
            evidence_sha256="0" * 64,
        )
    registry_actions.freeze(batch, "words of an operator")
    return batch


def test_what_was_done_before_the_log_is_entered_in_the_order_of_the_grams(monkeypatch):
    batch = before_the_log()
    assert {breach.rule for breach in log_check.check()} == {"X8", "L4"}
    monkeypatch.setattr(log_fill, "PORTION", 2)
    call_command("log", "fill")
    kinds = list(LogEntry.objects.order_by("position").values_list("kind", flat=True))
    uses = ["retire", "cancel", "retire", "retire"]
    assert kinds == ["open", "issue", "upstream", *uses, "freeze"]
    bodies = [entries.decode(data) for data in log.bodies(log.open_head())]
    spans = [body["ranges"][0][1:] for body in bodies if "ranges" in body]
    assert [end for _, end in spans][:-1] == [start for start, _ in spans][1:]
    assert bodies[3]["at"] == "2026-03-01T08:00:00Z"
    assert "words" not in "".join(LogEntry.objects.values_list("body", flat=True))
    assert log_check.check() == []
    assert log_fill.fill() == 0
    batches.thaw(batch.public_id, reason="cleared", actor_ref="op:1")
    registry_actions.freeze(CreditBatch.objects.get(), "again")
    assert log_fill.fill() == 1


def test_an_entry_about_grams_that_the_registry_does_not_know_is_noticed():
    before_the_log()
    log_fill.fill()
    forged = said("retire")[0] | {"retirement": "f" * 32, "ranges": [["b-2025-999", 0, 1]]}
    with transaction.atomic():
        log_actions.append_many([forged], at=builders.AT)
    assert [(breach.rule, breach.subject_ref) for breach in log_check.check()] == [
        ("L4", f"retirement:{'f' * 32}"),
        ("L4", "batch:b-2025-999"),
    ]


def disturbed(statement, *values):
    """Change rows behind everybody's back; return what the check then says."""
    with guards.lifted(), connection.cursor() as cursor:
        cursor.execute(statement, values)
    return {(breach.rule, breach.subject_ref) for breach in log_check.check()}


def test_two_retirements_with_exchanged_grams_are_noticed(world, undone):
    for _ in range(2):
        bought(world)
    first, second = Retirement.objects.order_by("id")
    assert log_check.check() == []
    assert disturbed(
        "UPDATE registry_allocation SET retirement_id = %s - retirement_id"
        " WHERE retirement_id IS NOT NULL",
        first.id + second.id,
    ) == {("L4", f"retirement:{row.public_id}") for row in (first, second)}


def test_a_retirement_with_another_seal_is_noticed(world, undone):
    bought(world)
    row = Retirement.objects.get()
    assert disturbed("UPDATE registry_retirement SET subject_commit = %s", "a" * 64) == {
        ("L4", f"retirement:{row.public_id}")
    }


def test_cancellations_with_exchanged_grams_are_noticed():
    batch = builders.make_batch()
    log_fill.fill()
    for ref in ("c:1", "c:2"):
        batches.cancel(batch.public_id, mass_g=5, reason="fire", source_ref=ref, actor_ref="op:1")
    assert log_check.check() == []
    # Each refers to one source only once: over a third name.
    for old, new in (("c:1", "c:3"), ("c:2", "c:1"), ("c:3", "c:2")):
        found = disturbed(
            "UPDATE registry_allocation SET source_ref = %s WHERE source_ref = %s", new, old
        )
    assert found == {("L4", "cancel:c:1"), ("L4", "cancel:c:2")}


@pytest.mark.parametrize(
    ("change", "member"),
    [
        ("last_serial = last_serial + 1", "last"),
        ("evidence_sha256 = 'aa'", "evidence"),
        ("reference = 'another'", "reference"),
        ("retired_at = '2020-01-01 00:00:00+00:00'", "retired_at"),
        ("is_simulated = NOT is_simulated", "simulated"),
    ],
)
def test_an_outside_retirement_that_is_not_its_entry_is_noticed(outside, change, member):
    issuance_of(builders.make_project(), retired=[outside])
    number = UpstreamRetirement.objects.get().id
    assert log_check.check() == []
    statement = f"UPDATE registry_upstreamretirement SET {change}"  # noqa: S608
    assert disturbed(statement) == {("X8", f"upstream:{number}")}
    [breach] = log_check.check()
    assert breach.detail == f"the public log has another {member}"


def test_an_outside_retirement_that_is_gone_is_noticed(outside):
    batch = issuance_of(builders.make_project(), retired=[outside])
    assert disturbed("DELETE FROM registry_upstreamretirement") == {
        ("X8", f"batch:{batch.public_id}")
    }
