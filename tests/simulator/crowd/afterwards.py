"""What becomes of money later: given back in a bank's console, taken by a payer's bank, or granted.

And granted, but never there: then perhaps once more. Only of orders with one payment.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

from diandian.flows import aftermath, goodwill
from diandian.orders.models import Order, OrderState
from diandian.payments import queries as payment_queries
from diandian.payments.models import RefundKind, RefundState
from diandian.payments.refunds import queries as refund_queries

# How many guests have such a plan.
SHARE = 0.1
KINDS = ("console", "dispute", "goodwill", "in vain")
_BEFORE, _AFTERWARDS = (70, 6_000), (10_200, 20_000)
_SOON = timedelta(hours=2)
_STILL_HERE = (OrderState.COMPLETED, OrderState.PAID)
_ANN, _BO = "operator:ann", "operator:bo"


@dataclass(frozen=True, slots=True)
class Plan:
    """What will happen to a guest's money, drawn when the guest comes. ``per_mille``: of it.

    ``is_won``: of a dispute; of what was granted in vain, that it is granted once more.
    """

    kind: str
    after: timedelta
    decided_after: timedelta
    per_mille: int
    is_won: bool


def drawn(dice):
    """Return a plan, or None as for most guests."""
    plan = Plan(
        kind=dice.choice(KINDS),
        after=timedelta(
            minutes=dice.choice((dice.randint(70, 6_000), dice.randint(6_000, 16_000)))
        ),
        decided_after=timedelta(hours=dice.randint(1, 240)),
        per_mille=dice.choice((1_000, dice.randint(1, 1_000))),
        is_won=dice.random() < 0.5,
    )
    return plan if dice.random() < SHARE else None


class Afterwards:
    """Plays the plans. ``granted``: goodwill by payment, in minor units. ``counts``: what happened.

    ``in_vain``: what was granted before, and did not arrive. ``untold``: of what happened at a
    bank, who tells it again until it hears yes.
    """

    def __init__(self, crowd):
        self._crowd = crowd
        self.granted, self.counts, self.untold = {}, Counter(), {}
        self.in_vain = {}

    def act(self, guest):
        """Let happen what was planned, where the money is still here."""
        order, plan = Order.objects.get(id=guest.order_id), guest.plan
        received = payment_queries.succeeded_of(order.ref)
        if len(received) != 1 or order.state not in _STILL_HERE or guest.end == "otherwise":
            return
        payment = received[0]
        if guest.withdraws:
            return
        amount_minor = max(1, payment.amount_minor * plan.per_mille // 1_000)
        if plan.kind in {"goodwill", "in vain"}:
            if order.state == OrderState.COMPLETED:
                self._grant(order, payment, amount_minor)
                if plan.kind == "in vain":
                    crowd = self._crowd
                    crowd._after(plan.decided_after, lambda: self._fail(order, payment, plan))
        elif plan.kind == "console":
            self._give_by_hand(payment, amount_minor)
        else:
            self._dispute(payment, amount_minor, plan)

    def _grant(self, order, payment, amount_minor):
        """Give money back as goodwill: one asks, another says yes."""
        granted = payment.refunds.filter(kind=RefundKind.GOODWILL)
        if granted.exclude(state=RefundState.FAILED).exists():
            return  # done, by an act that died
        asked = goodwill.ask(
            order.id, amount_minor=amount_minor, actor=_ANN, reason="the crowd is unhappy"
        )
        self.granted[payment.payment_no] = asked.amount_minor
        goodwill.confirm(asked, actor=_BO)
        self.counts[f"{payment.gateway} goodwill"] += 1

    def _fail(self, order, payment, plan):
        """Let what was granted not arrive after all; grant it once more when we know."""
        crowd, number = self._crowd, payment.payment_no
        amount_minor = self.granted.get(number)
        tell = amount_minor and crowd.banks[payment.gateway].fail_refund(
            payment.refunds.latest("id").refund_no, crowd.stage.now
        )
        if not tell:
            return  # it is not there yet, or its bank has no such thing: it is simply granted
        del self.granted[number]
        self.in_vain[number] = amount_minor
        self.counts[f"{payment.gateway} goodwill in vain"] += 1
        if plan.is_won:
            crowd._after(_SOON, lambda: self._once_more(order, payment, amount_minor))
        self._told(number, tell)

    def _once_more(self, order, payment, amount_minor):
        if payment.refunds.filter(state=RefundState.FAILED).exists():
            self._grant(order, payment, amount_minor)
            self.counts[f"{payment.gateway} goodwill once more"] += 1

    def _give_by_hand(self, payment, amount_minor):
        crowd, number = self._crowd, payment.payment_no
        bank = crowd.banks[payment.gateway]
        tell = bank.give_by_hand(payment, amount_minor, crowd.stage.now)
        if tell is not None:
            self.counts[f"{payment.gateway} console refunds"] += 1
            self._told(number, tell)

    def _dispute(self, payment, amount_minor, plan):
        crowd, number = self._crowd, payment.payment_no
        bank = crowd.banks[payment.gateway]
        dispute = bank.dispute(payment, amount_minor, crowd.stage.now)
        if dispute is None:
            return
        ref, tell = dispute
        verdict = "won" if plan.is_won else "lost"
        self.counts[f"{payment.gateway} disputes {verdict}"] += 1

        def decide():
            self._told(number, bank.decide_dispute(ref, verdict, crowd.stage.now))

        crowd._after(plan.decided_after, decide)
        self._told(number, tell)

    def _told(self, number, tell):
        """Have a notice sent now, and again at the end until it is taken."""
        self.untold[number] = tell
        self._crowd._post([tell(self._crowd.stage.now)])

    def tell_again(self):
        """Let the banks tell again what was not heard; people look at what they did."""
        for number, tell in sorted(self.untold.items()):
            notice = tell(self._crowd.stage.now)
            if self._crowd._receive(notice, self._crowd.stage.now).status // 100 == 2:
                del self.untold[number]
        for external in refund_queries.external_unseen():
            aftermath.see(external.id, actor=_ANN, reason="the crowd knows")
