"""The people of a house: who enters where suppliers get money, pays them, and signs differences.

Every step may end in a crash; the day after, or at once, somebody goes on where it stands.
"""

from collections import Counter
from contextlib import suppress
from datetime import timedelta

from django.db.models import Min, Q

from diandian.flows import (
    accruing,
    by_bank,
    differences,
    gateway_payouts,
    payees,
    payouts,
    reconcile,
    settling,
)
from diandian.kernel.clock import business_day
from diandian.payments.disputes import queries as disputes
from diandian.payments.refunds import queries as refunds
from diandian.reconciliation.models import GatewayDay
from diandian.reconciliation.payouts import queries as payout_queries
from diandian.settlement import queries
from diandian.settlement.errors import LineMovesError, PartDisputedError
from diandian.settlement.models import BatchState, Line, Rail
from tests.simulator.crowd.house_bank import HouseBank

ANN, BO = "operator:ann", "operator:bo"
SUPPLIERS = ("supplier-sun", "supplier-wind")
# Where each supplier is paid by bank.
ACCOUNTS = {"supplier-sun": "6222000011112222", "supplier-wind": "6222000033334444"}
_SOONEST, _LATEST, _ACCRUES = timedelta(seconds=10), timedelta(hours=2), timedelta(minutes=2)
# As much at a time as the worker would have done since it last came by.
AT_ONCE = 32
# As long as a day may still be explained by those after it.
_PATIENCE = timedelta(days=4)
_NOT_TODAY = (LineMovesError, PartDisputedError)


class Office:
    """``counts``: what happened. ``bank``: where payouts are handed in.

    ``signed``: what did not agree with a statement, and people had to sign.
    """

    def __init__(self, crowd):
        self._crowd = crowd
        self.bank, self.counts, self.signed = HouseBank(crowd.dice), Counter(), []
        self._sweep = accruing.Sweep()

    # -- the worker ---------------------------------------------------------------------------

    def settle(self):
        """Do what the worker's schedule does for suppliers."""
        self._sweep.run(512)
        reconcile.run_due(1)
        settling.settle(AT_ONCE)

    def rests(self):
        """Return how long nothing is to be done for suppliers."""
        now = self._crowd.stage.now
        soonest = [
            Line.objects.aggregate(at=Min("next_look_at"))["at"],
            GatewayDay.objects.aggregate(at=Min("next_attempt_at"))["at"],
        ]
        rest = min((at - now for at in soonest if at), default=_LATEST)
        most = _ACCRUES if self._crowd.is_busy else _LATEST
        return max(_SOONEST, min(rest, most))

    def settle_all(self):
        """Do all of it that can be done now."""
        while self._sweep.run(512):
            pass
        while reconcile.run_due(20):
            pass
        while settling.settle(400):
            pass

    def restart(self):
        """Forget what the worker remembered, as after its death."""
        self._sweep = accruing.Sweep()

    # -- people -------------------------------------------------------------------------------

    def open(self):
        """Enter where suppliers get their money, by two people."""
        for bank in self._crowd.banks.values():
            for supplier, account in bank.payees():
                self._enter(supplier, "account", bank.gateway, {"account": account})
        for supplier, account in ACCOUNTS.items():
            given = {"name": supplier, "account": account, "bank": "示例", "cnaps": "102651000013"}
            self._enter(supplier, "cn_bank", "", given)

    def _enter(self, supplier, kind, gateway, given):
        made = payees.propose(
            supplier_ref=supplier, kind=kind, gateway=gateway, given=given, actor_ref=ANN
        )
        payees.confirm(made.id, actor_ref=BO)

    def day(self):
        """Do what people do once a day; banks send us what is ours."""
        self._take_out()
        self._sign()
        self._note_arrivals()
        self._look_at_stuck()
        self.bank.work()
        self._go_on()
        for ready in queries.ready():
            payouts.draft(
                supplier_ref=ready.supplier_ref,
                currency=ready.net.currency,
                rail=ready.rail,
                actor_ref=ANN,
            )
        self._go_on()

    def _take_out(self):
        """Let banks pay out to our own bank; at the end no more, as statements tell of it later."""
        if self._crowd.wires.is_calm:
            return
        for bank in self._crowd.banks.values():
            bank.pay_out(self._crowd.dice.randint(10, 500), self._crowd.stage.now)

    def _go_on(self):
        """Take every payout as far as it goes today."""
        for batch in queries.batches_open():
            step = self._steps().get(BatchState(batch.state))
            while step is not None:
                try:
                    step(batch)
                except _NOT_TODAY:
                    break
                before = batch.state
                batch.refresh_from_db()
                step = None if batch.state == before else self._steps().get(batch.state)

    def _steps(self):
        return {
            BatchState.DRAFT: self._lock,
            BatchState.LOCKED: lambda batch: payouts.approve(batch, actor_ref=BO),
            BatchState.APPROVED: self._hand_in,
            BatchState.SUBMITTED: self._ask_bank,
            BatchState.PAID: self._found,
        }

    def _lock(self, batch):
        if not payouts.is_too_small(batch):
            payouts.lock(batch, actor_ref=ANN)

    def _hand_in(self, batch):
        self.bank.take(payouts.export(batch, form="neutral", actor_ref=BO).content)

    def _ask_bank(self, batch):
        """Take over what the bank says, twice now and then; hand in again what it never got."""
        if not self.bank.knows(batch.number):
            self._hand_in(batch)
            self.counts["payouts exported again"] += 1
            return
        result = self.bank.results(batch.number)
        for _ in range(self._crowd.dice.choice((1, 1, 2)) if result else 0):
            payouts.import_results(result, actor_ref=ANN)

    def _found(self, batch):
        ref = f"B-{batch.number}" if batch.rail == Rail.BANK else ""
        payouts.reconcile(batch, bank_ref=ref, actor_ref=ANN)
        self.counts[f"payouts reconciled, by {batch.rail}"] += 1

    def _look_at_stuck(self):
        """Let go by bank what no gateway divides any more."""
        now = self._crowd.stage.now
        for line in queries.lines_stuck(now):
            if queries.is_given_up(line, at=now):
                with suppress(LineMovesError):
                    by_bank.settle(line, actor_ref=ANN)
                    self.counts[f"{line.gateway} parts that went by bank"] += 1

    def _sign(self):
        """Let two people sign what does not agree, and is explained by no later day."""
        before = business_day(self._crowd.stage.now) - _PATIENCE
        for day in GatewayDay.objects.exclude(state="closed").filter(day__lt=before).order_by("id"):
            for each in differences.of_day(day):
                if each.is_open:
                    self._sign_one(day, each)

    def _sign_one(self, day, difference):
        item = difference.item
        self.signed.append(f"{day}: {item.statement_kind} {item} {item.our_no} {item.detail}")
        what = differences.Seen(item.statement_kind, item.key, item.seen)
        signed = {each.actor_ref for each in difference.signatures}
        for actor in sorted({ANN, BO} - signed)[: difference.needed - len(signed)]:
            differences.sign(day.id, what, reason="the crowd knows", actor_ref=actor)

    def _note_arrivals(self):
        now = self._crowd.stage.now
        for payout in payout_queries.on_the_way():
            gateway_payouts.note_arrival(
                payout.id,
                payout.amount,
                bank_ref=f"A-{payout.number}",
                bank_day=business_day(now),
                actor_ref=ANN,
            )
            self.counts["payouts of gateways that arrived"] += 1

    # -- the end ------------------------------------------------------------------------------

    def is_open(self):
        """Tell whether something is still to come for suppliers, or of statements."""
        moves = Line.objects.filter(Q(next_look_at__isnull=False) | Q(state="failed")).exists()
        waits = any(
            batch.state != BatchState.DRAFT or not payouts.is_too_small(batch)
            for batch in queries.batches_open()
        )
        shares = refunds.with_waiting_share(1) or disputes.with_waiting_share(1)
        return moves or waits or bool(shares)

    def stuck(self):
        """Return in words what does not move, at most five of each."""
        lines = Line.objects.filter(next_look_at__isnull=False).order_by("id")[:5]
        said = [f"{each} {each.gateway} {each.state} {each.waits_for}" for each in lines]
        return said + [
            f"{each} {each.state} {each.net_minor}" for each in queries.batches_open()[:5]
        ]
