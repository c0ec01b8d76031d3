"""The contract of a payment gateway: what we ask, what may come back; unknown is not failed.

A gateway knows neither the database nor Django; it turns our words into its protocol and its
signed answers into ours. *Source:* payments design, section 3.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Generic, Literal, Protocol, TypeVar, runtime_checkable

from diandian.kernel.folders import plug_in_modules

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from diandian.kernel.money import Money

T_co = TypeVar("T_co", covariant=True)

FlowKind = Literal["redirect", "qr", "jsapi"]
SnapshotState = Literal["pending", "failed", "closed", "succeeded"]
RefundSnapshotState = Literal["processing", "succeeded", "failed", "abnormal"]
CloseAnswer = Literal["closed", "already_paid", "not_found_yet"]
RefusalReason = Literal["bad_signature", "stale", "unknown_key", "malformed", "not_ours"]

# The code of a rejection that says: the gateway has never heard of this number.
NOT_FOUND = "not_found"
# A notice may be this old, or this far in the future, and not a second more.
NOTICE_WINDOW_SECONDS = 300
_ORIGIN = re.compile(r"https://[a-z0-9.-]+(:\d+)?")


@dataclass(frozen=True, slots=True)
class MerchantContext:
    """In whose name we speak to a gateway.

    ``mode``: live or test; the two never share a payment. ``options``: what one gateway alone needs
    (paths of keys, base address): references, never the secrets themselves.
    """

    gateway: str
    mode: str
    merchant: str
    sub_merchant: str = ""
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a gateway can do. ``limits_minor``: currency -> smallest and largest amount it takes."""

    limits_minor: Mapping[str, tuple[int, int]]
    flows: tuple[FlowKind, ...]
    can_close: bool
    can_partial_refund: bool
    refund_window_days: int


@dataclass(frozen=True, slots=True)
class PaymentRequest:
    """What a payment is about. ``payment_no`` is ours and the same on every retry."""

    payment_no: str
    amount: Money
    subject: str
    expires_at: datetime
    return_url: str
    notify_url: str = ""
    flow: FlowKind = "redirect"


@dataclass(frozen=True, slots=True)
class Instruction:
    """How the guest pays: an address to go to, a QR text to show, or parameters for a web view."""

    kind: FlowKind
    url: str = ""
    text: str = ""
    gateway_ref: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A payment as the gateway says, by a signed answer to our own question."""

    state: SnapshotState
    payment_no: str
    merchant: str
    mode: str
    amount_minor: int
    currency: str
    gateway_ref: str
    paid_at: datetime | None
    refunded_minor: int
    raw_digest: str


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """Money to give back. ``refund_no`` is ours and the same on every retry."""

    refund_no: str
    payment_no: str
    amount: Money
    total: Money
    reason: str


@dataclass(frozen=True, slots=True)
class RefundSnapshot:
    """A refund as the gateway says; processing is accepted, not done."""

    state: RefundSnapshotState
    refund_no: str
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class VerifiedNotice:
    """A notice whose signature, age and addressee were checked: a hint to ask, never the truth."""

    notice_id: str
    kind: str
    payment_no: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class NoticeRefused:
    """A notice that is not believed."""

    reason: RefusalReason


@dataclass(frozen=True, slots=True)
class Ack:
    """The exact answer that the gateway wants to a notice."""

    status: int
    body: bytes = b""
    content_type: str = "text/plain"


@dataclass(frozen=True, slots=True)
class Done(Generic[T_co]):
    """The gateway did it, and signed for it."""

    value: T_co


@dataclass(frozen=True, slots=True)
class Pending:
    """The gateway accepted it and has not decided yet."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """The gateway certainly did not do it."""

    code: str
    message: str = ""
    retryable: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """Perhaps done, perhaps not: a timeout, a reset, an unsigned answer. Ask by the same number."""

    cause: str


Outcome = Done[T_co] | Pending | Rejected | Unknown


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

    def ack(self, refusal: NoticeRefused | None) -> Ack:
        """Return the answer to a notice: taken, or refused."""


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
