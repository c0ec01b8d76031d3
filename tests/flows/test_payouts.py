"""Payouts by bank: two people, a frozen copy, one file, booked once (rows 45, 46)."""

import csv
import io
import json
import xml.etree.ElementTree as ET

import pytest

from diandian.flows import accruing, payees, payouts, settling
from diandian.kernel.canonical import digest_hex
from diandian.ledger import chart
from diandian.ledger.models import Journal
from diandian.settlement import statements
from diandian.settlement.errors import (
    BatchStateError,
    BelowMinimumError,
    LineMovesError,
    NoPayeeError,
    NotForThisBankError,
    NothingDueError,
    ResultFileError,
    SamePersonError,
)
from diandian.settlement.lines import actions as line_actions
from diandian.settlement.models import Batch, BatchFile, Line
from tests.flows.settling import (
    AFTER,
    SUPPLIER,
    bank_payee,
    house_breaches,
    line_of,
    merchant_file,
    payee,
    retired,
    settle,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("statements_agree")]
PAYABLE = chart.supplier_payable("CNY", SUPPLIER)
FACTS = {"supplier_ref": SUPPLIER, "currency": "CNY", "rail": "bank"}


@pytest.fixture
def principal(world, settings, tmp_path):
    """A world in which we sell credits of our own; suppliers are paid by bank."""
    merchant_file(tmp_path, settings, settlement="principal")
    accounts = tmp_path / "payers.toml"
    accounts.write_text(
        """[CNY]
name = "点点示例"
account = "1000200030004000"
bank = "示例银行"
cnaps = "102651000099"

[EUR]
name = "Diandian"
iban = "DE89370400440532013000"
bic = "COBADEFFXXX"
""",
        encoding="utf-8",
    )
    settings.PAYER_ACCOUNTS_FILE = str(accounts)
    settings.PAYOUT_MINIMUM_MINOR = 1000
    return world


@pytest.fixture
def due(principal):
    """Two orders whose suppliers' parts are due."""
    bank_payee(principal.now)
    orders = [retired(principal), retired(principal, name="Wu")]
    settle(principal, **AFTER)
    assert [line_of(order).state for order in orders] == ["due", "due"]
    return orders


def draft(world, **later):
    return payouts.draft(**FACTS, actor_ref="ann", at=world.later(**(later or AFTER)))


def locked(world):
    return payouts.lock(draft(world), actor_ref="ann", at=world.later(**AFTER))


def approved(world):
    return payouts.approve(locked(world), actor_ref="bo", at=world.later(**AFTER))


def export(world, batch, form="neutral"):
    return payouts.export(batch, form=form, actor_ref="bo", at=world.later(**AFTER))


def result(batch, state="paid", amount="14.88", reference="B-1"):
    head = "number,amount,currency,state,bank_ref,reason\n"
    return (head + f"{batch.number},{amount},CNY,{state},{reference},closed\n").encode()


def take(world, content):
    return payouts.import_results(content, actor_ref="ann", at=world.later(days=9))


def test_a_payout_goes_from_draft_to_paid_and_is_booked_once(principal, due):
    batch = approved(principal)
    assert (batch.net_minor, batch.state) == (1488, "approved")
    export(principal, batch)
    assert {line_of(order).state for order in due} == {"submitted"}
    assert take(principal, result(batch)) == 1
    assert take(principal, result(batch)) == 0, "the same file again changes nothing"
    assert {line_of(order).state for order in due} == {"paid"}
    assert (principal.balance(PAYABLE), principal.balance("CNY:1010")) == (0, -1488)
    assert Journal.objects.filter(kind="payout").count() == 1
    batch = payouts.reconcile(batch, bank_ref="S-9", actor_ref="ann", at=principal.now)
    assert batch.state == "reconciled"
    assert house_breaches() == []


def test_the_sum_of_the_lines_is_what_is_booked(principal, due):
    batch = approved(principal)
    export(principal, batch)
    take(principal, result(batch))
    lines = sum(line.supplier_minor for line in Line.objects.filter(batch=batch))
    booked = Journal.objects.get(kind="payout").transfers.get().amount_minor
    assert lines == booked == batch.statement["totals"]["supplier_minor"] == 1488


def test_45_a_locked_payout_keeps_the_account_it_was_locked_with(principal, due):
    batch = locked(principal)
    payee(
        "cn_bank",
        "",
        at=principal.later(days=1),
        name="别人",
        account="9999999999",
        bank="别的银行",
        cnaps="999999999999",
    )
    batch = payouts.approve(batch, actor_ref="bo", at=principal.later(days=30))
    file = export(principal, batch)
    text = file.content.decode("utf-8-sig")
    assert "6222000011112222" in text
    assert "9999999999" not in text


def test_45_an_account_that_cools_down_pays_nobody(principal, due):
    standing = payee(
        "cn_bank",
        "",
        at=principal.later(days=7),
        name="新户名",
        account="1234567890",
        bank="银行",
        cnaps="102651000013",
    )
    assert standing.active_from == principal.later(days=10)
    assert locked(principal).payee["account"] == "6222000011112222"


def test_an_account_taken_out_of_force_stops_the_next_lock(principal, due):
    from diandian.settlement import queries

    standing = queries.payee_in_force(SUPPLIER, gateway="", at=principal.later(**AFTER))
    payees.withdraw(standing.id, actor_ref="ann", at=principal.later(**AFTER))
    with pytest.raises(NoPayeeError):
        locked(principal)


def test_whoever_drafted_or_locked_cannot_approve(principal, due):
    batch = payouts.lock(draft(principal), actor_ref="bo", at=principal.later(**AFTER))
    for person in ("ann", "bo"):
        with pytest.raises(SamePersonError):
            payouts.approve(batch, actor_ref=person, at=principal.now)
    assert payouts.approve(batch, actor_ref="cy", at=principal.now).approved_by == "cy"


def test_46_a_second_export_is_a_copy_and_sends_nothing_twice(principal, due):
    batch = approved(principal)
    first, second = export(principal, batch), export(principal, batch)
    assert (first.copy_number, second.copy_number) == (1, 2)
    assert "copy" in second.name
    assert "COPY" in second.content.decode("utf-8-sig")
    assert "COPY" not in first.content.decode("utf-8-sig")
    files = BatchFile.objects.filter(batch=batch)
    assert [file.copy_number for file in files] == [1, 2]
    assert len({file.sha256 for file in files}) == 2
    assert Batch.objects.get().state == "submitted"


def test_46_a_draft_is_one_and_its_lines_are_in_no_other(principal, due):
    first = draft(principal)
    assert draft(principal) == first
    assert Line.objects.filter(batch=first).count() == 2
    locked_batch = payouts.lock(first, actor_ref="ann", at=principal.later(**AFTER))
    with pytest.raises(NothingDueError):
        draft(principal)
    with pytest.raises(BatchStateError):
        payouts.lock(locked_batch, actor_ref="ann", at=principal.now)


@pytest.mark.parametrize(
    "change",
    [{"supplier_ref": "nobody"}, {"currency": "QQQ"}, {"currency": ""}, {"rail": "gateway"}],
)
def test_no_payout_is_drafted_of_what_is_not_due(principal, due, change):
    with pytest.raises(NothingDueError):
        payouts.draft(**FACTS | change, actor_ref="ann", at=principal.later(**AFTER))
    assert Batch.objects.count() == 0


def test_46_nothing_is_exported_before_somebody_approved_it(principal, due):
    for batch in (draft(principal), locked(principal)):
        with pytest.raises(BatchStateError):
            export(principal, batch)
    assert BatchFile.objects.count() == 0


def test_below_the_minimum_everything_is_carried_forward(principal, due, settings):
    settings.PAYOUT_MINIMUM_MINOR = 1489
    with pytest.raises(BelowMinimumError):
        locked(principal)
    settings.PAYOUT_MINIMUM_MINOR = 1488
    assert locked(principal).net_minor == 1488


def test_a_cancelled_payout_lets_its_parts_go(principal, due):
    batch = locked(principal)
    payouts.cancel(batch, reason="typing error", actor_ref="ann", at=principal.now)
    assert {line_of(order).state for order in due} == {"due"}
    assert locked(principal).lines.count() == 2
    assert house_breaches() == []


def test_a_payout_that_the_bank_sent_back_is_due_again(principal, due):
    batch = approved(principal)
    export(principal, batch)
    assert take(principal, result(batch, "failed")) == 1
    assert Batch.objects.get().state == "cancelled"
    assert {line_of(order).state for order in due} == {"due"}
    assert principal.balance(PAYABLE) == -1488
    assert house_breaches() == []


def test_a_disputed_part_leaves_a_draft_and_stays_in_a_locked_one(principal, due):
    batch = draft(principal)
    line_actions.dispute(line_of(due[0]), note="less", actor_ref="ann", at=principal.now)
    assert [line.owner_ref for line in batch.lines.all()] == [due[1].ref]
    line_actions.settle_dispute(line_of(due[0]), actor_ref="bo", at=principal.later(**AFTER))
    settling.settle(at=principal.later(**AFTER))
    batch = locked(principal)
    assert batch.lines.count() == 2
    with pytest.raises(LineMovesError):
        line_actions.dispute(line_of(due[0]), note="late", actor_ref="ann", at=principal.now)


def test_35_a_refund_after_a_payout_makes_the_next_one_smaller(principal, due):
    batch = approved(principal)
    export(principal, batch)
    take(principal, result(batch))
    payment = principal.payment(due[0])
    for _ in range(2):
        answer = settling.reverse_before_refund(payment, 804, at=principal.later(days=9))
        assert answer == "ready"
    assert principal.balance(f"CNY:1130:{SUPPLIER}") == 744
    assert house_breaches() == []
    with pytest.raises(BelowMinimumError):
        payouts.lock(draft(principal, days=10), actor_ref="ann", at=principal.later(days=10))
    for name in ("Yu", "Xu", "Zhu"):
        retired(principal, name=name)
    accruing.accrue(at=principal.later(days=11))
    settling.settle(at=principal.later(days=11))
    second = payouts.lock(draft(principal, days=11), actor_ref="ann", at=principal.later(days=11))
    assert second.net_minor == 3 * 744 - 744
    payouts.approve(second, actor_ref="bo", at=principal.later(days=11))
    export(principal, second)
    assert take(principal, result(second, amount="14.88")) == 1
    assert (principal.balance(PAYABLE), principal.balance(f"CNY:1130:{SUPPLIER}")) == (0, 0)
    assert principal.balance("CNY:1010") == -1488 - 1488
    assert house_breaches() == []


# -- files ------------------------------------------------------------------------------------


def test_a_bank_gets_amounts_of_two_decimals_and_no_formula(principal, due):
    batch = approved(principal)
    Batch.objects.filter(id=batch.id).update(payee={**batch.payee, "name": "=cmd()"})
    file = export(principal, Batch.objects.get(id=batch.id))
    row = next(iter(csv.DictReader(io.StringIO(file.content.decode("utf-8-sig")))))
    assert (row["amount"], row["payee_name"], row["same_bank"]) == ("14.88", "'=cmd()", "1")


def test_a_bank_that_wants_gbk_gets_it_in_its_own_words(principal, due):
    file = export(principal, approved(principal), form="chinese-gbk")
    rows = list(csv.reader(io.StringIO(file.content.decode("gbk"))))
    assert rows[0][6] == "金额"
    assert rows[1][6:8] == ["14.88", "人民币"]
    assert rows[1][3] == "光伏示例有限公司"


def test_a_chinese_account_does_not_go_into_a_sepa_file(principal, due):
    with pytest.raises(NotForThisBankError):
        export(principal, approved(principal), form="sepa")
    assert BatchFile.objects.count() == 0


def test_a_sepa_file_bears_the_amount_the_iban_and_the_number(settings, principal):
    from datetime import date

    from diandian.kernel.money import Money
    from diandian.settlement import bank_files

    order = bank_files.Transfer(
        "P261128-1",
        Money(123456789, "EUR"),
        {"kind": "iban", "name": "Zon BV", "iban": "NL91ABNA0417164300", "bic": ""},
        "Diandian P261128-1",
        date(2026, 11, 28),
    )
    made = bank_files.make(order, "sepa", payer=bank_files.payer_of("EUR"))
    tree = ET.fromstring(made.content)  # noqa: S314 - our own
    texts = {element.tag.rpartition("}")[2]: element.text for element in tree.iter()}
    assert texts["InstdAmt"] == "1234567.89"
    assert texts["EndToEndId"] == "P261128-1"
    assert b"NL91ABNA0417164300" in made.content


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"number,amount\n1,2\n",
        b"\xff\xfe",
        b"number,amount,currency,state,bank_ref,reason\nP-1,1,CNY,paid,,\n",
        b"number,amount,currency,state,bank_ref,reason\nP-1,x,CNY,paid,,\n",
        b"number,amount,currency,state,bank_ref,reason\nP-1,1.001,CNY,paid,,\n",
        b"number,amount,currency,state,bank_ref,reason\nP-1,1,QQQ,paid,,\n",
        b"number,amount,currency,state,bank_ref,reason\nP-1,1,CNY,perhaps,,\n",
        b"number,amount,currency,state,bank_ref,reason\r\nP-1,1,CNY,paid\rx,,\r\n",
        b"number,amount,currency,state,bank_ref,reason\nP-1," + b"1" * 200_000 + b",CNY,paid,,\n",
        b"number,amount,currency,state,bank_ref,reason\nP-1,Infinity,CNY,paid,,\n",
        b"number,amount,currency,state,bank_ref,reason\nP-1,NaN,CNY,paid,,\n",
        b"number,amount,currency,state,bank_ref,reason\nP-1,1E+999999999,CNY,paid,,\n",
        b"number,amount,currency,state,bank_ref,reason\nP-1\0,1,CNY,paid,,\n",
    ],
)
def test_a_result_file_that_cannot_be_right_changes_nothing(principal, content):
    with pytest.raises(ResultFileError):
        take(principal, content)


def test_a_result_of_another_amount_is_not_believed(principal, due):
    batch = approved(principal)
    export(principal, batch)
    with pytest.raises(ResultFileError):
        take(principal, result(batch, amount="14.87"))
    assert Batch.objects.get().state == "submitted"


# -- statements -------------------------------------------------------------------------------


def test_a_gateways_payout_is_a_statement_of_what_it_paid(world):
    payee(at=world.now)
    order = retired(world)
    settle(world, **AFTER)
    facts = {**FACTS, "rail": "gateway"}
    batch = payouts.draft(**facts, actor_ref="ann", at=world.later(days=9))
    batch = payouts.lock(batch, actor_ref="ann", at=world.later(days=9))
    assert (batch.state, batch.net_minor, line_of(order).state) == ("paid", 744, "paid")
    assert world.balance(PAYABLE) == 0
    assert house_breaches() == []


def test_a_statement_has_a_digest_and_hides_the_account(principal, due):
    batch = locked(principal)
    sealed = json.loads(statements.as_json(payouts.statement(batch)))
    digest = sealed.pop("digest")
    assert digest == batch.digest == digest_hex(sealed)
    assert sealed["totals"]["gross_minor"] == 1608
    assert "6222000011112222" not in json.dumps(sealed)
    table = list(csv.DictReader(io.StringIO(statements.as_csv(sealed).decode("utf-8-sig"))))
    assert [row["supplier_minor"] for row in table] == ["744", "744"]


def test_a_draft_has_no_statement(principal, due):
    with pytest.raises(BatchStateError):
        payouts.statement(draft(principal))
