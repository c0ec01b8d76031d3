"""Checks in code, each with what stands in its place when it is taken away."""

from contextlib import ExitStack
from dataclasses import dataclass
from unittest import mock

from django.db.models import F, Value

from diandian.flows import (
    aside,
    batches,
    checkout,
    expiry,
    locks,
    payment_events,
    refund,
)
from diandian.ledger import queries as ledger_queries
from diandian.orders import actions as order_actions
from diandian.orders import rules as order_rules
from diandian.orders.models import Intake, Order, OrderState
from diandian.payments import rules as payment_rules
from diandian.payments.gateways.sandbox import gateway as sandbox
from diandian.payments.gateways.sandbox.peer import Peer
from diandian.payments.refunds import actions as refund_actions
from diandian.registry import actions as registry
from diandian.registry import queries as registry_queries
from diandian.registry.batches import actions as issuing
from diandian.registry.holds import actions as holds
from diandian.registry.models import Holding, Lane
from diandian.store import inserts
from diandian.store.statements import Param, Select, SelectMany
from tests.simulator import guests, sabotage, staff
from tests.simulator.day import play
from tests.simulator.history import failure_of, script

SEEDS, STEPS = range(12), 70


@dataclass(frozen=True, slots=True)
class Check:
    """Where a check stands, what replaces it, and which acts should come often to meet it.

    ``first``: the seed that is tried first, where others were seen to notice nothing; None where
    the day was seen to notice it.
    """

    places: tuple
    instead: object
    more_of: tuple = ()
    first: int | None = 0


def _nothing(*_, **__):
    return None


def _yes(*_, **__):
    return True


def _any_lane():
    return Lane.objects.filter(
        kind="sale", batch__project_id=Param("project_id"), hi__gt=F("cursor") + F("held_g")
    ).select_related("batch")


def _anything_paid(ids):
    rows = Intake.objects.filter(
        order__id__in=ids, state="waiting", order__state=OrderState.PAID
    ).annotate(at=Param("at", Order._meta.get_field("created_at")))
    return rows.select_related(
        "order__quote", "order__footprint", "order__scene", "order__project"
    ).order_by("order_id")


def _live(earlier, owner_ref, mass_g):
    return [row for row in earlier if row.state in registry_queries.LIVE_HOLDS]


def _settle_any(hold_ids, state):
    Holding.objects.filter(id__in=hold_ids).update(state=state)


def _settle_none(hold_ids, state):
    return mock.Mock(**{"count.return_value": len(hold_ids)})


def _keep_duplicate(order, payment, at):
    aside.keep(order, payment, at=at)
    return payment_events._Next()


def _never_retired():
    stub = mock.MagicMock()
    stub.objects.filter.return_value.exists.return_value = False
    return stub


CHECKS = {
    "a hold counts its grams": Check(((holds, "promise"),), _yes, first=None),
    "a frozen batch retires nothing": Check(
        ((registry, "may_serve"),), _yes, (staff.freeze, guests.choose), first=8
    ),
    "nothing is held from a frozen or unfit batch": Check(
        ((holds, "_FREE_LANES"), (holds, "_LOCKED_LANES")), Select(_any_lane), (staff.freeze,), 1
    ),
    "what is retired is no longer held": Check(
        ((registry, "ask_settle"),), _settle_none, first=None
    ),
    "a hold ends once": Check(((holds, "settle"),), _settle_any, (sabotage.settle_twice,), 1),
    "whose grams are retired holds no others": Check(
        ((holds, "_live_or_refuse"),), _live, (sabotage.hold_again,)
    ),
    "a retirement needs a transaction": Check(
        ((registry, "require_transaction"), (inserts, "require_transaction")),
        _nothing,
        (sabotage.retire_piecemeal,),
    ),
    "what was retired is not retired under another name": Check(
        ((registry, "_retired_before"),),
        lambda requests: {request.source_ref: None for request in requests},
        (sabotage.retire_twice,),
    ),
    "no refund after a retirement": Check(
        ((refund, "OrderRetirement"),), _never_retired(), (staff.refund_again,)
    ),
    "no refund above what came in": Check(
        ((refund_actions, "Coalesce"),),
        lambda *_: Value(10**12),
        (sabotage.refund_too_much,),
    ),
    "amounts are compared": Check(
        ((payment_rules, "mismatches"),),
        lambda *_, **__: (),
        (guests.bank_takes_another_amount,),
    ),
    "one allocator leads": Check(((order_actions, "take_lease"),), _yes, (staff.allocate,)),
    "old notices are refused": Check(((sandbox, "_is_fresh"),), _yes, first=3),
    "forged notices are refused": Check(((Peer, "is_signed"),), _yes, (guests.forge_notice,)),
    "a timer alone releases nothing": Check(((expiry, "close_or_refresh"),), _yes, first=4),
    "whoever paid waits in the intake": Check(((order_actions, "enqueue"),), _nothing, first=None),
    "what may be withdrawn from waits": Check(
        ((locks, "_LOCKED_INTAKE"), (locks, "_LOCKED_INTAKES")), SelectMany(_anything_paid)
    ),
    "nobody withdraws from what is retired": Check(((Order, "is_held"),), _yes, (guests.withdraw,)),
    "the same serials are refused kindly": Check(
        ((issuing, "_refuse_overlap"),), _nothing, (staff.issue_again,)
    ),
    "one source tells one issuance": Check(
        ((issuing, "_same_issuance"),), lambda earlier, *_: earlier, (staff.issue_again,)
    ),
    "one source tells one cancellation": Check(
        ((issuing, "_same_cancellation"),),
        lambda earlier, *_: earlier,
        (sabotage.take_out_again, staff.take_out),
        first=1,
    ),
    "one key is one order": Check(
        ((checkout, "_same_or_refuse"),),
        lambda earlier, *_: earlier,
        (guests.order_differently,),
    ),
    "what was paid twice goes back": Check(
        ((payment_events, "_send_back_duplicate"),),
        _keep_duplicate,
        (guests.pay_again, guests.bank_pays_late),
        first=None,
    ),
    "where a receipt lies the ledger says": Check(
        ((ledger_queries, "journals_by_source"),),
        lambda _: {},
        (guests.bank_takes_another_amount, guests.bank_pays_late),
        first=None,
    ),
    "a use of grams is entered in the log": Check(
        ((batches.log_actions, "append_new"),), lambda *_, **__: [], (staff.take_out,), None
    ),
}
# Nothing in one thread can show these: second locks, each proved elsewhere.
# A promise: tests/concurrency/test_registry.py, and lane_never_oversold. A payment's rank: a paid
# one is not asked about again; tests/payments/test_rules.py. Moves: every flow looks at the state
# first, under the order's lock; tests/flows.
SURVIVES = {
    "a payment's rank never falls": Check(
        ((payment_rules, "next_state"),),
        lambda current, incoming: incoming if incoming != current else None,
        (guests.come_back,),
    ),
    "orders move only where they may": Check(
        ((order_rules, "may_move"),), _yes, (guests.bank_pays_late,)
    ),
    "a promise asks whether the grams are still free": Check(
        ((holds, "promise"),),
        lambda lane_id, take_g: bool(
            Lane.objects.filter(id=lane_id).update(held_g=F("held_g") + take_g)
        ),
    ),
}


def caught(stage, check, seeds=SEEDS):
    """Take a check away; return the seed that notices and what it said, None when none does."""
    with ExitStack() as held:
        for target, name in check.places:
            held.enter_context(mock.patch.object(target, name, check.instead))
        for seed in dict.fromkeys((check.first, *seeds, None)):
            if seed is None:
                failed = _failure_of_the_day(stage)
            else:
                failed = failure_of(stage, script(seed, STEPS, more_of=check.more_of))
            if failed is not None:
                return "the day" if seed is None else seed, failed[0]
    return None


def _failure_of_the_day(stage):
    try:
        play(stage).settle()
    except Exception as error:  # noqa: BLE001 - whatever it throws, it noticed
        return error, 0
    return None
