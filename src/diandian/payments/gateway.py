"""The contract of a payment gateway: what we ask, what may come back; unknown is not failed.

A gateway knows neither the database nor Django; it turns our words into its protocol and its
signed answers into ours. *Source:* payments design, section 3.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from diandian.kernel.folders import plug_in_modules

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from diandian.payments.messages import (
        Ack,
        Capabilities,
        CloseAnswer,
        Finding,
        Instruction,
        MerchantContext,
        NoticeRefused,
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

_ORIGIN = re.compile(r"https://[a-z0-9.-]+(:\d+)?")


@runtime_checkable
class Gateway(Protocol):
    """What every folder below ``payments/gateways`` offers as ``GATEWAY`` in its ``gateway.py``.

    ``at`` is our clock: for signatures and for the age of notices. No method raises on what the
    other side sends; a connection refused before the first byte is Rejected (retryable), everything
    unclear is Unknown. ``pay_origins``: of the pages that guests are sent to, such as
    ``https://pay.example``; a browser lets our forms lead nowhere else.
    """

    key: str
    pay_origins: tuple[str, ...]

    def capabilities(self, context: MerchantContext) -> Capabilities:
        """Return what this gateway can do for this merchant."""

    def create_payment(
        self, context: MerchantContext, request: PaymentRequest, *, at: datetime
    ) -> Outcome[Instruction]:
        """Open a payment and return the way to pay. Idempotent by: the payment number."""

    def query_payment(
        self, context: MerchantContext, payment_no: str, *, at: datetime
    ) -> Outcome[Snapshot]:
        """Return where a payment stands; Rejected with ``NOT_FOUND`` when it is not there."""

    def close_payment(
        self, context: MerchantContext, payment_no: str, *, at: datetime
    ) -> Outcome[CloseAnswer]:
        """Make an unpaid payment unpayable."""

    def refund(
        self, context: MerchantContext, request: RefundRequest, *, at: datetime
    ) -> Outcome[RefundSnapshot]:
        """Give money back. Idempotent by: the refund number."""

    def query_refund(
        self, context: MerchantContext, refund_no: str, *, at: datetime
    ) -> Outcome[RefundSnapshot]:
        """Return where a refund stands; Rejected with ``NOT_FOUND`` when it is not there."""

    def parse_notification(
        self, context: MerchantContext, headers: Mapping[str, str], body: bytes, *, at: datetime
    ) -> VerifiedNotice | NoticeRefused:
        """Verify a notice from its headers and its very bytes."""

    def split(
        self, context: MerchantContext, request: SplitRequest, *, at: datetime
    ) -> Outcome[SplitSnapshot]:
        """Divide a received payment. Idempotent by: the split number and the legs' numbers."""

    def query_split(
        self, context: MerchantContext, request: SplitRequest, *, at: datetime
    ) -> Outcome[SplitSnapshot]:
        """Return where a division stands; Rejected with ``NOT_FOUND`` when it is not there."""

    def reverse_split(
        self, context: MerchantContext, request: ReversalRequest, *, at: datetime
    ) -> Outcome[ReversalSnapshot]:
        """Take a leg back. Idempotent by: the reversal number."""

    def query_reversal(
        self, context: MerchantContext, request: ReversalRequest, *, at: datetime
    ) -> Outcome[ReversalSnapshot]:
        """Return where a reversal stands; Rejected with ``NOT_FOUND`` when it is not there."""

    def fetch_statement(
        self, context: MerchantContext, day: date, kind: StatementKind, *, at: datetime
    ) -> Outcome[Statement]:
        """Return the statement of a day; Rejected with ``NOT_READY`` while there is none yet.

        A file that is cut off or fails its digest is Unknown: it is fetched again, never read.
        """

    def check(self, context: MerchantContext, *, notify_url: str, at: datetime) -> list[Finding]:
        """Try the set-up without moving money: keys, clock, address for notices, permissions."""

    def ack(self, refusal: NoticeRefused | None) -> Ack:
        """Return the answer to a notice: taken, or refused."""


@runtime_checkable
class MendsRefunds(Protocol):
    """What a gateway may offer on top: a second way home for a refund that is abnormal."""

    def mend_refund(
        self, context: MerchantContext, request: RefundRequest, *, at: datetime
    ) -> Outcome[RefundSnapshot]:
        """Try an abnormal refund once more. Idempotent by: the refund number."""


@runtime_checkable
class TriesReceivers(Protocol):
    """What a gateway may offer on top: a look at the accounts that suppliers' parts go to."""

    def check_receivers(
        self, context: MerchantContext, accounts: Sequence[str], *, at: datetime
    ) -> list[Finding]:
        """Tell whether each could receive its part now, without moving money."""


@cache
def gateways() -> dict[str, Gateway]:
    """Return every gateway there is, by its key; which of them are in use is a setting."""
    found: dict[str, Gateway] = {}
    for key, module in plug_in_modules("diandian.payments.gateways", "gateway"):
        gateway = module.GATEWAY
        if not isinstance(gateway, Gateway) or gateway.key != key:
            raise TypeError(f"payments/gateways/{key}/gateway.py does not keep the contract")
        if not all(_ORIGIN.fullmatch(origin) for origin in gateway.pay_origins):
            raise TypeError(
                f"payments/gateways/{key}: each of pay_origins is https://HOST, no path"
            )
        found[key] = gateway
    return found
