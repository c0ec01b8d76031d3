"""What tests of recalls share: bad and good batches, a recall in one line, a record that holds."""

from datetime import date

from diandian.certificates import keys
from diandian.certificates import queries as certificates
from diandian.flows import log_fill, recall
from diandian.registry import actions as registry
from diandian.registry.models import CreditBatch
from diandian.registry.recalls.queries import totals_of as recall_totals
from diandian.verifier import certificate as record_check
from diandian.verifier import credential
from tests.flows.conftest import NOW, make_project

__all__ = ["recall_totals"]
TEXTS = {"zh-Hans": "测量有误。", "en": "It was measured wrongly.", "nl": "Verkeerd gemeten."}
TONNE = 1_000_000


def bad_batch():
    return CreditBatch.objects.order_by("id").first()


def more(project, tonnes=1, *, text="MORE", **facts):
    facts = {
        "serial_text": f"{text}-1~{text}-{tonnes}",
        "vintage_year": 2025,
        "period_start": date(2025, 1, 1),
        "period_end": date(2025, 12, 31),
        "custody": "native",
        "verified_by": "Verifier",
        "verified_on": date(2026, 1, 31),
        "source_ref": f"test:{text}",
        "at": NOW,
    } | facts
    batch = registry.issue(project=project, **facts)
    log_fill.fill()
    return batch


def another_project(code, *, kind="solar"):
    project = make_project(code)
    type(project).objects.filter(id=project.id).update(kind=kind)
    log_fill.fill()
    return project


def opened(batch=None, *, kind="invalid", **facts):
    return recall.open_recall(
        batch or bad_batch(),
        kind=kind,
        reason="measured-wrongly",
        texts=TEXTS,
        opened_by="operator:Wen",
        **facts,
    )


def started(batch=None, **facts):
    return recall.approve(opened(batch, **facts), approved_by="operator:Jansen")


def recalled(batch=None, **facts):
    found = started(batch, **facts)
    recall.work_all()
    found.refresh_from_db()
    assert found.state == "done"
    return found


def bought(world, mass_g, name="Lin Wan", **facts):
    order = world.order(mass_g, name=name, is_vouched_for=True, **facts)
    assert world.pay(order) == "completed"
    return order


def newest(order):
    return certificates.of_order(order.ref)


def record(order):
    found = certificates.record_of(newest(order))
    assert credential.verify(newest(order).credential, keys.public_key()) == []
    assert record_check.check(found) == []
    return found
