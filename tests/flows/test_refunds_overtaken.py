"""Refunds that something overtakes: a bank, a wire of people, a failure after success (32, 34)."""

import pytest

from diandian.audit import queries as audit
from diandian.flows import abnormal, goodwill, payment_events, refund, returning, settling
from diandian.ledger import chart
from diandian.payments import errors
from diandian.payments.gateways.sandbox import disputes as bank
from diandian.payments.gateways.sandbox import refunds as desk
from diandian.payments.gateways.sandbox.gateway import SandboxGateway
from diandian.payments.messages import NOT_FOUND, Rejected, Unknown, VerifiedNotice
from diandian.payments.models import Refund
from diandian.settlement.models import Return
from tests.flows.books import CLEARING, IN_TRANSIT, PREPAID
from tests.flows.money import (  # noqa: F401 - fixtures among them
    GOODWILL,
    LI,
    LOSS,
    WANG,
    acts,
    all_books,
    done_order,
    paid_order,
    part,
    reviewed_order,
    take,
    total,
    whole,
)
from tests.flows.settling import (
    SUPPLIER,
    house_breaches,
    line_of,
    merchant_file,
    passed_on_shared,
    payee,
    retired,
    supplier_collects,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("statements_agree")]


def give(order, amount_minor, at):
    asked = goodwill.ask(order.id, amount_minor=amount_minor, at=at, **LI)
    goodwill.confirm(asked, at=at, **WANG)
    return Refund.objects.last()


def went_back(world, order):
    """Return what the gateway gave back of an order's payment, in minor units."""
    return world.peer.by_no(world.payment(order).payment_no).refunded_minor


# -- a bank, while the supplier's part comes back (34) ----------------------------------------


@pytest.fixture
def passed_on(world, settings, tmp_path):
    """A retired order whose supplier has its part and stands for refunds."""
    return passed_on_shared(world, settings, tmp_path)


@pytest.fixture
def meanwhile(world, passed_on, monkeypatch):
    """Let something happen while the gateway takes the supplier's part back."""
    real = SandboxGateway.reverse_split

    def install(happens):
        def slow(gateway, context, request, *, at):
            answer = real(gateway, context, request, at=at)
            happens(at)
            payment_events.refresh(world.payment(passed_on).payment_no, at=at)
            return answer

        monkeypatch.setattr(SandboxGateway, "reverse_split", slow)

    return install


@pytest.mark.parametrize("verdict", ["lost", "won", None])
def test_34_a_chargeback_that_comes_while_the_share_comes_back_stops_the_refund(
    world, passed_on, meanwhile, verdict
):
    number = world.payment(passed_on).payment_no

    def taken(at):
        ref, _ = bank.begin(world.peer, number, amount_minor=804, now=at)
        if verdict:
            bank.end(world.peer, ref, verdict, at)

    meanwhile(taken)
    made = give(passed_on, 804, world.later(days=9))
    for days in range(10, 14):
        settling.settle(at=world.later(days=days))
        refund.continue_refunds(at=world.later(days=days))
    made.refresh_from_db()
    if verdict == "won":
        assert (made.state, went_back(world, passed_on)) == ("succeeded", 804)
    else:
        assert made.state == ("failed" if verdict else "requested")
        assert made.sent_at is None
        assert went_back(world, passed_on) == 0, "the bank has the same money"
    assert house_breaches() == []


def test_34_a_chargeback_that_comes_just_before_leaves_the_supplier_its_share(
    world, settings, tmp_path, monkeypatch
):
    """The refund is given up before anything says that its share is asked for."""
    merchant_file(tmp_path, settings, settlement="connect", shares=True)
    payee(at=world.now)
    order = retired(world)
    number = world.payment(order).payment_no
    real = returning.reverse_before_refund

    def late(*args, at, **facts):
        ref, _ = bank.begin(world.peer, number, amount_minor=402, now=at)
        bank.end(world.peer, ref, "lost", at)
        payment_events.refresh(number, at=at)
        return real(*args, at=at, **facts)

    monkeypatch.setattr(returning, "reverse_before_refund", late)
    made = give(order, 402, world.later(days=1))
    assert (made.state, went_back(world, order)) == ("failed", 0)
    in_vain = Return.objects.get(return_no=f"V{made.refund_no}")
    # Nobody sent the part yet: what the refund took of it is not taken any more.
    assert (in_vain.state, in_vain.given_back_at) == ("failed", None)
    line = line_of(order)
    assert (line.leg.amount_minor, line.returned_minor, line.refunded_minor) == (372, 372, 402)
    assert world.balance(chart.supplier_payable("CNY", SUPPLIER)) == -372
    assert house_breaches() == []


# -- a bank that takes less than was to go back (34) ------------------------------------------


@pytest.fixture
def unsent(world, paid, crash):
    """A refund in full that was decided and that no gateway was asked for yet."""
    mend = crash(refund, "_dispatch")
    with pytest.raises(RuntimeError):
        refund.refund_order(paid, "asked", at=world.now)
    mend()
    return Refund.objects.get()


def lose(world, order, amount_minor):
    number, notice = take(world, order, amount_minor)
    world.deliver(notice)
    world.deliver(bank.end(world.peer, number, "lost", world.now))


def test_34_what_a_bank_left_of_a_refund_still_goes_back(world, paid, unsent):
    lose(world, paid, 300)
    assert all_books(world) == {CLEARING: 504, IN_TRANSIT: -504}
    for days in range(1, 4):
        refund.continue_refunds(at=world.later(days=days))
    assert [(each.state, each.amount_minor) for each in Refund.objects.all()] == [
        ("failed", 804),
        ("succeeded", 504),
    ]
    assert went_back(world, paid) == 504
    assert (world.state(paid), all_books(world)) == ("refunded", {})
    [told] = [each for each in audit.trail(paid.ref) if each.action == "refund.given_up"]
    assert told.details["amount_minor"] == 804
    assert told.details["again_minor"] == 504


def test_34_two_banks_leave_the_rest_of_the_rest(world, paid, unsent):
    lose(world, paid, 300)
    lose(world, paid, 200)
    refund.continue_refunds(at=world.later(days=1))
    states = [(each.state, each.amount_minor) for each in Refund.objects.all()]
    assert states == [("failed", 804), ("failed", 504), ("succeeded", 304)]
    assert (world.state(paid), all_books(world)) == ("refunded", {})


def test_34_the_rest_waits_for_another_bank(world, paid, unsent):
    other, notice = take(world, paid, 200)
    world.deliver(notice)
    lose(world, paid, 300)
    refund.continue_refunds(at=world.later(minutes=5))
    assert went_back(world, paid) == 0
    world.deliver(bank.end(world.peer, other, "won", world.now))
    refund.continue_refunds(at=world.later(days=1))
    assert went_back(world, paid) == 504
    assert (world.state(paid), all_books(world)) == ("refunded", {})


def test_34_a_part_that_the_bank_gave_back_is_not_given_again(world, looked_at, crash):
    mend = crash(refund, "send_all")
    with pytest.raises(RuntimeError):
        part(world, looked_at, 300)
    mend()
    lose(world, looked_at, 300)
    refund.continue_refunds(at=world.later(days=1))
    assert [each.state for each in Refund.objects.all()] == ["failed"]
    assert all_books(world) == {CLEARING: 504, PREPAID: -504}
    assert world.state(looked_at) == "review"


def test_34_goodwill_that_a_bank_overtook_is_for_people(world, done, crash):
    mend = crash(refund, "send_all")
    with pytest.raises(RuntimeError):
        give(done, 804, world.now)
    mend()
    lose(world, done, 300)
    refund.continue_refunds(at=world.later(days=1))
    assert [each.state for each in Refund.objects.all()] == ["failed"]
    assert all_books(world) == {CLEARING: 504, LOSS: 300}
    [told] = [each for each in audit.trail(done.ref) if each.action == "refund.given_up"]
    assert told.details["again_minor"] == 0
    assert give(done, 504, world.later(days=1)).state == "succeeded"


# -- people who paid by bank (32) -------------------------------------------------------------


@pytest.fixture
def lost_way(world, paid):
    """A refund that the gateway took and could not pay out."""
    desk.think(world.peer, world.payment(paid).payment_no)
    made = refund.refund_order(paid, "decided", at=world.now)
    world.deliver(desk.decide(world.peer, made.refund_no, "abnormal", world.now))
    made.refresh_from_db()
    assert made.state == "abnormal"
    return made


def test_32_what_somebody_paid_by_bank_is_not_tried_at_the_gateway_too(world, paid, lost_way):
    asked = abnormal.ask_otherwise(lost_way.id, evidence="transfer 4711", at=world.now, **LI)
    with pytest.raises(errors.PaidOtherwiseError):
        abnormal.mend(lost_way.id, actor="operator:wang", reason="again", at=world.later(hours=2))
    assert went_back(world, paid) == total(paid), "the gateway has it, abnormal as it is"
    assert "refund.mending" not in acts(paid)
    goodwill.refuse(asked, at=world.now, **WANG)
    assert abnormal.mend(lost_way.id, at=world.now, **LI).state == "succeeded"


def test_34_what_a_bank_decides_about_is_not_tried_again_meanwhile(world, paid, lost_way):
    number, notice = take(world, paid)
    world.deliver(notice)
    with pytest.raises(errors.DisputedError):
        abnormal.mend(lost_way.id, at=world.now, **LI)
    world.deliver(bank.end(world.peer, number, "won", world.now))
    assert abnormal.mend(lost_way.id, at=world.now, **LI).state == "succeeded"


def test_32_what_the_gateway_tries_again_is_not_paid_by_bank_too(
    world, paid, lost_way, monkeypatch
):
    """It takes its time over the second try: until it says so, nobody pays by bank."""

    def slowly(gateway, context, request, *, at):
        world.peer.run(
            "UPDATE refund_stands SET state = 'processing' WHERE refund_no = ?",
            (request.refund_no,),
        )
        return gateway.query_refund(context, request.refund_no, at=at)

    monkeypatch.setattr(SandboxGateway, "mend_refund", slowly)
    assert abnormal.mend(lost_way.id, at=world.now, **LI).state == "processing"
    with pytest.raises(errors.NotAbnormalError):
        abnormal.ask_otherwise(lost_way.id, evidence="transfer 4711", at=world.now, **LI)
    world.deliver(desk.decide(world.peer, lost_way.refund_no, "abnormal", world.now))
    abnormal.ask_otherwise(lost_way.id, evidence="transfer 4711", at=world.now, **LI)


# -- a failure after success (32) -------------------------------------------------------------


def test_32_a_refund_that_fails_after_it_was_done_is_undone(world, paid):
    made = refund.refund_order(paid, "asked", at=world.now)
    assert (made.state, world.state(paid)) == ("succeeded", "refunded")
    notice = desk.bring_back(world.peer, made.refund_no, world.later(days=5))
    for _ in range(2):
        world.deliver(notice, at=world.later(days=5))
    made.refresh_from_db()
    assert (made.state, world.state(paid)) == ("failed", "unfulfillable")
    assert all_books(world) == {CLEARING: total(paid), PREPAID: -total(paid)}
    assert acts(paid) == ["refund.failed"], "people are told, once"
    again = refund.refund_order(paid, "asked again", at=world.later(days=6))
    assert (again.state, world.state(paid)) == ("succeeded", "refunded")
    assert all_books(world) == {}


def test_32_a_notice_that_names_the_refund_tells_it_too(world, paid, monkeypatch):
    made = refund.refund_order(paid, "asked", at=world.now)
    desk.bring_back(world.peer, made.refund_no, world.now)

    def parse(self, context, headers, body, *, at):
        return VerifiedNotice("N1", "refund.failed", "", at, refund_no=made.refund_no)

    monkeypatch.setattr(SandboxGateway, "parse_notification", parse)
    payment_events.receive_notice("sandbox", {}, b"{}", at=world.now)
    made.refresh_from_db()
    assert (made.state, world.state(paid)) == ("failed", "unfulfillable")


def test_32_goodwill_that_fails_after_it_was_done_costs_nothing(world, done):
    made = give(done, 804, world.now)
    assert all_books(world) == {GOODWILL: 804}
    at = world.later(days=5)
    world.deliver(desk.bring_back(world.peer, made.refund_no, at), at=at)
    made.refresh_from_db()
    assert (made.state, world.state(done)) == ("failed", "completed")
    assert all_books(world) == {CLEARING: 804}
    assert give(done, 804, world.later(days=6)).state == "succeeded"


@pytest.mark.parametrize("answer", [Unknown("timeout"), Rejected("busy", "", True)])
def test_32_what_nobody_could_ask_about_is_asked_again(world, paid, monkeypatch, answer):
    made = refund.refund_order(paid, "asked", at=world.now)
    with monkeypatch.context() as patch:
        patch.setattr(SandboxGateway, "query_refund", lambda *_, **__: answer)
        at = world.later(days=5)
        world.deliver(desk.bring_back(world.peer, made.refund_no, at), at=at)
    made.refresh_from_db()
    assert made.state == "succeeded"
    payment_events.retry_notices(at=world.later(days=6))
    made.refresh_from_db()
    assert (made.state, world.state(paid)) == ("failed", "unfulfillable")


def test_32_a_supplier_gets_its_share_of_a_refund_that_came_back(world, passed_on):
    made = give(passed_on, 804, world.later(days=9))
    assert world.balance(GOODWILL) == 60
    at = world.later(days=12)
    desk.bring_back(world.peer, made.refund_no, at)
    payment_events.refresh(made.payment.payment_no, at=at)
    assert world.balance(GOODWILL) == 0
    assert Return.objects.get().given_back_at == at
    assert house_breaches() == []


def test_32_what_came_back_to_a_supplier_who_collects_is_for_people(world, settings, tmp_path):
    """We owe the supplier for it already, and may have paid that."""
    supplier_collects(tmp_path, settings)
    payee(at=world.now, account="solar1")
    order = retired(world)
    made = give(order, 300, world.later(days=1))
    assert made.state == "succeeded"
    number = world.payment(order).payment_no
    desk.bring_back(world.peer, made.refund_no, world.later(days=5))
    payment_events.refresh(number, at=world.later(days=5))
    made.refresh_from_db()
    assert made.state == "succeeded"
    assert "refund.contradicted" in acts(order)
    assert house_breaches() == []


def test_32_what_a_gateway_does_not_know_any_more_stays_done(world, paid, monkeypatch):
    made = refund.refund_order(paid, "asked", at=world.now)
    monkeypatch.setattr(SandboxGateway, "query_refund", lambda *_, **__: Rejected(NOT_FOUND))
    never = lambda *_, **__: pytest.fail("sent again")  # noqa: E731
    monkeypatch.setattr(SandboxGateway, "refund", never)
    payment_events.refresh(made.payment.payment_no, at=world.later(days=400))
    made.refresh_from_db()
    assert (made.state, world.state(paid)) == ("succeeded", "refunded")
    assert world.payment(paid).next_query_at is None, "that was an answer: nobody asks for ever"
