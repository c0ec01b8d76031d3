"""Stripe behind our contract: hosted page, refunds, transfers to suppliers, statement, notices.

Every method ends in an outcome: what the other side sends, and whatever a library makes of it,
never becomes an exception here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from diandian.payments import trials
from diandian.payments.facts import NoAnswerError, outcome_of
from diandian.payments.gateways.stripe import (
    notices,
    refunds,
    sessions,
    snapshots,
    splits,
    statements,
    trial,
)
from diandian.payments.messages import (
    NOT_FOUND,
    Capabilities,
    Flow,
    NoticeRefused,
    Rejected,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from diandian.payments.messages import (
        Ack,
        CloseAnswer,
        Finding,
        Instruction,
        MerchantContext,
        Outcome,
        PaymentRequest,
        RefundRequest,
        RefundSnapshot,
        Snapshot,
        VerifiedNotice,
    )
    from diandian.payments.splits import (
        ReversalRequest,
        ReversalSnapshot,
        SplitRequest,
        SplitSnapshot,
    )
    from diandian.payments.statements import Statement, StatementKind

# Others report that older charges are refused; see README.
_REFUND_WINDOW_DAYS = 180


class StripeGateway:
    """Keeps the contract of ``payments.gateway.Gateway``."""

    key = "stripe"
    pay_origins: tuple[str, ...] = (sessions.PAY_ORIGIN,)

    def capabilities(self, context: MerchantContext) -> Capabilities:
        """Return what the gateway can do for a platform with Connect."""
        return Capabilities(
            limits_minor=sessions.limits_minor(context),
            flows=(Flow("checkout", "redirect", ("wechat", "alipay", "phone", "desktop")),),
            can_close=True,
            can_partial_refund=True,
            refund_window_days=_REFUND_WINDOW_DAYS,
            shortest_life_seconds=int(sessions.SHORTEST_LIFE.total_seconds()),
            split=splits.TERMS,
            statements=("trades", "funds"),
        )

    def create_payment(
        self, context: MerchantContext, request: PaymentRequest, *, at: datetime
    ) -> Outcome[Instruction]:
        """Open a hosted page; the same one as long as it is open."""
        if request.expires_at <= at:
            return Rejected("expired")
        if not sessions.is_payable(context, request.amount):
            return Rejected("amount_out_of_range")
        return outcome_of(lambda: sessions.open_page(context, request, at=at))

    def query_payment(
        self, context: MerchantContext, payment_no: str, *, at: datetime
    ) -> Outcome[Snapshot]:
        """Ask for the charges of a payment; before there is one, for its page."""
        return outcome_of(lambda: _look_up(context, payment_no, at))

    def close_payment(
        self, context: MerchantContext, payment_no: str, *, at: datetime
    ) -> Outcome[CloseAnswer]:
        """Expire the page of a payment."""
        return outcome_of(lambda: _close(context, payment_no, at))

    def refund(
        self, context: MerchantContext, request: RefundRequest, *, at: datetime
    ) -> Outcome[RefundSnapshot]:
        """Give money back; looked for first, so never twice."""
        return outcome_of(lambda: refunds.send(context, request, at=at))

    def query_refund(
        self, context: MerchantContext, refund_no: str, *, at: datetime
    ) -> Outcome[RefundSnapshot]:
        """Ask where a refund stands."""
        return outcome_of(lambda: refunds.look_up(context, refund_no, at=at))

    def split(
        self, context: MerchantContext, request: SplitRequest, *, at: datetime
    ) -> Outcome[SplitSnapshot]:
        """Transfer each leg to its connected account, out of the payment's own charge."""
        return outcome_of(lambda: splits.send(context, request, at=at))

    def query_split(
        self, context: MerchantContext, request: SplitRequest, *, at: datetime
    ) -> Outcome[SplitSnapshot]:
        """Ask which legs were transferred."""
        return outcome_of(lambda: splits.look_up(context, request, at=at))

    def reverse_split(
        self, context: MerchantContext, request: ReversalRequest, *, at: datetime
    ) -> Outcome[ReversalSnapshot]:
        """Reverse a transfer, in whole or part."""
        return outcome_of(lambda: splits.reverse(context, request, at=at))

    def query_reversal(
        self, context: MerchantContext, request: ReversalRequest, *, at: datetime
    ) -> Outcome[ReversalSnapshot]:
        """Ask whether a transfer was reversed."""
        return outcome_of(lambda: splits.look_up_reversal(context, request, at=at))

    def fetch_statement(
        self, context: MerchantContext, day: date, kind: StatementKind, *, at: datetime
    ) -> Outcome[Statement]:
        """Read the balance transactions of a business day."""
        return outcome_of(lambda: statements.fetch(context, day, kind, at=at))

    def check(self, context: MerchantContext, *, notify_url: str, at: datetime) -> list[Finding]:
        """Try keys, account, clock, address for notices and rights."""
        return trials.whole(lambda: trial.findings(context, notify_url=notify_url, at=at))

    def check_receivers(
        self, context: MerchantContext, accounts: Sequence[str], *, at: datetime
    ) -> list[Finding]:
        """Try whether Connect is open, and whether each account may receive transfers."""
        return trials.whole(lambda: trial.receivers(context, accounts, at=at))

    def parse_notification(
        self, context: MerchantContext, headers: Mapping[str, str], body: bytes, *, at: datetime
    ) -> VerifiedNotice | NoticeRefused:
        """Verify an event: signature, age, form, addressee."""
        try:
            return notices.parse(context, headers, body, at=at)
        except Exception:  # noqa: BLE001 - hostile bytes end here
            return NoticeRefused("malformed")

    def ack(self, refusal: NoticeRefused | None) -> Ack:
        """Return the answer to an event."""
        return notices.ack(refusal)


def _look_up(context: MerchantContext, payment_no: str, at: datetime) -> Snapshot:
    charges = snapshots.charges_of(context, payment_no, at=at)
    found = snapshots.of_charges(context, charges, at=at)
    if found is not None:
        return found
    session = sessions.find(context, payment_no, at=at)
    if session is not None:
        return snapshots.of_session(context, session, at=at)
    if charges:
        return snapshots.of_dead_charges(context, charges)
    raise NoAnswerError(Rejected(NOT_FOUND))


def _close(context: MerchantContext, payment_no: str, at: datetime) -> CloseAnswer:
    session = sessions.find(context, payment_no, at=at)
    if session is not None:
        return sessions.close(context, session, at=at)
    charges = snapshots.charges_of(context, payment_no, at=at)
    return "not_found_yet" if snapshots.paid_charge(charges) is None else "already_paid"


GATEWAY = StripeGateway()
