"""Work that waits at the desks of money: a payout to our bank, a difference, a draft, a dispute.

Everything comes about as with real money: the sandbox's books say something else than ours, and
people have not decided yet. What is shown of it says that it is a sample.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from diandian.flows import accruing, payees, payouts, reconcile, settling
from diandian.payments.gateways.sandbox import movements
from diandian.payments.gateways.sandbox.peer import Peer
from diandian.payments.merchants import context_for
from diandian.settlement.lines import actions as line_actions
from diandian.settlement.models import Line, LineKind, LineState, Rail

ACTOR, CHECKER = "seed", "seed-checker"
UNKNOWN_PAYMENT = "SAMPLE-NOT-OURS"
NOTE = "示例 · Sample · Voorbeeld: the supplier weighed less than was sold"
_PAID_OUT_MINOR, _UNKNOWN_MINOR = 20_000, 1_880
_DAYS, _PARTS = 100, 2_000
_BANK = {
    "name": "林盘示例合作社 Sample Cooperative",
    "account": "6222000000000000001",
    "bank": "示例银行 Sample Bank",
    "cnaps": "102100000000",
}


def leave_work(peer: Peer, say: Callable[[str], None], *, at: datetime) -> None:
    """Write it all, once, in the seeding's transaction. ``at``: the day of seeding."""
    account = context_for("sandbox").account
    movements.pay_out(peer, account, _PAID_OUT_MINOR, "CNY", at - timedelta(days=2))
    _pay_past_us(peer, account, at - timedelta(days=3))
    matched = 0
    while done := reconcile.run_due(_DAYS, at=at):
        matched += done
    say(f"{matched} days of the sandbox's statements matched, one with a difference to decide")
    accruing.accrue(_PARTS, at=at)
    _draft(at)
    _dispute(at)
    say("a payout is drafted, a part is disputed: for the operator's desk")


def _pay_past_us(peer: Peer, account: str, at: datetime) -> None:
    """Let the sandbox book a payment that we never asked for."""
    peer.create(
        payment_no=UNKNOWN_PAYMENT,
        amount_minor=_UNKNOWN_MINOR,
        currency="CNY",
        merchant=account,
        subject="示例 Sample",
        return_url="",
        expires_at=at + timedelta(hours=1),
    )
    peer.settle_anyway(UNKNOWN_PAYMENT, at)


def _draft(at: datetime) -> None:
    """Draft the payout of what a supplier is owed for replacing recalled grams."""
    line = Line.objects.filter(kind=LineKind.REMEDY, rail=Rail.BANK).order_by("id").first()
    if line is None:
        return
    entered = at - timedelta(days=200)
    account = payees.propose(
        supplier_ref=line.supplier_ref,
        kind="cn_bank",
        gateway="",
        given=_BANK,
        actor_ref=ACTOR,
        at=entered,
    )
    payees.confirm(account.id, actor_ref=CHECKER, at=entered + timedelta(days=1))
    settling.look(line, at=at)
    payouts.draft(
        supplier_ref=line.supplier_ref,
        currency=line.currency,
        rail=Rail.BANK,
        actor_ref=ACTOR,
        at=at,
    )


def _dispute(at: datetime) -> None:
    """Let a supplier dispute the newest part that it is owed."""
    waiting = Line.objects.filter(state=LineState.WAITING, rail=Rail.GATEWAY)
    newest = waiting.order_by("-id").first()
    if newest is not None:
        line_actions.dispute(newest, note=NOTE, actor_ref=ACTOR, at=at)
