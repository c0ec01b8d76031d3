"""Whole fulfilments: what else the allocator's commit does for a guest of the sample conference.

Beside the retirement there are the signed certificate, the order's state and links, the boards for
those who asked to be shown, and the event for the worker. Footprints, quotes and orders are made
before the clock runs, by the product's own code, and are paid without a gateway. ``measure`` takes
what waits out of the intake in this process; ``kit.intake`` lets clients pay and the worker take.
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any

from django.core.management import call_command
from django.db import transaction

from diandian.emissions.activity import parse
from diandian.flows import fulfil, line_claims, postings
from diandian.flows.quote import open_quote
from diandian.footprints import actions as footprint_actions
from diandian.footprints.calculation import calculate, questions_of
from diandian.jobs.seed import seed
from diandian.kernel.clock import now
from diandian.ledger import actions as ledger_actions
from diandian.orders import actions as order_actions
from diandian.orders import rules
from diandian.payments.models import Payment, PaymentState
from diandian.registry import actions as registry_actions
from diandian.registry.models import CreditBatch
from diandian.scenes.models import Scene
from kit.machine import cpu_seconds_of
from kit.prepare import PROJECT, add_stock
from kit.retiring import backend, tidy

if TYPE_CHECKING:
    from diandian.footprints.models import Footprint
    from diandian.orders.models import Order

SLUG = "tianfu26"
_AT_ONCE = 64
_CITIES = ("西安", "重庆", "北京", "上海", "深圳", "广州", "杭州", "武汉", "绵阳", "昆明")


def measure(count: int, most: int) -> dict[str, Any]:
    """Fulfil as many paid orders, at most ``most`` a commit; return rate and CPU time of each."""
    for order in _orders(count + most):
        with transaction.atomic():
            pay(order)
    tidy()
    # What is composed once is composed before the clock runs.
    fulfil.drain(most)
    server = backend()
    before, spent, began = cpu_seconds_of(server), time.process_time(), time.monotonic()
    done = 0
    while fulfilled := fulfil.drain(most):
        done += fulfilled
    seconds = time.monotonic() - began
    if done != count:
        raise SystemExit(f"{count} orders were paid, {done} fulfilled")
    return {
        "per_s": round(done / seconds, 1),
        "python_us": round((time.process_time() - spent) / done * 1e6, 1),
        "server_us": round((cpu_seconds_of(server) - before) / done * 1e6, 1),
    }


def place(count: int) -> list[int]:
    """Place as many orders, their grams held; return their ids. ``kit.paying`` pays them."""
    found = [order.id for order in _orders(count)]
    tidy()
    return found


def pay(order: Order) -> None:
    """Take the money for an order, as the flow of a good notice does in its one transaction."""
    at = now()
    payment = Payment.objects.create(
        payment_no=f"BENCH{order.id}",
        owner_ref=order.ref,
        gateway="sandbox",
        merchant="demo",
        amount_minor=order.quote.total_minor,
        currency=order.quote.currency,
        state=PaymentState.SUCCEEDED,
        created_at=at,
        expires_at=at,
        paid_at=at,
    )
    registry_actions.commit_hold(order.ref)
    journal = ledger_actions.post(
        kind="capture",
        source_ref=f"payment:{payment.payment_no}:capture",
        owner_ref=order.ref,
        lines=postings.capture(payment),
        at=at,
    )
    order_actions.link_entry(order, journal)
    order_actions.mark_paid(order, payment, at=at)


def begin() -> None:
    """Make the tables where there are none, and what ``prepare`` enters."""
    call_command("migrate", verbosity=0)
    prepare()


def prepare() -> None:
    """Enter the sample data and its large batch, once."""
    if CreditBatch.objects.filter(source_ref="bench:sample").exists():
        return
    seed(lambda *_: None)
    add_stock("bench:sample")


def _orders(count: int) -> list[Order]:
    """Place orders of guests of the sample conference."""
    prepare()
    dice, scene = random.Random(7), Scene.objects.get(slug=SLUG)
    found: list[Order] = []
    for begin in range(0, count, _AT_ONCE):
        with transaction.atomic():
            numbers = range(begin, min(begin + _AT_ONCE, count))
            found += [_placed(scene, number, dice) for number in numbers]
    return found


def save_footprint(scene: Scene, dice: random.Random) -> Footprint:
    """Keep the answers of a guest, as the web server does."""
    raw = {
        "live_here": "0",
        "from": dice.choice(_CITIES),
        "mode": dice.choice(("train", "plane", "unknown")),
        "nights": "2",
        "stay": dice.choice(("budget", "mid", "high")),
    }
    parsed = parse(questions_of(scene), raw)
    return footprint_actions.save(
        scene=scene, values=parsed.values, estimate=calculate(scene, parsed.values), at=now()
    )


def _placed(scene: Scene, number: int, dice: random.Random) -> Order:
    at, footprint = now(), save_footprint(scene, dice)
    quote = open_quote(project_code=PROJECT, footprint=footprint, at=at)
    order = order_actions.place(
        quote=quote,
        beneficiary_name=f"来宾{number}",
        on_board=dice.random() < 0.3,
        guest_key=f"{number:032x}",
        language="zh-Hans",
        idempotency_key=None,
        body_sha256="0" * 64,
        at=at,
    )
    line_claims.claim(order, at=at)
    registry_actions.hold(
        project_id=quote.offer.project_id,
        mass_g=quote.mass_g,
        owner_ref=order.ref,
        expires_at=at + rules.PAYMENT_LIFETIME,
        is_first=True,
    )
    return order
