"""How a batch stands: labels, recognitions and adjustments need their proof, and may change."""

from datetime import date

import pytest
from django.db import IntegrityError, transaction

from diandian.audit.queries import trail
from diandian.registry import actions
from diandian.registry.batches.facts import WHY, Standing
from diandian.registry.errors import IssuanceError
from diandian.registry.models import CreditBatch
from tests.registry.builders import make_batch, make_programme, make_project

pytestmark = pytest.mark.django_db
DAY = date(2026, 2, 1)
VERRA = "0001-000001-000100-VCS-VCU-003-VER-CN-0003-01012025-31122025-1"


def test_what_is_not_told_is_unknown():
    batch = make_batch()
    assert (batch.adjustment_declaration, batch.adjustment_status) == ("unknown", "not_started")
    assert (batch.credit_class, batch.ccp_label) == ("other", False)


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"ccp_reference": "list of 2026"}, "ccp"),
        ({"ccp_on": DAY}, "ccp"),
        ({"adjustment_status": "completed"}, "adjusted"),
        ({"adjustment_status": "completed", "adjustment_reference": "BTR 2"}, "adjusted"),
        (
            {"adjustment_status": "pending", "adjustment_declaration": "not_required"},
            "unneeded",
        ),
        ({"recognition_evidence": "notice 12"}, "recognised"),
        ({"recognition_evidence": "notice 12", "recognised_on": DAY}, "recognised"),
        ({"recognised_on": DAY}, "recognised"),
        ({"evidence_sha256": "AB" * 32}, "digest"),
        ({"evidence_sha256": "ab"}, "digest"),
        ({"verified_on": date(2025, 12, 30)}, "verified_early"),
        ({"quantity": 2}, "quantity"),
    ],
)
def test_a_word_without_its_proof_is_refused(facts, why):
    with pytest.raises(IssuanceError) as refusal:
        make_batch(**facts)
    assert refusal.value.params["why"] == WHY[why]
    assert CreditBatch.objects.count() == 0


def test_words_with_their_proof_are_kept():
    batch = make_batch(
        credit_class="puhui",
        recognition_evidence="notice 12",
        recognised_on=DAY,
        recognition_sha256="ab" * 32,
        adjustment_declaration="committed",
        adjustment_status="completed",
        adjustment_reference="BTR 2",
        adjustment_on=DAY,
        ccp_reference="list of 2026",
        ccp_on=DAY,
        quantity=1,
    )
    batch.refresh_from_db()
    assert batch.ccp_label
    assert (batch.credit_class, batch.recognised_on) == ("puhui", DAY)
    assert (batch.adjustment_status, batch.adjustment_on) == ("completed", DAY)


@pytest.mark.parametrize(
    "change",
    [
        {"ccp_label": True},
        {"ccp_label": True, "ccp_reference": "list of 2026"},
        {"adjustment_status": "completed"},
        {"verified_g": 0},
    ],
)
def test_the_database_itself_keeps_words_and_proof_together(change):
    batch = make_batch()
    with pytest.raises(IntegrityError), transaction.atomic():
        CreditBatch.objects.filter(id=batch.id).update(**change)


def test_a_standing_may_change_and_the_trail_keeps_both():
    batch = make_batch()
    told = Standing(adjustment_declaration="committed", adjustment_status="pending")
    assert actions.restate(batch, told, actor_ref="operator:li")
    assert not actions.restate(batch, told, actor_ref="operator:li")
    batch.refresh_from_db()
    assert batch.adjustment_status == "pending"
    [entry] = trail(f"batch:{batch.public_id}")
    assert entry.details["adjustment_status"] == ["not_started", "pending"]
    with pytest.raises(IssuanceError):
        actions.restate(batch, Standing(ccp_reference="a list"), actor_ref="operator:li")


# --- what serials state -------------------------------------------------------------------------


def verra_project(**facts):
    programme = make_programme(code="VCS", serial_parser="verra")
    return make_project(programme=programme, **({"registry_number": "VCS3"} | facts))


def test_a_serial_agrees_with_its_project_and_period():
    batch = make_batch(verra_project(), serial_text=VERRA, quantity=100)
    assert batch.total_g == 100_000_000
    assert batch.serial_block.numbering == "verra"


@pytest.mark.parametrize(
    ("project", "facts", "why"),
    [
        ({"registry_number": "VCS4"}, {}, "serial_project"),
        ({"registry_number": ""}, {}, "serial_project"),
        ({"country": "NL"}, {}, "serial_country"),
        ({}, {"period_start": date(2025, 1, 2)}, "serial_period"),
        ({}, {"quantity": 99}, "quantity"),
    ],
)
def test_a_serial_that_states_otherwise_is_refused(project, facts, why):
    with pytest.raises(IssuanceError) as refusal:
        make_batch(verra_project(**project), serial_text=VERRA, **facts)
    assert refusal.value.params["why"] == WHY[why]


def test_a_vintage_stands_in_some_serials():
    programme = make_programme(code="GS", serial_parser="gold_standard")
    project = make_project(programme=programme, registry_number="GS2940", country="PA")
    serials = "GS1-1-PA-GS2940-22-2025-28803-38582-38588"
    with pytest.raises(IssuanceError) as refusal:
        make_batch(
            project,
            serial_text=serials,
            vintage_year=2024,
            period_start=date(2024, 1, 1),
        )
    assert refusal.value.params["why"] == WHY["serial_vintage"]
    assert make_batch(project, serial_text=serials, quantity=7).total_g == 7_000_000
