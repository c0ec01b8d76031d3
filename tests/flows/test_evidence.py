"""A certificate never says more than every gram of it has evidence for."""

from datetime import date

import pytest

from diandian.certificates import queries as certificates
from diandian.flows import log_fill
from diandian.registry import actions as registry

pytestmark = pytest.mark.django_db


def issue(world, number, evidence):
    registry.issue(
        project=world.project,
        serial_text=f"LATER{number}-1~LATER{number}-1",
        vintage_year=2025,
        period_start=date(2025, 1, 1),
        period_end=date(2025, 12, 31),
        custody="native",
        verified_by="Verifier",
        verified_on=date(2026, 1, 31),
        recognition_evidence=evidence,
        recognised_on=date(2026, 1, 15) if evidence else None,
        recognition_sha256="ab" * 32 if evidence else "",
        source_ref=f"test:later:{number}",
        at=world.later(days=number),
    )
    log_fill.fill()


@pytest.mark.parametrize(
    ("evidence", "said"),
    [(("A", ""), ""), (("A", "B"), "A; B"), (("A", "A"), "A")],
)
def test_recognition_holds_for_every_batch_or_is_not_said(world, evidence, said):
    assert world.pay(world.order(1_000_000)) == "completed"
    for number, text in enumerate(evidence, start=1):
        issue(world, number, text)
    order = world.order(1_500_000, is_vouched_for=True)
    assert world.pay(order) == "completed"
    record = certificates.record_of(certificates.of_order(order.ref))
    assert len(record["ranges"]) == 2
    assert record["recognition_evidence"] == said
