"""One day, always the same, in which every kind of row is written."""

import random

from diandian.flows import checkout, payment_events
from diandian.orders import queries as orders
from diandian.payments.models import Payment
from tests.simulator import guests, staff
from tests.simulator.book import Batch, Guest
from tests.simulator.history import History


def play(stage, *, fresh=True):
    """Play a day in which every kind of row is written; return its history."""
    history = History(stage, fresh=fresh)
    for number, (tonnes, lanes, buffer_g) in enumerate(((2, 2, 100_000), (3, 3, 0)), start=1):
        batch = Batch(f"issuance:{number}", "sun", tonnes, lanes, buffer_g, True, {}, number)
        history.book.batches[batch.source_ref] = batch
        staff.enter(batch, history)
    history.judge()
    for act in (staff.take_out, staff.reverse):
        history._do(act(history, random.Random(1)))
        history.judge()
    for number, choices in enumerate((["paid"], ["paid"], ["declined", "paid"], [])):
        guest = Guest(f"key-{number}", "sun", 5_000, f"Guest {number}", "device")
        history.book.guests[guest.key] = guest
        guests.place(history, guest)
        pay(stage, guest, choices)
        history.judge()
    # Paid twice: the bank lets the attempt that was declined succeed after all.
    declined = Payment.objects.get(state="failed").payment_no
    stage.peer.settle_anyway(declined, stage.now)
    history.book.insisted.add(declined)
    history._do(staff.retire_outside(history, random.Random(1)))
    history._round(1)
    return history


def pay(stage, guest, choices):
    """Let a guest choose at the bank, each time by a new attempt; its notices arrive."""
    order = orders.order_by_token(guest.token)
    for number, choice in enumerate(choices):
        if number:
            checkout.retry_payment(order)
        token = orders.latest_payment(order).instruction["url"].rpartition("/")[2]
        for notice in stage.peer.decide(token, choice, stage.now):
            payment_events.receive_notice("sandbox", notice.headers, notice.body)
