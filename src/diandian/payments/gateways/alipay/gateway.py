"""Alipay behind our contract: pages, QR codes, refunds, royalty, statements, notices.

Every method ends in an outcome: what the other side sends, and whatever a library makes of it,
never becomes an exception here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from diandian.payments import trials
from diandian.payments.facts import outcome_of
from diandian.payments.gateways.alipay import (
    answers,
    notices,
    refunds,
    splits,
    statements,
    trades,
    trial,
)
from diandian.payments.messages import Capabilities, NoticeRefused, Rejected

if TYPE_CHECKING:
    from collections.abc import Mapping
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

# What the contracts for pages and codes promise at least; the option names a longer one.
_REFUND_WINDOW_DAYS = 90
_LONGEST_WINDOW_DAYS = 365


class AlipayGateway:
    """Keeps the contract of ``payments.gateway.Gateway``."""

    key = "alipay"
    # The way to pay leads through several hosts, and a browser asks about each of them.
    pay_origins: tuple[str, ...] = (
        "https://openapi.alipay.com",
        "https://unitradeadapter.alipay.com",
        "https://excashier.alipay.com",
        "https://mclient.alipay.com",
        "https://openapi-sandbox.dl.alipaydev.com",
        "https://unitradeadapter-sandbox.dl.alipaydev.com",
        "https://excashier-sandbox.dl.alipaydev.com",
        "https://mclient-sandbox.dl.alipaydev.com",
    )

    def capabilities(self, context: MerchantContext) -> Capabilities:
        """Return what the gateway can do for a merchant."""
        return Capabilities(
            limits_minor=trades.LIMITS_MINOR,
            flows=trades.FLOWS,
            can_close=True,
            can_partial_refund=True,
            refund_window_days=_window_days(context),
            shortest_life_seconds=int(trades.SHORTEST_LIFE.total_seconds()),
            split=splits.terms(context),
            statements=("trades", "funds"),
        )

    def create_payment(
        self, context: MerchantContext, request: PaymentRequest, *, at: datetime
    ) -> Outcome[Instruction]:
        """Return an address to pay at, or fetch a code; nobody is called for an address."""
        if request.expires_at <= at:
            return Rejected("expired")
        if not trades.is_payable(request.amount):
            return Rejected("amount_out_of_range")
        return outcome_of(lambda: trades.create(context, request, at=at))

    def query_payment(
        self, context: MerchantContext, payment_no: str, *, at: datetime
    ) -> Outcome[Snapshot]:
        """Ask for a trade; "not found" is no proof that it cannot be paid any more."""
        return outcome_of(lambda: trades.look_up(context, payment_no, at=at))

    def close_payment(
        self, context: MerchantContext, payment_no: str, *, at: datetime
    ) -> Outcome[CloseAnswer]:
        """Close an unpaid trade."""
        return outcome_of(lambda: trades.close(context, payment_no, at=at))

    def refund(
        self, context: MerchantContext, request: RefundRequest, *, at: datetime
    ) -> Outcome[RefundSnapshot]:
        """Give money back; the gateway takes a number once."""
        if request.amount.currency != answers.CURRENCY or request.amount.amount_minor <= 0:
            return Rejected("amount_out_of_range")
        return outcome_of(lambda: refunds.send(context, request, at=at))

    def query_refund(
        self, context: MerchantContext, refund_no: str, *, at: datetime
    ) -> Outcome[RefundSnapshot]:
        """Ask where a refund stands."""
        return outcome_of(lambda: refunds.look_up(context, refund_no, at=at))

    def split(
        self, context: MerchantContext, request: SplitRequest, *, at: datetime
    ) -> Outcome[SplitSnapshot]:
        """Split our fee off; looked for first, so never twice."""
        return outcome_of(lambda: splits.send(context, request, at=at))

    def query_split(
        self, context: MerchantContext, request: SplitRequest, *, at: datetime
    ) -> Outcome[SplitSnapshot]:
        """Ask where a division stands."""
        return outcome_of(lambda: splits.look_up(context, request, at=at))

    def reverse_split(
        self, context: MerchantContext, request: ReversalRequest, *, at: datetime
    ) -> Outcome[ReversalSnapshot]:
        """Take a leg back; looked for first, so never twice."""
        return outcome_of(lambda: splits.reverse(context, request, at=at))

    def query_reversal(
        self, context: MerchantContext, request: ReversalRequest, *, at: datetime
    ) -> Outcome[ReversalSnapshot]:
        """Ask where a reversal stands."""
        return outcome_of(lambda: splits.look_up_reversal(context, request, at=at))

    def fetch_statement(
        self, context: MerchantContext, day: date, kind: StatementKind, *, at: datetime
    ) -> Outcome[Statement]:
        """Fetch and read the file of a business day."""
        return outcome_of(lambda: statements.fetch(context, day, kind, at=at))

    def check(self, context: MerchantContext, *, notify_url: str, at: datetime) -> list[Finding]:
        """Try keys, app, account, clock, address for notices and products."""
        return trials.whole(lambda: trial.findings(context, notify_url=notify_url, at=at))

    def parse_notification(
        self, context: MerchantContext, headers: Mapping[str, str], body: bytes, *, at: datetime
    ) -> VerifiedNotice | NoticeRefused:
        """Verify a notice: signature, age, form, addressee."""
        try:
            return notices.parse(context, headers, body, at=at)
        except Exception:  # noqa: BLE001 - hostile bytes end here
            return NoticeRefused("malformed")

    def ack(self, refusal: NoticeRefused | None) -> Ack:
        """Return the answer to a notice."""
        return notices.ack(refusal)


def _window_days(context: MerchantContext) -> int:
    given = context.options.get("refund_window_days", "")
    is_number = given.isascii() and given.isdigit() and len(given) <= len("365")
    return min(int(given), _LONGEST_WINDOW_DAYS) if is_number else _REFUND_WINDOW_DAYS


GATEWAY = AlipayGateway()
