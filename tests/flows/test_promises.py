"""Certificates whose tonnes were only held follow when the issuing registry retires them."""

import threading
from datetime import UTC, date, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from diandian.audit.models import OutboxEvent
from diandian.certificates import actions as certificate_actions
from diandian.certificates import keys
from diandian.certificates import queries as certificates
from diandian.certificates.models import Certificate
from diandian.certificates.verify import verify_code
from diandian.claims import wording
from diandian.flows import log_fill, promises
from diandian.flows.erase import erase_order
from diandian.flows.issuance import OutsideRetirement, record_outside
from diandian.flows.locks import lock_order
from diandian.jobs import subscribers
from diandian.registry import actions as registry
from diandian.registry.models import CreditBatch
from diandian.verifier import certificate as record_check
from diandian.verifier import credential

pytestmark = pytest.mark.django_db

RETIRED_AT = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def batch(world):
    """Put three tonnes on sale that an outside registry keeps, and nothing else."""
    registry.freeze(CreditBatch.objects.get(), "only the outside tonnes sell in this test")
    issued = registry.issue(
        project=world.project,
        serial_text="OUTSIDE-1~OUTSIDE-3",
        vintage_year=2025,
        period_start=date(2025, 1, 1),
        period_end=date(2025, 12, 31),
        custody="external",
        verified_by="Verifier",
        verified_on=date(2026, 1, 31),
        source_ref="test:outside",
    )
    log_fill.fill()
    return issued


def bought(world, mass_g, name="Lin Wan"):
    order = world.order(mass_g, name=name)
    assert world.pay(order) == "completed"
    return order


def retire(batch, first, last, reference="R-1", at=RETIRED_AT):
    outside = OutsideRetirement(
        first_tonne=first,
        last_tonne=last,
        reference=reference,
        retired_at=at,
        registry_url="https://registry.example/R-1",
        is_simulated=True,
    )
    record_outside(batch, outside, actor_ref="operator:test")


def work():
    while subscribers.deliver(32):
        pass


def newest(order):
    return certificates.of_order(order.ref)


def test_a_held_certificate_says_retired_once_its_tonne_is(world, batch):
    order = bought(world, 300_000)
    first = newest(order)
    assert certificates.record_of(first)["state"] == "held"
    assert first.promised_by == date(2026, 12, 6)

    retire(batch, 1, 1)
    work()

    found = newest(order)
    record = certificates.record_of(found)
    assert (found.code, found.version, found.state) == (first.code, 2, "current")
    assert record["state"] == "retired"
    assert record["retired_at"] == "2026-11-22T12:00:00Z"
    assert record["retire_by"] is None
    assert record["upstream"]["reference"] == "R-1"
    assert record["upstream"]["registry"] == "https://registry.example/R-1"
    assert record["claim"]["level"] == "L2"
    assert record["replaces"] == {"version": 1, "sha256": first.sha256}
    assert record["beneficiary"]["display_name"] == "Lin Wan"
    assert record["ranges"] == certificates.record_of(first)["ranges"]
    assert credential.verify(found.credential, keys.public_key()) == []
    assert record_check.check(record) == []
    assert found.promised_by is None
    assert verify_code(found.code).answer == "valid"
    assert certificates.by_code(found.code).version == 2


def test_the_earlier_version_stays_as_it_was_signed_and_is_told_apart(world, batch):
    order = bought(world, 300_000)
    signed = newest(order).credential
    retire(batch, 1, 1)
    work()
    verdict = verify_code(newest(order).code, version=1)
    assert verdict.answer == "replaced"
    assert verdict.certificate.credential == signed
    assert credential.verify(verdict.certificate.credential, keys.public_key()) == []
    assert verify_code(newest(order).code, version=3).answer == "not_found"
    assert verify_code(newest(order).code, version=2).answer == "valid"


def test_only_certificates_whose_every_tonne_is_retired_follow(world, batch):
    inside, across = bought(world, 900_000), bought(world, 300_000)
    retire(batch, 1, 1)
    work()
    assert (newest(inside).version, newest(across).version) == (2, 1)
    retire(batch, 3, 3, "R-3")
    work()
    assert newest(across).version == 1
    retire(batch, 2, 2, "R-2", RETIRED_AT + timedelta(hours=2))
    work()
    record = certificates.record_of(newest(across))
    assert record["upstream"]["reference"] == "R-1; R-2"
    assert record["retired_at"] == "2026-11-22T14:00:00Z"


def test_telling_twice_changes_nothing_more(world, batch):
    order = bought(world, 300_000)
    retire(batch, 1, 1)
    retire(batch, 1, 1)
    work()
    OutboxEvent.objects.filter(kind=promises.FOLLOW).update(state="pending")
    work()
    assert promises.sweep() == 0
    assert Certificate.objects.filter(code=newest(order).code).count() == 2
    assert OutboxEvent.objects.filter(kind=promises.FOLLOWED).count() == 1


def test_many_follow_in_portions_and_a_stop_loses_nothing(world, batch, monkeypatch):
    orders = [bought(world, 10_000) for _ in range(7)]
    retire(batch, 1, 1)
    monkeypatch.setattr(promises, "AT_ONCE", 3)
    portion = promises.follow(limit=3)
    assert (portion.followed, portion.is_last) == (3, False)
    # Stopped here; whoever goes on begins anew, and finds the other four only.
    supersede = certificate_actions.supersede

    def dies(*args, **kwargs):
        supersede(*args, **kwargs)
        raise RuntimeError("stopped in the middle of a commit")

    with monkeypatch.context() as patch:
        patch.setattr(certificate_actions, "supersede", dies)
        with pytest.raises(RuntimeError):
            promises.follow(limit=3)
    assert Certificate.objects.filter(version=2).count() == 3
    assert promises.follow_all() == 4
    assert [newest(order).version for order in orders] == [2] * 7


def test_one_portion_costs_the_same_few_queries_for_many(
    world, batch, django_assert_max_num_queries
):
    for _ in range(5):
        bought(world, 10_000)
    retire(batch, 1, 1)
    with django_assert_max_num_queries(16):
        assert promises.follow().followed == 5


def test_who_was_erased_stays_erased_in_the_next_version(world, batch):
    order = bought(world, 300_000)
    erase_order(order)
    retire(batch, 1, 1)
    work()
    assert newest(order).version == 3
    assert "Lin Wan" not in str(newest(order).credential)


def test_erasing_removes_every_version_with_the_name(world, batch):
    order = bought(world, 300_000)
    retire(batch, 1, 1)
    work()
    erase_order(order)
    rows = list(Certificate.objects.filter(code=newest(order).code))
    assert [row.version for row in rows] == [3]
    record = certificates.record_of(rows[0])
    assert record["beneficiary"]["display_name"] == ""
    assert "replaces" not in record
    assert record["state"] == "retired"
    assert verify_code(rows[0].code).answer == "valid"
    old = verify_code(rows[0].code, version=1)
    assert (old.answer, old.certificate) == ("replaced", None)


def test_a_native_certificate_is_retired_at_once_and_promises_nothing(world):
    order = bought(world, 300_000)
    assert newest(order).promised_by is None
    assert promises.standing().open == 0


def test_overdue_promises_are_listed_and_logged(world, batch, clock, caplog):
    order = bought(world, 300_000)
    code = newest(order).code
    assert promises.warn_overdue() == 0
    clock.shift(timedelta(days=15))
    assert promises.warn_overdue() == 1
    assert code in caplog.text
    errors = StringIO()
    with pytest.raises(SystemExit) as stopped:
        call_command("promises", stdout=StringIO(), stderr=errors)
    assert stopped.value.code == 1
    assert code in errors.getvalue()
    retire(batch, 1, 1)
    said = StringIO()
    call_command("promises", stdout=said)
    assert "1 certificates now say retired" in said.getvalue()
    assert promises.warn_overdue() == 0


def test_the_operator_enters_a_retirement_with_its_evidence(world, batch, tmp_path):
    order = bought(world, 300_000)
    letter = tmp_path / "letter.pdf"
    letter.write_bytes(b"retired")
    asked = ["retired_outside", batch.public_id, "1", "1", "--reference", "R-1"]
    asked += ["--evidence", str(letter), "--at", "2026-11-22T08:00Z", "--as", "Wen", "--simulated"]
    call_command(*asked, stdout=StringIO())
    assert batch.upstream_retirements.count() == 0
    call_command(*asked, "--yes", stdout=StringIO())
    work()
    assert newest(order).version == 2
    with pytest.raises(CommandError, match="Nothing was entered"):
        call_command(*asked[:2], "1", "9", *asked[4:], "--yes", stdout=StringIO())
    with pytest.raises(CommandError, match="Nothing was entered"):
        call_command(asked[0], "b-none", *asked[2:], stdout=StringIO())


def test_the_words_follow_the_state(world, batch):
    order = bought(world, 300_000)
    before = certificates.record_of(newest(order))
    retire(batch, 1, 1)
    work()
    after = certificates.record_of(newest(order))
    assert "will be retired by 2026-12-06" in wording.statement(before, "en")
    assert "bought and retired" in wording.statement(after, "en")


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_an_order_that_somebody_changes_is_left_for_the_next_time(world, batch):
    if connection.vendor != "postgresql":
        pytest.skip("one writer at a time: nobody else can hold the order")
    order = bought(world, 300_000)
    retire(batch, 1, 1)
    held, done = threading.Event(), threading.Event()

    def somebody_else():
        try:
            with transaction.atomic():
                lock_order(order.id)
                held.set()
                done.wait(20)
        finally:
            connection.close()

    other = threading.Thread(target=somebody_else)
    other.start()
    try:
        assert held.wait(20)
        assert promises.follow().followed == 0
    finally:
        done.set()
        other.join()
    assert promises.follow().followed == 1
