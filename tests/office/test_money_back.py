"""Money back at the operator's desk: looked up, previewed, decided, by two where it is ours."""

import sqlite3

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import transaction
from django.test import Client

from diandian.audit.queries import trail
from diandian.flows import fulfil, payment_events, refund, review
from diandian.kernel.memory import Memory
from diandian.office import money_back
from diandian.orders import actions as orders
from diandian.orders.models import Order, OrderState
from diandian.payments.gateways.sandbox import disputes as bank
from diandian.payments.gateways.sandbox import refunds as sandbox_desk
from diandian.payments.models import Dispute, MoneyRequest, Payment, Refund
from tests.flows.conftest import clock, crash, world  # noqa: F401 - fixtures
from tests.flows.settling import merchant_file

pytestmark = pytest.mark.django_db
BASE = "/admin/payments/refund/money-back"
PAYS = ("view_refund", "change_refund")


def operator(name, *permissions):
    user = get_user_model().objects.create_user(name, f"{name}@example.invalid", "long enough 12")
    user.is_staff = True
    user.save()
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client(headers={"accept-language": "en"}, enforce_csrf_checks=False)
    client.force_login(user)
    return client


@pytest.fixture
def li(db):
    return operator("li", *PAYS)


@pytest.fixture
def wang(db):
    return operator("wang", *PAYS)


@pytest.fixture
def done(world):  # noqa: F811 - the fixture
    order = world.order(name="<b>Lin</b>")
    assert world.pay(order) == "completed"
    return order


@pytest.fixture
def reviewed(world, crash):  # noqa: F811 - the fixtures
    with transaction.atomic():
        order = world.order()
    mend = crash(fulfil, "fulfil_order")
    assert world.pay(order) == "paid"
    mend()
    with transaction.atomic():
        orders.move(Order.objects.get(id=order.id), OrderState.REVIEW)
        orders.park(order.intake)
    return order


def text(answer):
    return answer.content.decode().replace("\xa0", " ").replace("\u202f", " ")


def decide(client, order, **form):
    return client.post(f"{BASE}/orders/{order.id}/", form, follow=True)


def sure(client, order, page, **form):
    seen = page.partition('name="seen" value="')[2].partition('"')[0]
    return decide(client, order, sure="1", seen=seen, **form)


# -- looking -----------------------------------------------------------------------------------


def test_an_empty_desk_says_so(li, world):  # noqa: F811 - the fixture
    assert "Nothing is on its way" in text(li.get(f"{BASE}/"))
    assert "Money back: what needs somebody" in text(li.get("/admin/payments/refund/"))


def test_everything_that_needs_somebody_stands_on_one_page(li, world, done, reviewed):  # noqa: F811
    number = world.payment(done).payment_no
    world.deliver(sandbox_desk.by_hand(world.peer, number, 100, world.now))
    other = world.payment(reviewed).payment_no
    world.deliver(bank.begin(world.peer, other, amount_minor=50, now=world.now)[1])
    page = text(li.get(f"{BASE}/"))
    for words in ("Given back without us", "Disputed by a bank", "Under review, nothing moves"):
        assert words in page
    assert Refund.objects.get().refund_no in page
    assert Dispute.objects.get().dispute_ref in page


def test_a_review_shows_its_age_and_that_it_is_overdue(clock, li, world, reviewed):  # noqa: F811
    assert "overdue" not in text(li.get(f"{BASE}/"))
    clock.move_to(world.later(days=2))
    assert "2 days" in text(li.get(f"{BASE}/"))
    clock.move_to(world.later(days=3))
    page = text(li.get(f"{BASE}/"))
    assert "3 days" in page
    assert "overdue" in page
    Memory.forget_everything()
    assert li.get("/readyz").json()["reviews_overdue"] == 1
    assert "1 waits too long" in text(li.get("/status"))
    # Of what a bank decides nobody here can decide, so nobody is late.
    number = world.payment(reviewed).payment_no
    late = world.later(days=3)
    world.deliver(bank.begin(world.peer, number, amount_minor=50, now=late)[1], late)
    Memory.forget_everything()
    assert li.get("/readyz").json()["reviews_overdue"] == 0
    assert "overdue" not in text(li.get(f"{BASE}/"))


def test_the_clock_of_a_review_begins_anew_when_it_comes_back(clock, world, reviewed):  # noqa: F811
    order = Order.objects.get(id=reviewed.id)
    assert review.overdue(at=world.later(days=3)) == [order]
    clock.move_to(world.later(days=4))
    with transaction.atomic():
        assert orders.move(order, OrderState.PAID)
        assert orders.move(order, OrderState.REVIEW)
    assert review.overdue(at=world.later(days=6)) == []
    assert review.overdue(at=world.later(days=7)) == [order]


def test_whoever_may_only_look_sees_no_forms_and_decides_nothing(world, done):  # noqa: F811
    looks = operator("eye", "view_refund")
    world.deliver(sandbox_desk.by_hand(world.peer, world.payment(done).payment_no, 100, world.now))
    page = text(looks.get(f"{BASE}/"))
    assert 'method="post" action="/admin/payments' not in page
    number = Refund.objects.get().id
    for path in (f"orders/{done.id}", f"refunds/{number}", "requests/1", "disputes/1", "find"):
        assert looks.post(f"{BASE}/{path}/", {"action": "seen", "reason": "x"}).status_code == 403
    stranger = operator("stranger")
    assert stranger.get(f"{BASE}/").status_code == 403
    assert Refund.objects.get().seen_by == ""


def test_forms_need_their_token(world, done):  # noqa: F811
    strict = Client(enforce_csrf_checks=True)
    operator("li", *PAYS)
    strict.force_login(get_user_model().objects.get(username="li"))
    form = {"action": "goodwill", "amount": "1", "reason": "kind"}
    assert strict.post(f"{BASE}/orders/{done.id}/", form).status_code == 403
    assert not MoneyRequest.objects.exists()


@pytest.mark.parametrize("number", ["", "x", "-1", "9" * 30, "<script>", "order:"])
def test_only_numbers_lead_to_an_order(li, world, number):  # noqa: F811 - the fixture
    page = text(li.get(f"{BASE}/find/", {"order": number}, follow=True))
    assert "An order has a number such as 17" in page
    assert "<script>" not in page.partition("<h2")[2]


def test_an_order_is_found_by_its_number(li, done):
    page = text(li.get(f"{BASE}/find/", {"order": str(done.id)}, follow=True))
    assert f"Order {done.id}: retired" in page
    assert li.get(f"{BASE}/orders/999999/").status_code == 404


# -- deciding ----------------------------------------------------------------------------------


def test_a_part_is_shown_first_and_made_once(li, world, reviewed):  # noqa: F811 - the fixture
    number = world.payment(reviewed).payment_no
    form = {"action": "part", "payment_no": number, "amount": "3.00", "reason": "price difference"}
    page = text(decide(li, reviewed, **form))
    assert "This would happen" in page
    assert not Refund.objects.exists()
    assert "Done. It stands in the trail" in text(sure(li, reviewed, page, **form))
    assert [each.amount_minor for each in Refund.objects.all()] == [300]
    assert "changed since you looked" in text(sure(li, reviewed, page, **form))
    assert Refund.objects.count() == 1
    [entry] = trail(reviewed.ref)
    assert (entry.actor_ref, entry.details["reason"]) == ("operator:li", "price difference")


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": amount}
        for amount in ("", "0", "-1", "1e3", "3.001", "٣", "NaN", "9" * 40, "1;DROP", "8.05")
    ]
    + [
        {"reason": ""},
        {"reason": " "},
        {"reason": "x" * 301},
        {"reason": "a\u202eb"},
        {"action": "sell"},
        {"payment_no": "DD0"},
    ],
)
def test_what_was_not_offered_changes_nothing(li, world, reviewed, changes):  # noqa: F811
    form = {
        "action": "part",
        "payment_no": world.payment(reviewed).payment_no,
        "amount": "3.00",
        "reason": "price difference",
    } | changes
    answer = decide(li, reviewed, **form)
    assert answer.status_code == 409
    assert not Refund.objects.exists()
    assert trail(reviewed.ref) == []


def test_an_order_under_review_is_given_back(li, world, reviewed):  # noqa: F811 - the fixture
    form = {"action": "give_back", "reason": "asked by mail"}
    page = text(decide(li, reviewed, **form))
    assert "then it is money on its way back" in page
    assert world.state(reviewed) == "review"
    sure(li, reviewed, page, **form)
    assert world.state(reviewed) == "refunded"


@pytest.fixture
def short(world, settings):  # noqa: F811 - the fixture
    """An order for which a fen less came than its price."""
    order = world.order()
    payment = world.payment(order)
    world.choose(payment, "silent")
    with sqlite3.connect(settings.SANDBOX_STORE) as store:
        store.execute("UPDATE trade SET amount_minor = amount_minor - 1")
    store.close()
    payment_events.refresh(payment.payment_no, at=world.now)
    assert world.state(order) == "review"
    return order


def test_a_payment_that_fell_short_goes_back_by_a_button_of_its_own(li, world, short):  # noqa: F811
    assert "¥0.01 is missing: give back what is here" in text(li.get(f"{BASE}/"))
    page = text(li.get(f"{BASE}/orders/{short.id}/"))
    assert "¥0.01 of the price is missing" in page
    assert "Give back ¥8.03: show what would happen" in page
    assert 'value="accept"' not in page
    form = {"action": "give_back", "reason": "a fen is missing"}
    sure(li, short, text(decide(li, short, **form)), **form)
    assert world.state(short) == "refunded"
    assert [each.amount_minor for each in Refund.objects.all()] == [803]
    assert "is missing" not in text(li.get(f"{BASE}/"))


def test_what_is_too_much_and_what_is_as_agreed_is_told_apart(li, world, reviewed):  # noqa: F811
    assert "as agreed: take it, or give it back" in text(li.get(f"{BASE}/"))
    part = {"action": "part", "payment_no": world.payment(reviewed).payment_no, "amount": "3.00"}
    form = part | {"reason": "price difference"}
    sure(li, reviewed, text(decide(li, reviewed, **form)), **form)
    assert "¥3.00 is missing" in text(li.get(f"{BASE}/"))


def test_goodwill_is_confirmed_by_a_second_person_only(li, wang, world, done):  # noqa: F811
    decide(li, done, action="goodwill", amount="3", reason="<b>kind</b>")
    asked = MoneyRequest.objects.get()
    page = text(li.get(f"{BASE}/"))
    assert "You asked: somebody else confirms" in page
    assert "<b>kind</b>" not in page
    answer = f"{BASE}/requests/{asked.id}/"
    assert "let a second person decide" in text(li.post(answer, {"action": "confirm"}, follow=True))
    assert not Refund.objects.exists()
    assert "under both names" in text(wang.post(answer, {"action": "confirm"}, follow=True))
    again = text(wang.post(answer, {"action": "confirm"}, follow=True))
    assert "This request was decided before" in again
    assert [(each.kind, each.amount_minor) for each in Refund.objects.all()] == [("goodwill", 300)]
    assert wang.post(f"{BASE}/requests/999/", {"action": "confirm"}).status_code == 404


def test_a_request_is_refused(li, wang, done):
    decide(li, done, action="goodwill", amount="3", reason="kind")
    asked = MoneyRequest.objects.get()
    wang.post(f"{BASE}/requests/{asked.id}/", {"action": "refuse"})
    assert MoneyRequest.objects.get().state == "refused"
    assert not Refund.objects.exists()


def test_an_abnormal_refund_is_seen_to(li, wang, world, reviewed):  # noqa: F811 - the fixture
    sandbox_desk.think(world.peer, world.payment(reviewed).payment_no)
    asked = refund.refund_order(reviewed, "asked", at=world.now)
    world.deliver(sandbox_desk.decide(world.peer, asked.refund_no, "abnormal", world.now))
    assert "Found no way home" in text(li.get(f"{BASE}/"))
    path = f"{BASE}/refunds/{asked.id}/"
    bare = text(li.post(path, {"action": "otherwise", "reason": "closed card"}, follow=True))
    assert "Nothing was changed" in bare
    form = {"action": "otherwise", "reason": "closed card", "evidence": "transfer 4711"}
    assert "Try another way" in text(wang.get(f"{BASE}/"))
    li.post(path, form)
    page = text(wang.get(f"{BASE}/"))
    assert "transfer 4711" in page
    assert "a second person confirms or refuses that first" in page
    assert "Try another way" not in page
    tried = text(wang.post(path, {"action": "mend", "reason": "again"}, follow=True))
    assert "The gateway was not asked" in tried
    wang.post(f"{BASE}/requests/{MoneyRequest.objects.get().id}/", {"action": "confirm"})
    assert Refund.objects.get().state == "otherwise"
    assert world.state(reviewed) == "refunded"
    mended = text(li.post(path, {"action": "mend", "reason": "again"}, follow=True))
    assert "does not need other means" in mended


def test_a_refund_that_failed_is_listed_until_its_money_was_asked_for_again(
    li,
    world,  # noqa: F811 - the fixture
    reviewed,
    monkeypatch,
):
    monkeypatch.setattr(money_back, "_MOST_ENDED", 0)
    made = refund.refund_order(reviewed, "asked", at=world.now)
    assert made.refund_no not in text(li.get(f"{BASE}/"))
    world.deliver(sandbox_desk.bring_back(world.peer, made.refund_no, world.now))
    page = text(li.get(f"{BASE}/"))
    assert "waits for you" in page
    assert made.refund_no in page
    refund.refund_order(reviewed, "asked again", at=world.now)
    assert made.refund_no not in text(li.get(f"{BASE}/"))


def test_a_refund_that_waits_says_for_whom(li, world, reviewed, crash):  # noqa: F811
    mend = crash(refund, "_dispatch")
    with pytest.raises(RuntimeError):
        refund.refund_order(reviewed, "asked", at=world.now)
    mend()
    assert "It is sent in its turn" in text(li.get(f"{BASE}/"))
    number = world.payment(reviewed).payment_no
    _, notice = bank.begin(world.peer, number, amount_minor=804, now=world.now)
    world.deliver(notice)
    assert "A bank disputes this payment" in text(li.get(f"{BASE}/"))


def test_a_refund_that_was_not_ours_is_looked_into(li, world, done):  # noqa: F811
    world.deliver(sandbox_desk.by_hand(world.peer, world.payment(done).payment_no, 100, world.now))
    external = Refund.objects.get()
    li.post(f"{BASE}/refunds/{external.id}/", {"action": "seen", "reason": "a colleague, by phone"})
    assert Refund.objects.get().seen_by == "operator:li"
    assert "Given back without us" not in text(li.get(f"{BASE}/"))


def test_money_that_came_back_after_its_order_ended_waits_at_the_desk(li, world, reviewed):  # noqa: F811
    number = world.payment(reviewed).payment_no
    world.deliver(sandbox_desk.by_hand(world.peer, number, 804, world.now))
    page = text(decide(li, reviewed, action="give_back", reason="asked"))
    sure(li, reviewed, page, action="give_back", reason="asked")
    assert world.state(reviewed) == "refunded"
    assert "nothing sends it" not in text(li.get(f"{BASE}/"))
    world.peer.run("UPDATE trade SET refunded_minor = 0 WHERE payment_no = ?", (number,))
    world.deliver(sandbox_desk.notice(world.peer, number, world.now))
    page = text(li.get(f"{BASE}/"))
    assert "Should go back, and nothing sends it" in page
    assert f"orders/{reviewed.id}/" in page
    page = text(decide(li, reviewed, action="refund", reason="to a new card"))
    sure(li, reviewed, page, action="refund", reason="to a new card")
    assert world.state(reviewed) == "refunded"
    assert "nothing sends it" not in text(li.get(f"{BASE}/"))


@pytest.mark.parametrize(("action", "booked"), [("leave", "won"), ("take_over", "lost")])
def test_a_bank_that_contradicts_itself_is_decided_about(li, world, done, action, booked):  # noqa: F811
    number, notice = bank.begin(
        world.peer, world.payment(done).payment_no, amount_minor=50, now=world.now
    )
    world.deliver(notice)
    for verdict in bank.VERDICTS:
        world.deliver(bank.end(world.peer, number, verdict, world.now))
    page = text(li.get(f"{BASE}/"))
    assert "says: ¥0.50, lost: the money is gone. Booked is: ¥0.50, won: the money is back" in page
    assert "decide about that first" in text(li.get(f"{BASE}/orders/{done.id}/"))
    seen = Dispute.objects.get().seen
    path = f"{BASE}/disputes/{Dispute.objects.get().id}/"
    for wrong in (
        {"reason": "", "action": action, "seen": seen},
        {"reason": "its statement", "action": "", "seen": seen},
        {"reason": "its statement", "action": action, "seen": "other"},
    ):
        li.post(path, wrong)
        assert Dispute.objects.get().is_odd
    li.post(path, {"reason": "its statement", "action": action, "seen": seen})
    found = Dispute.objects.get()
    assert (found.is_odd, found.state) == (False, booked)
    assert "Booked is" not in text(li.get(f"{BASE}/"))


def test_looking_changes_nothing(li, world, done):  # noqa: F811 - the fixture
    world.deliver(sandbox_desk.by_hand(world.peer, world.payment(done).payment_no, 100, world.now))
    external = Refund.objects.get()
    for path in (f"refunds/{external.id}", f"orders/{done.id}"):
        li.get(f"{BASE}/{path}/", {"action": "seen", "reason": "x"})
    assert Refund.objects.get().seen_by == ""
    assert Payment.objects.count() == 1


@pytest.mark.parametrize("shares", [True, False])
def test_29_whoever_asks_for_goodwill_reads_whose_cost_it_is(li, done, settings, tmp_path, shares):
    merchant_file(tmp_path, settings, settlement="connect", shares=shares)
    Payment.objects.update(merchant="platform")
    page = text(li.get(f"{BASE}/find/", {"order": str(done.id)}, follow=True))
    assert ("By contract the supplier stands for its part" in page) is shares
    assert ("What goes back is our expense." in page) is not shares
