"""What else moves money at a gateway: parts of suppliers, chargebacks, refunds that come back."""

from dataclasses import replace
from datetime import timedelta

import pytest

from diandian.flows import payment_events, reconcile, reconcile_proof, refund, settling
from diandian.payments import merchants
from diandian.payments.gateways.sandbox import disputes as bank
from diandian.payments.gateways.sandbox import refunds as desk
from diandian.payments.models import Refund
from diandian.reconciliation.models import DayState, GatewayDay
from tests.flows.books import CLEARING
from tests.flows.money import DISPUTED, LOSS, paid_order, take, whole  # noqa: F401 - fixtures
from tests.flows.settling import SUPPLIER, payee, retired, settle
from tests.flows.statements import (
    DAY,
    FEES,
    bought,
    differences,
    gross,
    later,
    outcomes,
    sandbox,
    the_day,
    told,
    turn,
)

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("statements_agree"),
]
NEXT = DAY + timedelta(days=1)


def funds(day=DAY):
    return outcomes(day, "funds")


def left(merchant=None):
    """Return what the monthly proof does not explain."""
    return [each.left_minor for each in reconcile_proof.of_merchant(merchant or sandbox())]


# -- parts of suppliers --------------------------------------------------------------------------


@pytest.fixture
def passed_on(world, settings):
    """An order whose supplier got its part an hour later."""
    settings.SETTLEMENT_REFUND_DAYS = 0
    payee(at=world.now)
    order = retired(world)
    settle(world, hours=1)
    return order


def test_a_part_and_what_was_taken_back_of_it_agree(world, passed_on):
    payment = world.payment(passed_on)
    turn()
    assert funds() == [
        *(("fee", "matched", ""), ("payment", "matched", ""), ("split", "matched", "")),
    ]
    assert outcomes() == [("payment", "matched", "")]
    assert the_day().state == DayState.CLOSED
    assert (world.balance(CLEARING), left()) == (804 - 5 - 744, [0])
    assert settling.reverse_before_refund(payment, 804, at=world.later(days=1)) == "ready"
    turn(later(days=1))
    assert funds(NEXT) == [("reversal", "matched", "")]
    assert the_day(NEXT).state == DayState.CLOSED
    assert (world.balance(CLEARING), left()) == (804 - 5, [0])
    assert reconcile_proof.check() == []


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        (lambda line: [gross(line, -743)], "amount_diff"),
        (lambda line: [line, line], "duplicate"),
        (lambda line: [], "timing"),
        (lambda line: [line, replace(line, our_no="S9", gateway_ref="x")], "missing_here"),
    ],
)
def test_a_part_that_differs_keeps_its_day_open(world, passed_on, change, outcome):
    def bent(lines):
        return [
            each for line in lines for each in (change(line) if line.kind == "split" else [line])
        ]

    with told(bent, kinds=("funds",)):
        turn()
        assert differences() == [("funds", outcome)]
        assert the_day().state == DayState.OPEN
        if outcome == "timing":
            turn(later(days=3))
            assert differences() == [("funds", "missing_there")]


FILE = """[[merchant]]
key = "solar"
gateway = "sandbox"
mode = "test"
merchant = "platform"
sub_merchant = "acct_solar"
settlement = "gateway_split"
suppliers = ["{supplier}"]
options = {{ store = "{store}", keys_dir = "{keys}", split = "fee" }}
[[merchant]]
key = "ours"
gateway = "sandbox"
mode = "test"
merchant = "platform"
settlement = "connect"
suppliers = ["nobody"]
options = {{ store = "{store}", keys_dir = "{keys}" }}
"""


def test_our_fee_goes_out_of_the_suppliers_account_and_comes_into_ours(world, settings, tmp_path):
    path = tmp_path / "merchants.toml"
    path.write_text(
        FILE.format(supplier=SUPPLIER, store=settings.SANDBOX_STORE, keys=settings.KEYS_DIR),
        encoding="utf-8",
    )
    settings.MERCHANTS_FILE = str(path)
    settings.SETTLEMENT_REFUND_DAYS = 0
    payee(at=world.now)
    order = retired(world)
    settle(world, hours=1)
    assert turn() == 2
    days = {day.merchant_key: day for day in GatewayDay.objects.all()}
    assert {key: day.state for key, day in days.items()} == {"solar": "closed", "ours": "closed"}
    own = next(each for each in merchants.every() if each.key == "ours")
    assert left(own) == [0]
    sums = {key: day.figures["money"]["funds"]["CNY"]["net_minor"] for key, day in days.items()}
    assert sums == {"solar": 804 - 5 - 60, "ours": 60}
    assert settling.reverse_before_refund(world.payment(order), 804, at=world.later(days=1))
    turn(later(days=1))
    assert {day.state for day in GatewayDay.objects.all()} == {"closed"}
    assert left(own) == []  # Nothing is there any more, and the statements say the same.
    assert reconcile_proof.check() == []


# -- chargebacks ---------------------------------------------------------------------------------


@pytest.mark.parametrize("verdict", ["won", "lost"])
def test_a_chargeback_agrees_with_its_fee_and_its_end(world, verdict):
    payment = bought(world)
    number, notice = bank.begin(
        world.peer, payment.payment_no, amount_minor=804, fee_minor=500, now=world.now
    )
    world.deliver(notice)
    turn()
    assert ("dispute", "matched", "") in funds()
    assert the_day().state == DayState.CLOSED
    assert (world.balance(CLEARING), world.balance(LOSS)) == (-5 - 500, 500)
    assert left() == [0]
    world.deliver(bank.end(world.peer, number, verdict, world.later(days=1)), world.later(days=1))
    turn(later(days=1))
    assert funds(NEXT) == ([("dispute", "matched", "")] if verdict == "won" else [])
    assert the_day(NEXT).state == DayState.CLOSED
    came_back = 804 if verdict == "won" else 0
    assert (world.balance(CLEARING), world.balance(DISPUTED)) == (came_back - 505, 0)
    assert (world.balance(FEES), left()) == (5, [0])
    assert reconcile_proof.check() == []


def test_a_chargeback_that_we_did_not_hear_of_is_asked_about(world):
    payment = bought(world)
    bank.begin(world.peer, payment.payment_no, amount_minor=300, fee_minor=500, now=world.now)
    turn()
    assert (world.balance(DISPUTED), world.balance(LOSS)) == (300, 500)
    assert the_day().state == DayState.CLOSED
    # It was booked a day later than it stands on the statement.
    assert left() == [0]
    assert reconcile_proof.check() == []


def test_the_fee_of_a_chargeback_is_compared_and_what_comes_back_of_it_is_booked(world):
    payment = bought(world)
    number, _ = bank.begin(
        world.peer, payment.payment_no, amount_minor=804, fee_minor=500, now=world.now
    )
    bank.end(world.peer, number, "won", world.now)

    def bent(lines):
        for line in lines:
            if line.kind == "dispute" and line.gross_minor > 0:
                yield replace(line, fee_minor=-500, net_minor=804 + 500)
            elif line.kind == "dispute":
                yield replace(line, fee_minor=fee, net_minor=-804 - fee)
            else:
                yield line

    fee = 501
    with told(bent, kinds=("funds",)):
        turn()
        assert differences() == [("funds", "fee_diff")]
        fee = 500
        assert turn(later(days=1)) == 2
        reconcile.work_on(the_day(), afresh=True, at=later(days=1))
    assert the_day().state == DayState.CLOSED
    assert (world.balance(LOSS), world.balance(FEES)) == (0, 5)
    assert left() == [0]
    assert reconcile_proof.check() == []


@pytest.mark.parametrize(("verdict", "days"), [("won", 0), ("lost", 0), ("won", 1)])
def test_a_fee_that_comes_back_by_itself_is_known_and_booked_once(world, verdict, days):
    payment = bought(world)
    number, _ = bank.begin(
        world.peer, payment.payment_no, amount_minor=804, fee_minor=500, now=world.now
    )
    payment_events.refresh(payment.payment_no, at=world.now)
    if days:
        turn()
    bank.end(world.peer, number, verdict, world.later(days=days))
    payment_events.refresh(payment.payment_no, at=world.later(days=days))
    lost_minor = world.balance(LOSS)

    def with_fee(lines):
        for line in lines:
            yield line
            if line.kind == "dispute" and (line.gross_minor > 0) == bool(days):
                yield replace(line, gross_minor=0, fee_minor=-500, net_minor=500)

    with told(with_fee, kinds=("funds",)):
        turn(later(days=days))
    assert ("dispute", "matched", "fee_alone") in funds(DAY + timedelta(days=days))
    assert {day.state for day in GatewayDay.objects.all()} == {DayState.CLOSED}
    assert (world.balance(LOSS), world.balance(FEES)) == (lost_minor - 500, 5)
    assert left() == [0]
    assert reconcile_proof.check() == []


# -- refunds that come back ----------------------------------------------------------------------


@pytest.mark.parametrize("days", [0, 1])
def test_a_refund_that_failed_is_taken_off_and_given_back(world, paid, days):
    payment = world.payment(paid)
    desk.think(world.peer, payment.payment_no)
    refund.refund_order(paid, refund.DECIDED, at=world.now)
    [asked] = Refund.objects.all()
    failed_at = world.later(days=days)
    if days:
        turn()
        assert ("refund", "timing", "open_here") in funds()
    desk.decide(world.peer, asked.refund_no, "failed", failed_at)
    payment_events.refresh(payment.payment_no, at=failed_at)
    refund.continue_refunds(at=failed_at + timedelta(hours=2))
    asked.refresh_from_db()
    assert asked.state == "failed"
    turn(later(days=days))
    back = ("refund", "matched", "came_back")
    assert [line for day in {0, days} for line in funds(DAY + timedelta(days=day))].count(back) == 2
    assert {the_day(DAY + timedelta(days=day)).state for day in {0, days}} == {DayState.CLOSED}
    assert (world.balance(CLEARING), left()) == (804 - 5, [0])
    assert reconcile_proof.check() == []


def test_a_statement_tells_of_a_refund_that_came_back_though_no_notice_did(world, paid):
    made = refund.refund_order(paid, refund.DECIDED, at=world.now)
    turn()
    assert (made.state, the_day().state) == ("succeeded", DayState.CLOSED)
    desk.bring_back(world.peer, made.refund_no, world.later(days=2))
    turn(later(days=2))
    made.refresh_from_db()
    assert (made.state, world.state(paid)) == ("failed", "unfulfillable")
    assert ("refund", "matched", "came_back") in funds(DAY + timedelta(days=2))
    assert {day.state for day in GatewayDay.objects.all()} == {DayState.CLOSED}
    assert (world.balance(CLEARING), left()) == (804 - 5, [0])
    assert reconcile_proof.check() == []
