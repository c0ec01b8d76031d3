"""What the database itself keeps of suppliers' money: what is forged is refused."""

from datetime import UTC, date, datetime

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from diandian.settlement.models import Batch, BatchFile, Line, Payee, Return, Split

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
TWO = {"decided_by": "bo", "decided_at": AT, "active_from": AT}


def make_payee(**facts):
    known = {"supplier_ref": "one", "kind": "account", "gateway": "sandbox", "detail": {}}
    return Payee.objects.create(proposed_by="ann", proposed_at=AT, **known | facts)


def make_batch(**facts):
    known = {"number": "B1", "supplier_ref": "one", "currency": "CNY", "rail": "bank"}
    return Batch.objects.create(drafted_by="ann", drafted_at=AT, **known | facts)


def make_line(**facts):
    known = {"source_ref": "order:1:sale", "owner_ref": "order:1", "kind": "sale", "rail": "bank"}
    amounts = {"gross_minor": 804, "fee_minor": 60, "supplier_minor": 744}
    return Line.objects.create(
        supplier_ref="one",
        currency="CNY",
        booked_on=date(2026, 11, 22),
        due_from=AT,
        **known | amounts | facts,
    )


def make_split(line, **facts):
    known = {"split_no": "S1", "leg_no": "L1", "receiver": "acct", "amount_minor": 744}
    return Split.objects.create(line=line, created_at=AT, **known | facts)


def make_return(line, **facts):
    known = {"return_no": "V1", "way": "forgone", "amount_minor": 1, "refund_minor": 1}
    return Return.objects.create(line=line, cause="goodwill", created_at=AT, **known | facts)


def make_file(batch, **facts):
    known = {"copy_number": 1, "form": "neutral", "sha256": "0" * 64, "exported_by": "bo"}
    return BatchFile.objects.create(batch=batch, exported_at=AT, **known | facts)


def refused(write, **facts):
    with pytest.raises(IntegrityError), transaction.atomic():
        write(**facts)
    return True


def test_an_account_is_confirmed_by_two_and_has_a_beginning():
    assert make_payee(state="confirmed", **TWO)
    assert refused(make_payee, state="confirmed", **TWO | {"decided_by": "ann"})
    assert refused(make_payee, state="confirmed", **TWO | {"decided_by": ""})
    assert refused(make_payee, state="confirmed", **TWO | {"active_from": None})


def test_one_account_waits_for_its_second_person():
    make_payee()
    assert refused(make_payee)
    assert make_payee(gateway="other")


def test_a_payout_is_approved_by_somebody_else_and_sealed_when_locked():
    assert make_batch(state="approved", digest="d", locked_by="ann", approved_by="bo")
    sealed = {"number": "B2", "state": "approved", "digest": "d", "locked_by": "cy"}
    assert refused(make_batch, approved_by="ann", **sealed)
    assert refused(make_batch, approved_by="cy", **sealed)
    assert refused(make_batch, number="B2", state="locked")


def test_a_supplier_has_one_draft():
    make_batch()
    assert refused(make_batch, number="B2")
    assert make_batch(number="B2", rail="gateway")
    assert refused(make_batch, number="B2", supplier_ref="two")


def test_a_part_adds_up_and_belongs_to_one_sale():
    make_line()
    assert refused(make_line, source_ref="order:1:sale-again")
    assert refused(make_line, owner_ref="order:2")
    other = {"source_ref": "order:2:sale", "owner_ref": "order:2"}
    assert refused(make_line, gross_minor=805, **other)
    assert refused(make_line, supplier_minor=-60, gross_minor=0, **other)
    assert refused(make_line, kind="claim", **other)
    claim = {"gross_minor": -5, "fee_minor": 0, "supplier_minor": -5}
    assert make_line(kind="claim", **other | claim)


def test_a_part_is_on_its_way_once():
    line = make_line()
    make_split(line)
    assert refused(make_split, line=line, split_no="S2", leg_no="L2")
    other = make_line(source_ref="order:2:sale", owner_ref="order:2")
    assert refused(make_split, line=other, amount_minor=0, split_no="S2", leg_no="L2")
    assert refused(make_split, line=other, split_no="S1", leg_no="L2")
    assert refused(make_split, line=other, split_no="S2", leg_no="L1")


def test_what_comes_back_has_an_amount_and_a_split():
    line = make_line()
    make_return(line)
    assert refused(make_return, line=line)
    assert refused(make_return, line=line, return_no="V2", refund_minor=0)
    assert refused(make_return, line=line, return_no="V2", amount_minor=-1)
    assert refused(make_return, line=line, return_no="V2", way="reversed")
    assert make_return(line, return_no="V2", way="reversed", split=make_split(line))


def test_every_export_is_a_copy_of_its_own_and_stays():
    file = make_file(make_batch())
    assert refused(make_file, batch=file.batch)
    with pytest.raises(DatabaseError), transaction.atomic():
        BatchFile.objects.update(form="other")
    with pytest.raises(DatabaseError), transaction.atomic():
        file.delete()


@pytest.mark.parametrize(
    ("make", "column", "value"),
    [
        (make_payee, "detail", {"account": "mine"}),
        (make_payee, "proposed_by", "cy"),
        (make_line, "supplier_minor", 745),
        (make_line, "supplier_ref", "two"),
        (lambda: make_split(make_line()), "receiver", "mine"),
        (lambda: make_split(make_line()), "amount_minor", 1),
        (lambda: make_return(make_line()), "amount_minor", 2),
    ],
)
def test_what_was_agreed_stays(make, column, value):
    row = make()
    with pytest.raises(DatabaseError), transaction.atomic():
        type(row).objects.filter(id=row.id).update(**{column: value})
