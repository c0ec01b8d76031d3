"""What guests read about money on its way back, and the sandbox bank's desk to try it."""

import re

import pytest

from diandian.certificates import queries as certificates
from diandian.flows import checkout, fulfil, goodwill, refund, resolve
from diandian.kernel.memory import Memory
from diandian.orders import actions as orders
from diandian.orders.models import Order, OrderPayment, OrderState
from diandian.payments.gateways.sandbox import disputes as bank
from diandian.payments.gateways.sandbox import refunds as sandbox_desk
from diandian.payments.models import Dispute, Refund
from tests.flows.conftest import clock, crash, world  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh():
    Memory.forget_everything()


@pytest.fixture
def paid(world, crash):  # noqa: F811 - the fixtures
    mend = crash(fulfil, "fulfil_order")
    order = world.order()
    assert world.pay(order) == "paid"
    mend()
    return order


@pytest.fixture
def done(world):  # noqa: F811 - the fixture
    order = world.order()
    assert world.pay(order) == "completed"
    return order


def text(response):
    plain = re.sub("<[^>]+>", " ", response.content.decode())
    return re.sub(r"\s+", " ", plain)


def order_page(client, order):
    return text(client.get(f"/o/{order.token}", headers={"accept-language": "en"}))


def test_a_refund_is_followed_in_plain_words(client, world, paid):  # noqa: F811 - the fixture
    sandbox_desk.think(world.peer, world.payment(paid).payment_no)
    asked = refund.refund_order(paid, "asked", at=world.now)
    page = order_page(client, paid)
    assert "On its way back to you" in page
    assert "a part of" not in page
    said = {"abnormal": "Your bank could not take it", "failed": "This did not go through"}
    for end, words in said.items():
        world.deliver(sandbox_desk.decide(world.peer, asked.refund_no, end, world.now))
        assert words in order_page(client, paid)
    again = refund.refund_order(paid, "asked", at=world.later(hours=1))
    world.deliver(sandbox_desk.decide(world.peer, again.refund_no, "succeeded", world.now))
    page = order_page(client, paid)
    assert "Returned, the way it came" in page
    assert "did not go through" not in page, "a newer one took its place"


def test_a_refund_that_came_back_is_looked_into(client, world, paid):  # noqa: F811 - the fixture
    made = refund.refund_order(paid, "asked", at=world.now)
    assert "The whole amount was returned" in order_page(client, paid)
    world.deliver(sandbox_desk.bring_back(world.peer, made.refund_no, world.now))
    page = order_page(client, paid)
    assert "We are looking into it" in page
    assert "This did not go through. The money is safe" in page
    assert "was returned" not in page


def test_a_refund_in_part_says_so(client, world, paid):  # noqa: F811 - the fixture
    orders.move(Order.objects.get(id=paid.id), OrderState.REVIEW)
    orders.park(paid.intake)
    part = resolve.Part(world.payment(paid).payment_no, 300, 0)
    resolve.refund_part(paid.id, part=part, actor="operator:li", reason="part", at=world.now)
    page = order_page(client, paid)
    assert "3.00" in page
    assert "a part of what you paid" in page


def test_an_order_whose_money_stays_says_nothing(client, world, paid):  # noqa: F811 - the fixture
    assert "Money back" not in order_page(client, paid)


def test_what_all_went_back_by_hand_is_called_returned(client, world, paid):  # noqa: F811
    number = world.payment(paid).payment_no
    world.deliver(sandbox_desk.by_hand(world.peer, number, 300, world.now))
    assert "We are looking into it" in order_page(client, paid)
    world.deliver(sandbox_desk.by_hand(world.peer, number, 504, world.now))
    assert world.state(paid) == "review", "its grams are still held"
    assert "The whole amount was returned. Nothing was retired." in order_page(client, paid)


def test_a_refund_that_failed_is_not_called_on_its_way(client, world, paid):  # noqa: F811
    sandbox_desk.think(world.peer, world.payment(paid).payment_no)
    asked = refund.refund_order(paid, "asked", at=world.now)
    assert "The whole amount is being returned" in order_page(client, paid)
    world.deliver(sandbox_desk.decide(world.peer, asked.refund_no, "failed", world.now))
    page = order_page(client, paid)
    assert "The whole amount" not in page
    assert "on its way back" not in page
    assert "We are looking into it" in page


def test_what_found_no_way_home_is_not_called_on_its_way(client, world, paid):  # noqa: F811
    sandbox_desk.think(world.peer, world.payment(paid).payment_no)
    asked = refund.refund_order(paid, "asked", at=world.now)
    world.deliver(sandbox_desk.decide(world.peer, asked.refund_no, "abnormal", world.now))
    page = order_page(client, paid)
    assert "We are looking into it" in page
    assert "on its way back" not in page
    assert "the way it came" not in page
    world.deliver(sandbox_desk.decide(world.peer, asked.refund_no, "succeeded", world.now))
    assert "The whole amount was returned" in order_page(client, paid)


def test_goodwill_after_the_certificate_is_read_on_the_orders_page(client, world, done):  # noqa: F811
    assert client.get(f"/o/{done.token}").status_code == 303
    asked = goodwill.ask(done.id, amount_minor=300, actor="operator:li", reason="kind")
    goodwill.confirm(asked, actor="operator:wang")
    response = client.get(f"/o/{done.token}", headers={"accept-language": "en"})
    page = text(response)
    assert "Your certificate is ready" in page
    assert "3.00" in page
    assert "a part of what you paid" in page
    code = certificates.code_of_order(done.ref)
    assert f'href="/c/{code}"' in response.content.decode()
    # Who waits there with scripts goes on to the certificate as ever.
    waits = client.get(f"/o/{done.token}", headers={"HX-Request": "true"})
    assert f"/c/{code}" in waits["HX-Redirect"]


def test_a_part_that_went_back_by_hand_is_not_a_second_payment(client, world, paid):  # noqa: F811
    first, other = world.payment(paid), world.payment(paid)
    other.pk, other.payment_no, other.gateway_ref = None, "DDOTHER", ""
    other.save()
    OrderPayment.objects.create(order=paid, payment=other)
    world.deliver(sandbox_desk.by_hand(world.peer, first.payment_no, 100, world.now))
    assert "You paid twice" not in order_page(client, paid)


def test_who_paid_twice_reads_what_became_of_the_second_payment(client, world):  # noqa: F811
    order = world.order()
    first = world.payment(order)
    world.pay(order, "declined")
    checkout.retry_payment(order, at=world.now)
    world.pay(order)
    sandbox_desk.think(world.peer, first.payment_no)
    world.deliver(world.peer.settle_anyway(first.payment_no, world.now))
    asked = Refund.objects.get()
    said = {
        "": "The second payment is being returned",
        "abnormal": "has not found its way back yet",
        "succeeded": "The second payment was returned",
    }
    for end, words in said.items():
        if end:
            world.deliver(sandbox_desk.decide(world.peer, asked.refund_no, end, world.now))
        assert words in order_page(client, order)


def test_what_a_bank_took_is_told(client, world, paid):  # noqa: F811 - the fixture
    number = world.payment(paid).payment_no
    taken, notice = bank.begin(world.peer, number, amount_minor=804, now=world.now)
    world.deliver(notice)
    assert "Your bank asked for this" in order_page(client, paid)
    world.deliver(bank.end(world.peer, taken, "lost", world.now))
    page = order_page(client, paid)
    assert "Your bank took this back for you" in page
    assert "The whole amount was returned" in page
    assert "Your bank asked for this" not in page


# -- the sandbox bank's desk -------------------------------------------------------------------


def press(client, world, order, **form):  # noqa: F811 - the fixture
    return client.post(f"/sandbox/{world.token(world.payment(order))}/desk", form)


def test_everything_can_be_tried_at_the_banks_desk(client, world, paid):  # noqa: F811
    token = world.token(world.payment(paid))
    assert f"/sandbox/{token}/desk" in client.get(f"/sandbox/{token}").content.decode()
    assert press(client, world, paid, action="part").status_code == 303
    assert [each.kind for each in Refund.objects.all()] == ["external"]
    press(client, world, paid, action="think")
    resolve.give_back(paid.id, actor="operator:li", reason="asked", at=world.now)
    asked = Refund.objects.last()
    assert asked.state == "processing"
    assert asked.refund_no in client.get(f"/sandbox/{token}/desk").content.decode()
    for end in ("abnormal", "succeeded"):
        press(client, world, paid, action=end, which=asked.refund_no)
        asked.refresh_from_db()
        assert asked.state == end
    assert world.state(paid) == "refunded"
    press(client, world, paid, action="dispute")
    press(client, world, paid, action="won", which=Dispute.objects.get().dispute_ref)
    assert Dispute.objects.get().state == "won"


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"action": "sell"},
        {"action": "won", "which": "sd_none"},
        {"action": "failed", "which": "R1"},
        {"action": "failed"},
    ],
)
def test_what_the_bank_does_not_offer_happens_not(client, world, paid, form):  # noqa: F811
    assert press(client, world, paid, **form).status_code == 422
    assert not Refund.objects.exists()
    assert not Dispute.objects.exists()


def test_nothing_is_tried_with_another_ones_refund(client, world, paid):  # noqa: F811
    other = world.order()
    world.pay(other)
    sandbox_desk.think(world.peer, world.payment(paid).payment_no)
    asked = refund.refund_order(paid, "asked", at=world.now)
    assert press(client, world, other, action="failed", which=asked.refund_no).status_code == 422


def test_an_unpaid_payment_has_no_desk(client, world):  # noqa: F811 - the fixture
    order = world.order()
    token = world.token(world.payment(order))
    assert client.get(f"/sandbox/{token}/desk").status_code == 404
    assert client.get("/sandbox/none/desk").status_code == 404
