"""A supplier's part: due when all is safe, moved once, whatever gets lost (rows 36, 37)."""

import threading
from dataclasses import replace

import pytest
from django.db import DatabaseError, connection, transaction

from diandian.audit import queries as audit
from diandian.flows import accruing, matched, settling, split_terms
from diandian.ledger import chart
from diandian.ledger.models import Journal
from diandian.payments.gateways.sandbox import splits as sandbox
from diandian.payments.gateways.sandbox.gateway import SandboxGateway
from diandian.payments.messages import Done, Rejected
from diandian.payments.splits import SplitTerms
from diandian.settlement.lines import actions as line_actions
from diandian.settlement.models import Line, Payee, Split
from tests.flows.books import CLEARING
from tests.flows.settling import (
    AFTER,
    SUPPLIER,
    Lost,
    house_breaches,
    line_of,
    merchant_file,
    payee,
    retired,
    settle,
    supplier_collects,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("statements_agree")]
PAYABLE = chart.supplier_payable("CNY", SUPPLIER)


def legs(world):
    return world.peer.run("SELECT receiver, amount_minor, state FROM leg ORDER BY leg_no", ())


# -- when it is due ---------------------------------------------------------------------------


def test_a_part_is_made_once_from_the_books_and_owes_what_the_order_says(world):
    order = retired(world)
    assert accruing.accrue(at=world.now) == 1
    assert accruing.accrue(at=world.now) == 0
    line = line_of(order)
    assert (line.gross_minor, line.supplier_minor, line.fee_minor, line.vat_minor) == (
        *(804, 744, 60),
        3,
    )
    assert (line.state, line.rail, line.mass_g) == ("waiting", "gateway", 124_000)
    assert world.balance(PAYABLE) == -744
    assert house_breaches() == []


def test_a_part_waits_until_its_payment_stands_on_a_statement(world, monkeypatch):
    on_statement = set()
    monkeypatch.setattr(matched, "is_matched", lambda payment: payment.payment_no in on_statement)
    order = retired(world)
    payee(at=world.now)
    settle(world)
    assert (line_of(order).state, line_of(order).waits_for) == ("waiting", "statement")
    assert legs(world) == []
    on_statement.add(world.payment(order).payment_no)
    settle(world, days=9)
    assert line_of(order).state == "paid"


def test_what_the_books_owe_and_no_line_tells_yet_is_no_breach_but_a_lost_line_is(world):
    order = retired(world)
    assert house_breaches() == []
    accruing.accrue(at=world.now)
    Line.objects.filter(id=line_of(order).id).update(state="reversed")
    assert [breach.rule for breach in house_breaches()] == ["S5"]


@pytest.mark.parametrize(
    ("model", "column", "value"),
    [(Line, "supplier_minor", 745), (Payee, "detail", {"account": "thief"})],
)
def test_amounts_and_accounts_stay_as_they_were_written(world, model, column, value):
    payee(at=world.now)
    retired(world)
    accruing.accrue(at=world.now)
    with pytest.raises(DatabaseError), transaction.atomic():
        model.objects.update(**{column: value})


@pytest.mark.parametrize(
    ("days", "with_payee", "waits_for"),
    [(3, True, "refund_window"), (8, False, "supplier"), (8, True, "")],
)
def test_a_part_waits_for_what_is_not_safe_yet(world, days, with_payee, waits_for):
    order = retired(world)
    if with_payee:
        payee(at=world.now)
    accruing.accrue(at=world.now)
    line = line_of(order)
    reason, _ = settling.waits_for(line, world.later(days=days))
    assert reason == waits_for


def test_a_disputed_part_is_not_paid_until_that_is_settled(world):
    payee(at=world.now)
    order = retired(world)
    accruing.accrue(at=world.now)
    line_actions.dispute(line_of(order), note="grams", actor_ref="ann", at=world.now)
    settle(world, **AFTER)
    assert (line_of(order).state, legs(world)) == ("waiting", [])
    line_actions.settle_dispute(line_of(order), actor_ref="bo", at=world.later(**AFTER))
    settle(world, **AFTER)
    assert line_of(order).state == "paid"


# -- by the gateway ---------------------------------------------------------------------------


def test_mode_b_the_gateway_passes_the_suppliers_part_on_and_it_is_booked_once(world):
    payee(at=world.now)
    order = retired(world)
    assert settle(world, **AFTER) == 1
    assert settle(world, days=9) == 0
    assert legs(world) == [("acct_solar", 744, "succeeded")]
    assert (line_of(order).state, world.balance(PAYABLE)) == ("paid", 0)
    assert world.balance(CLEARING) == 804 - 744
    assert Journal.objects.filter(kind="transfer").count() == 1
    assert house_breaches() == []


def test_mode_a_our_fee_is_divided_off_and_the_gross_was_never_ours(world, settings, tmp_path):
    supplier_collects(tmp_path, settings)
    payee(at=world.now, account="solar1")
    order = retired(world)
    assert world.balance(CLEARING) == world.balance(chart.customer_prepayments("CNY")) == 0
    assert world.balance("CNY:9010:sandbox:platform/solar1") == 804
    assert house_breaches() == []
    settle(world, **AFTER)
    assert legs(world) == [("platform", 60, "succeeded")]
    assert line_of(order).state == "paid"
    assert world.balance("CNY:1110:sandbox:platform") == 60
    assert world.balance("CNY:1120:sandbox") == world.balance(PAYABLE) == 0
    assert (world.balance("CNY:4010"), world.balance("CNY:2310")) == (-57, -3)
    assert house_breaches() == []


def test_mode_a_the_fee_goes_to_the_account_that_the_gateway_names(
    world, settings, tmp_path, monkeypatch
):
    supplier_collects(tmp_path, settings)
    terms_at = split_terms.terms_at
    monkeypatch.setattr(
        split_terms, "terms_at", lambda merchant: replace(terms_at(merchant), fee_account="2088")
    )
    payee(at=world.now, account="solar1")
    retired(world)
    settle(world, **AFTER)
    assert legs(world) == [("2088", 60, "succeeded")]
    assert world.balance("CNY:1110:sandbox:platform") == 60


def test_mode_a_pays_nobody_but_the_supplier_who_collected(world, settings, tmp_path):
    merchant_file(tmp_path, settings, settlement="gateway_split", sub_merchant="solar1", options="")
    payee(at=world.now, account="somebody_else")
    order = retired(world)
    settle(world, **AFTER)
    assert (line_of(order).state, line_of(order).waits_for) == ("waiting", "supplier")


def test_mode_c_our_own_credits_are_a_sale_of_the_whole_price(world, settings, tmp_path):
    merchant_file(tmp_path, settings, settlement="principal")
    order = retired(world)
    accruing.accrue(at=world.now)
    assert world.balance("CNY:1110:sandbox:platform") == 804
    assert (world.balance("CNY:4020"), world.balance("CNY:2310")) == (-758, -46)
    assert (world.balance("CNY:5010"), world.balance("CNY:1210")) == (744, 0)
    assert (line_of(order).rail, line_of(order).supplier_minor) == ("bank", 744)
    assert world.balance(PAYABLE) == -744
    assert house_breaches() == []


# -- row 36 -----------------------------------------------------------------------------------


def test_36_a_split_is_not_asked_for_before_the_gateway_takes_it(world, settings):
    settings.SETTLEMENT_REFUND_DAYS = 0
    payee(at=world.now)
    order = retired(world)
    settle(world, seconds=30)
    assert (line_of(order).waits_for, Split.objects.count()) == ("gateway", 0)
    settle(world, seconds=61)
    assert line_of(order).state == "paid"


def test_36_a_gateway_that_says_too_early_is_asked_again_with_the_same_number(world, monkeypatch):
    payee(at=world.now)
    order = retired(world)
    with monkeypatch.context() as patch:
        patch.setattr(
            SandboxGateway,
            "split",
            lambda *_, **__: Rejected("too_early", retryable=True),
        )
        settle(world, **AFTER)
    assert line_of(order).state == "queued"
    settle(world, days=9)
    assert line_of(order).state == "paid"
    assert Split.objects.count() == 1


def test_36_a_part_over_the_ratio_is_for_people_and_never_asked_for(
    world, settings, tmp_path, monkeypatch
):
    # The gateway lowered its ratio after the sale.
    monkeypatch.setattr(split_terms, "takes_fee", lambda *_: True)
    supplier_collects(tmp_path, settings)
    payee(at=world.now, account="solar1")
    order = retired(world, 20_000)  # 120 fen, of which the floor of our fee is 60
    settle(world, **AFTER)
    assert (line_of(order).state, line_of(order).waits_for) == ("failed", "over_cap")
    assert (Split.objects.count(), legs(world)) == (0, [])
    assert "settlement.failed" in {entry.action for entry in audit.trail(order.ref)}


def test_36_a_failed_leg_is_tried_again_under_a_new_number_only_after_a_query(world, monkeypatch):
    payee(at=world.now, account=sandbox.CLOSED_RECEIVER)
    order = retired(world)
    settle(world, **AFTER)
    assert line_of(order).state == "failed"
    first = Split.objects.get()
    with monkeypatch.context() as patch:
        patch.setattr(SandboxGateway, "query_split", lambda *_, **__: Rejected("busy", "", True))
        settle(world, days=9)
    assert Split.objects.count() == 1, "no answer, no new number"
    monkeypatch.setattr(sandbox, "CLOSED_RECEIVER", "nobody")
    settle(world, days=10)
    second = Split.objects.exclude(id=first.id).get()
    assert (second.split_no, second.state) == (f"{first.split_no}-2", "paid")
    assert (line_of(order).state, world.balance(PAYABLE)) == ("paid", 0)
    assert house_breaches() == []


def test_36_a_failed_leg_that_was_paid_after_all_is_not_paid_again(world, monkeypatch):
    payee(at=world.now)
    order = retired(world)
    split = SandboxGateway.split

    def done_but_refused(self, context, request, *, at):
        split(self, context, request, at=at)
        return Rejected("refused")

    with monkeypatch.context() as patch:
        patch.setattr(SandboxGateway, "split", done_but_refused)
        settle(world, **AFTER)
    assert line_of(order).state == "failed"
    settle(world, days=9)
    assert (line_of(order).state, Split.objects.count()) == ("paid", 1)
    assert legs(world) == [("acct_solar", 744, "succeeded")]
    assert house_breaches() == []


def test_36_what_fails_again_and_again_is_for_people(world):
    payee(at=world.now, account=sandbox.CLOSED_RECEIVER)
    order = retired(world)
    for day in range(8, 20):
        settle(world, days=day)
    line = line_of(order)
    assert (line.state, line.next_look_at, line.splits.count()) == ("failed", None, 5)
    assert "settlement.failed" in {entry.action for entry in audit.trail(order.ref)}


# -- row 37 -----------------------------------------------------------------------------------


@pytest.mark.parametrize("really", [True, False])
def test_37_an_answer_that_is_lost_is_asked_for_by_the_same_number(world, monkeypatch, really):
    payee(at=world.now)
    order = retired(world)
    with monkeypatch.context() as patch:
        lost = Lost(patch, "split", really=really)
        settle(world, **AFTER)
    assert (lost.calls, line_of(order).state, world.balance(PAYABLE)) == (1, "unknown", -744)
    assert house_breaches() == []
    settle(world, days=9)
    assert line_of(order).state == "paid"
    assert legs(world) == [("acct_solar", 744, "succeeded")]
    assert (Split.objects.count(), world.balance(PAYABLE)) == (1, 0)
    assert house_breaches() == []


def test_37_an_answer_about_another_amount_is_not_believed(world, monkeypatch):
    payee(at=world.now)
    order = retired(world)
    query = sandbox.query_split

    def other(peer, request):
        from dataclasses import replace

        found = query(peer, request).value
        wrong = tuple(replace(leg, amount_minor=745) for leg in found.legs)
        return Done(replace(found, legs=wrong))

    with monkeypatch.context() as patch:
        patch.setattr(sandbox, "query_split", other)
        settle(world, **AFTER)
    assert (line_of(order).state, world.balance(PAYABLE)) == ("unknown", -744)


@pytest.mark.parametrize("step", ["queue_split", "keep_split"])
def test_a_crash_at_any_step_pays_once(world, crash, step):
    payee(at=world.now)
    order = retired(world)
    mend = crash(line_actions, step)
    settle(world, **AFTER)
    assert line_of(order).state != "paid"
    mend()
    settle(world, days=9)
    assert line_of(order).state == "paid"
    assert legs(world) == [("acct_solar", 744, "succeeded")]
    assert house_breaches() == []


def test_a_crash_of_the_booking_leaves_the_part_unpaid_and_then_books_it_once(world, crash):
    payee(at=world.now)
    order = retired(world)
    mend = crash(settling, "_book")
    settle(world, **AFTER)
    assert (line_of(order).state, world.balance(PAYABLE)) == ("queued", -744)
    mend()
    settle(world, days=9)
    assert (line_of(order).state, world.balance(PAYABLE)) == ("paid", 0)
    assert len(legs(world)) == 1


# -- two at once ------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_workers_pay_a_part_once(world):
    payee(at=world.now)
    order = retired(world)
    accruing.accrue(at=world.now)
    faults = []

    def work():
        try:
            settling.settle(at=world.later(**AFTER))
        except Exception as error:  # noqa: BLE001 - told below
            faults.append(error)
        finally:
            world.peer.hang_up()
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert faults == []
    settle(world, days=9)
    assert legs(world) == [("acct_solar", 744, "succeeded")]
    assert (line_of(order).state, Split.objects.count()) == ("paid", 1)
    assert Journal.objects.filter(kind="transfer").count() == 1
    assert house_breaches() == []


def test_the_sandbox_says_what_it_can_divide(world):
    from diandian.payments.merchants import context_for

    terms = SandboxGateway().capabilities(context_for("sandbox")).split
    assert isinstance(terms, SplitTerms)
    assert terms.pays_supplier
