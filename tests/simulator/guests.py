"""What guests, their browsers and their bank do. Each act fixes all its choices first.

An act returns what is to be done; after a crash the very same is done again, as a client would.
Acts give None when there is nobody to do them.
"""

from datetime import timedelta

from diandian.flows import (
    allocator,
    checkout,
    erase,
    expiry,
    fulfil,
    payment_events,
    withdrawal,
)
from diandian.flows.quote import open_quote
from diandian.kernel.errors import DiandianError
from diandian.orders import errors
from diandian.orders import queries as orders
from diandian.orders.models import Order
from diandian.payments.errors import UnknownPaymentError
from diandian.payments.gateways.sandbox.peer import TradeRefusedError
from tests.simulator.book import Guest, free_by_lane, require

CHOICES = ("paid", "paid", "paid", "twice", "twice", "silent", "late", "declined")
NOTICE_WINDOW = timedelta(seconds=300)


def _masses(sim, dice, project):
    # Sold in whole kilograms; what is left may have a rest.
    free_g = sum(left for _, left in free_by_lane(sim.book, sim.seen, project)) // 1_000 * 1_000
    return dice.choice(
        [
            1_000,
            2_000,
            1_000 * dice.randint(1, 400),
            1_000 * dice.randint(1, 1_500),
            max(1_000, free_g),
            free_g + 1_000,
        ]
    )


def order(sim, dice):
    """A guest asks for a price and orders."""
    project = dice.choice(sim.projects)
    guest = _guest(sim, dice, project, _masses(sim, dice, project), keeps_right=0.2)
    return lambda: place(sim, guest)


def _guest(sim, dice, project, mass_g, *, keeps_right):
    number = len(sim.book.guests) + 1
    guest = Guest(
        key=f"key-{number}",
        project=project,
        mass_g=mass_g,
        name=f"Guest {number}",
        device=f"device-{dice.randint(1, 6)}",
        keeps_right=dice.random() < keeps_right,
    )
    sim.book.guests[guest.key] = guest
    return guest


def _request(guest, **changes):
    return {
        "quote_token": guest.quote,
        "beneficiary_name": guest.name,
        "on_board": False,
        "language": "en",
        "idempotency_key": guest.key,
        "guest_key": guest.device,
        "retire_at_once": not guest.keeps_right,
        "is_vouched_for": True,
    } | changes


def place(sim, guest):
    """Order, or order again with the same key; the simulator knows whether there is enough."""
    before = sim.seen
    free_g = sum(left for _, left in free_by_lane(sim.book, before, guest.project))
    try:
        if not guest.quote:
            guest.quote = open_quote(project_code=guest.project, mass_g=guest.mass_g).token
        placed = checkout.place_order(**_request(guest))
    except errors.SoldOutError:
        require(free_g < guest.mass_g, guest, "was told that", free_g, "g are too few")
        return
    except (errors.QuoteExpiredError, errors.PaymentUnavailableError):
        return
    except errors.QuoteUsedError:
        require("erase" in guest.asked, guest, "was told that the quote is used")
        return
    require(guest.order_id in {0, placed.id}, guest, "got two orders")
    guest.token = placed.token
    # After a crash the order may have been there before, unknown to its guest.
    if placed.id not in before.orders:
        require(free_g >= guest.mass_g, guest, "got more than the free", free_g)
        sim.referee.placed(placed.id, before, sim.look())


def buy(sim, dice):
    """All of it at once, of what there is: ordered, paid, heard of and retired.

    Raises: IndexError where nothing is free.
    """
    free = {
        project: sum(left for _, left in free_by_lane(sim.book, sim.seen, project)) // 1_000
        for project in dict.fromkeys(sim.projects)
    }
    project = dice.choice([project for project, free_kg in free.items() if free_kg])
    mass_g = 1_000 * dice.randint(1, min(400, free[project]))
    guest = _guest(sim, dice, project, mass_g, keeps_right=0.05)

    def do():
        place(sim, guest)
        seen = sim.look()
        refs = {f"order:{row.id}" for row in seen.orders.values() if row.key == guest.key}
        numbers = [row.number for row in seen.payments.values() if row.owner_ref in refs]
        trade = sim.stage.peer.by_no(numbers[-1]) if numbers else None
        if trade is None:
            return
        try:
            for notice in sim.stage.peer.decide(trade.token, "paid", sim.stage.now):
                payment_events.receive_notice("sandbox", notice.headers, notice.body)
        except TradeRefusedError:
            return
        fulfil.drain()

    return do


def order_again(sim, dice):
    """A double click, a retry: the same key and the same body."""
    guest = dice.choice(sim.guests())
    return lambda: place(sim, guest)


def _placed(sim, dice):
    return dice.choice([guest for guest in sim.guests() if guest.token])


def order_differently(sim, dice):
    """The same key with another body is refused, and so is the same quote with another key."""
    guest = _placed(sim, dice)
    changes = dice.choice([{}, {"idempotency_key": "other"}]) | {"beneficiary_name": "Mallory"}

    def do():
        try:
            checkout.place_order(**_request(guest, **changes))
        except (errors.IdempotencyConflictError, errors.QuoteUsedError):
            return
        require(False, guest, "was given to Mallory")

    return do


def pay_again(sim, dice):
    """A guest asks for the way to pay, or for a new attempt after a failed one."""
    guest = _placed(sim, dice)

    def do():
        try:
            checkout.retry_payment(orders.order_by_token(guest.token))
        except (errors.NotPayableError, errors.PaymentUnavailableError):
            return

    return do


def _trade(sim, dice, guest):
    numbers = [row.number for row in sim.seen.payments.values() if row.owner_ref == guest.ref]
    numbers = [number for number in numbers if sim.stage.peer.by_no(number) is not None]
    return sim.stage.peer.by_no(dice.choice(numbers)) if numbers else None


def choose(sim, dice):
    """A guest decides on the bank's page; the bank's notices are on their way."""
    waiting = [
        guest
        for guest in sim.guests()
        if guest.order_id and sim.seen.orders[guest.order_id].state == "awaiting_payment"
    ]
    guest = dice.choice(waiting)
    trade, choice = _trade(sim, dice, guest), dice.choice(CHOICES)

    def do():
        if trade is None:
            return
        try:
            sim.book.post += sim.stage.peer.decide(trade.token, choice, sim.stage.now)
        except TradeRefusedError:
            return

    return do


def bank_pays_late(sim, dice):
    """The bank takes money although the trade was closed, failed or over."""
    guest = _placed(sim, dice)
    trade = _trade(sim, dice, guest)

    def do():
        if trade is not None and not sim.stage.peer.by_no(trade.payment_no).paid_ms:
            notice = sim.stage.peer.settle_anyway(trade.payment_no, sim.stage.now)
            sim.book.post.append(notice)
            sim.book.insisted.add(trade.payment_no)

    return do


def bank_insists(sim):
    """The bank tells again, freshly signed, of money that it took although nobody asks any more."""
    for number in sorted(sim.book.insisted):
        trade = sim.stage.peer.by_no(number)
        notice = sim.stage.peer.notice(trade, "payment.succeeded", sim.stage.now)
        payment_events.receive_notice("sandbox", notice.headers, notice.body)


def bank_takes_another_amount(sim, dice):
    """A guest's coupon, a wrong digit: the bank takes another amount than was asked for."""
    guest = _placed(sim, dice)
    trade, change = _trade(sim, dice, guest), dice.choice([-1, 1, 50])

    def do():
        if trade is None or trade.amount_minor + change <= 0:
            return
        sim.book.odd.add(trade.payment_no)
        sim.stage.peer.run(
            "UPDATE trade SET amount_minor = amount_minor + ? WHERE payment_no = ?"
            " AND state = 'pending' AND amount_minor = ?",
            (change, trade.payment_no, trade.amount_minor),
        )

    return do


def deliver(sim, dice):
    """A notice comes in: late, twice, in any order; an old one is refused."""
    if not sim.book.post:
        return None
    number = dice.randrange(len(sim.book.post))
    notice = sim.book.post[number]
    if dice.random() < 0.6:
        sim.book.post.pop(number)

    def do():
        sent = sim.sent_at(notice)
        ack = payment_events.receive_notice("sandbox", notice.headers, notice.body)
        is_old = abs(sim.stage.now - sent) > NOTICE_WINDOW
        require(ack.status == (400 if is_old else 200), "a notice was answered", ack)

    return do


def forge_notice(sim, dice):
    """Somebody else's notice: refused, and nothing changes."""
    if not sim.book.post:
        return None
    notice, way = dice.choice(sim.book.post), dice.randrange(3)
    headers, body = dict(notice.headers), notice.body
    if way == 0:
        body += b" "
    elif way == 1:
        headers["Sandbox-Signature"] = "0" * 64
    else:
        headers["Sandbox-Timestamp"] = str(int(sim.stage.now.timestamp()))
        headers["Sandbox-Signature"] = headers["Sandbox-Signature"][::-1]

    def do():
        changes = sim.changes()
        ack = payment_events.receive_notice("sandbox", headers, body)
        require(ack.status == 401, "a forged notice was answered", ack)
        require(sim.changes() == changes, "a forged notice changed something")

    return do


def come_back(sim, dice):
    """The browser returns from the bank; its page asks the bank, and waits for the allocator."""
    guest = _placed(sim, dice)
    numbers = [row.number for row in sim.seen.payments.values() if row.owner_ref == guest.ref]

    def do():
        for number in numbers[-1:]:
            try:
                payment_events.refresh(number)
            except UnknownPaymentError:
                require(False, number, "is unknown")
        if sim.state_of(guest) == "paid":
            allocator.wait_for(guest.order_id, guest.token)

    return do


def cancel(sim, dice):
    """A guest no longer wants an unpaid order."""
    guest = _placed(sim, dice)
    guest.asked.add("cancel")
    return lambda: expiry.cancel_order(Order.objects.get(id=guest.order_id))


def withdraw(sim, dice):
    """A guest withdraws from a paid order, as long as they may."""
    guest = _placed(sim, dice)

    def do():
        try:
            withdrawal.withdraw(Order.objects.get(id=guest.order_id))
        except (errors.WithdrawalEndedError, errors.NotHeldError):
            return
        guest.asked.add("withdrew")
        require(guest.keeps_right, guest, "withdrew without a right")

    return do


def retire_now(sim, dice):
    """A guest gives the right to withdraw up."""
    guest = _placed(sim, dice)

    def do():
        guest.asked.add("now")
        try:
            withdrawal.retire_now(Order.objects.get(id=guest.order_id))
        except errors.NotHeldError:
            if sim.state_of(guest) not in {"paid", "completed"}:
                guest.asked.discard("now")

    return do


def forget(sim, dice):
    """A guest is forgotten: one order, or all of a device; grams and money stay."""
    guest = _placed(sim, dice)
    guest.asked.add("erase")
    if dice.random() < 0.5:
        return lambda: erase.erase_order(Order.objects.get(id=guest.order_id))
    for other in sim.guests():
        if other.device == guest.device:
            other.asked.add("erase")
    return lambda: erase.erase_guest(guest.device)


def refused(do, *expected):
    """Tell whether something was refused as expected."""
    try:
        do()
    except expected:
        return True
    except DiandianError as error:
        require(False, "was refused by", repr(error))
    return False
