"""How a crowd ends: weeks go by undisturbed, and people decide what only they can."""

from datetime import timedelta

from diandian.flows import promises, resolve
from diandian.kernel.errors import DiandianError
from diandian.orders.models import Order, OrderState
from tests.simulator.book import require
from tests.simulator.crowd.work import WORK, poll

# Whoever keeps a right may withdraw for two weeks; only then the supplier's part waits its week.
_MOST_DAYS = 40
_DAY = timedelta(days=1)
# People come by when what the worker just sent has its answer, or never gets one.
_LATER = timedelta(minutes=10)


def settle(crowd):
    """Let everything come to its end. Raises: BreachError."""
    crowd.wires.fault, crowd.wires.is_calm = "", True
    _Ending(crowd).settle()


class _Ending:
    def __init__(self, crowd):
        self._crowd = crowd
        self._untold = set(crowd.counts.insisted)

    def settle(self):
        for minutes in (1, 2, 5, 21, 60, 60):
            self._round(minutes)
        for minutes in (60, 60, 24 * 60, 17 * 24 * 60, 60, 60):
            for order in Order.objects.filter(
                state__in=(OrderState.REVIEW, OrderState.UNFULFILLABLE)
            ):
                self._judge(order.id)
            self._round(minutes)
        for guest in self._crowd.guests:
            if "otherwise" in guest.asked and guest.order_id:
                self._judge(guest.order_id)
        for minutes in (60, 60):
            self._round(minutes)
        if self._crowd.settles:
            self._pay_suppliers()

    def _pay_suppliers(self):
        office = self._crowd.office
        for _ in range(_MOST_DAYS):
            self._round(_DAY.total_seconds() / 60)
            self._crowd.stage.later(_LATER)
            office.day()
            if not office.is_open():
                return
        require(False, "suppliers are never paid:", *office.stuck())

    def _judge(self, order_id):
        """Decide about an order as an operator would: its price, else everything back."""
        for decide in (resolve.accept, resolve.give_back, resolve.refund_order):
            try:
                decide(order_id, actor="operator:crowd", reason="the crowd ended")
            except DiandianError:
                continue
            return

    def _round(self, minutes):
        crowd = self._crowd
        crowd.stage.later(timedelta(minutes=minutes))
        for gateway, payment_no in sorted(self._untold):
            notice = crowd.banks[gateway].tell_again(payment_no, crowd.stage.now)
            # A bank tells again until it hears yes.
            if notice is None or crowd._receive(notice, crowd.stage.now).status // 100 == 2:
                self._untold.discard((gateway, payment_no))
        crowd.afterwards.tell_again()
        for work in WORK:
            while work() and work is not poll:
                pass
        promises.follow_all()
        if crowd.settles:
            crowd.office.settle_all()
