"""What travels between us and a payment gateway: questions, answers, outcomes; pure values.

Amounts are whole minor units of their currency; numbers that end in ``_no`` are ours, those that
end in ``_ref`` the gateway's. *Source:* payments design, section 3.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from diandian.kernel.money import Money
    from diandian.payments.splits import SplitTerms
    from diandian.payments.statements import StatementKind

T_co = TypeVar("T_co", covariant=True)

FlowKind = Literal["redirect", "qr", "jsapi"]
Browser = Literal["wechat", "alipay", "phone", "desktop"]
SnapshotState = Literal["pending", "failed", "closed", "succeeded"]
RefundSnapshotState = Literal["processing", "succeeded", "failed", "abnormal"]
DisputeState = Literal["open", "won", "lost"]
CloseAnswer = Literal["closed", "already_paid", "not_found_yet"]
RefusalReason = Literal["bad_signature", "stale", "unknown_key", "malformed", "not_ours"]

# The code of a rejection that says: the gateway has never heard of this number.
NOT_FOUND = "not_found"
# The code of a rejection that says: the time in which the gateway gives money back is over.
WINDOW_OVER = "refund_window"
# The code of a rejection that says: no connection came about, and not one byte was sent.
UNREACHABLE = "unreachable"
# A notice may be this old, or this far in the future, and not a second more.
NOTICE_WINDOW_SECONDS = 300


# Names of variables in the environment.
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,79}")


class SecretMissingError(ValueError):
    """A reference to a key or secret leads nowhere; the text names the reference, never a value."""


# -- in whose name ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MerchantContext:
    """In whose name we speak to a gateway.

    ``mode``: live or test; the two never share a payment. ``merchant``: our own number there;
    ``sub_merchant``: the supplier's, where it is the supplier who collects. ``options``: what one
    gateway alone needs: plain facts, and of secrets only references (``file:PATH``, ``env:NAME``).
    """

    gateway: str
    mode: str
    merchant: str
    sub_merchant: str = ""
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def account(self) -> str:
        """Return who collects, as payments, snapshots and account codes name it."""
        return f"{self.merchant}/{self.sub_merchant}" if self.sub_merchant else self.merchant

    def secret(self, name: str) -> str:
        """Return what the reference in an option leads to. Raises: SecretMissingError."""
        reference = self.options.get(name, "")
        kind, _, rest = reference.partition(":")
        if kind == "env" and os.environ.get(rest):
            return os.environ[rest]
        if kind == "file":
            try:
                return Path(rest).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                reason = type(error).__name__
                raise SecretMissingError(f"{name}: {rest} cannot be read ({reason})") from error
        # What has no such form may be the secret itself: it is never repeated.
        where = f"{kind}:{rest}" if kind == "env" and _NAME.fullmatch(rest) else "it"
        raise SecretMissingError(f"{name}: {where} is not set")

    def missing_secrets(self) -> list[str]:
        """Say of each reference among the options that leads nowhere; never a value."""
        found = []
        for name, value in self.options.items():
            if value.startswith(("file:", "env:")):
                try:
                    self.secret(name)
                except SecretMissingError as error:
                    found.append(str(error))
        return found


# -- what a gateway can do --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Flow:
    """A way to pay at one gateway. ``browsers``: where it works.

    ``needs_payer``: the gateway must know who pays before it opens the payment (an openid).
    """

    key: str
    kind: FlowKind
    browsers: tuple[Browser, ...]
    needs_payer: bool = False


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a gateway can do. ``limits_minor``: currency -> smallest and largest amount it takes.

    ``shortest_life_seconds``: the soonest that a payment may expire there. ``refunds_limit`` and
    ``refund_gap_seconds``: partial refunds of one payment, and the time between two of them.
    """

    limits_minor: Mapping[str, tuple[int, int]]
    flows: tuple[Flow, ...]
    can_close: bool
    can_partial_refund: bool
    refund_window_days: int
    shortest_life_seconds: int = 60
    refunds_limit: int = 1_000
    refund_gap_seconds: int = 0
    split: SplitTerms | None = None
    statements: tuple[StatementKind, ...] = ()


# -- paying -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PaymentRequest:
    """What a payment is about. ``payment_no`` is the same on every retry.

    ``flow``: the key of one of the gateway's flows. ``payer``: who pays, for flows that need it; it
    is kept nowhere. ``is_split``: money of this payment will be divided after the retirement.
    """

    payment_no: str
    amount: Money
    subject: str
    expires_at: datetime
    return_url: str
    notify_url: str = ""
    flow: str = ""
    payer: str = ""
    client_ip: str = ""
    is_split: bool = False


@dataclass(frozen=True, slots=True)
class Instruction:
    """How the guest pays: an address to go to, a QR text to show, or parameters for a web view.

    ``valid_until``: after it the same payment must be created again for a fresh one; None: as long
    as the payment.
    """

    kind: FlowKind
    url: str = ""
    text: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    gateway_ref: str = ""
    valid_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class DisputeSnapshot:
    """A chargeback as the gateway says. ``fee_minor``: what it charges us for it."""

    dispute_ref: str
    state: DisputeState
    amount_minor: int
    currency: str
    fee_minor: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A payment as the gateway says, by a signed answer to our own question.

    ``merchant``: who collects (``MerchantContext.account``). ``refunded_minor``: all that went back
    or is on its way, ours or not. ``fee_minor``: the gateway's own, where it tells.
    ``is_amount_told``: False where the gateway names no amount before a payment is paid.
    """

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
    fee_minor: int | None = None
    disputes: tuple[DisputeSnapshot, ...] = ()
    is_amount_told: bool = True


# -- money back -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """Money to give back. ``refund_no`` is the same on every retry."""

    refund_no: str
    payment_no: str
    amount: Money
    total: Money
    reason: str
    gateway_ref: str = ""
    notify_url: str = ""


@dataclass(frozen=True, slots=True)
class RefundSnapshot:
    """A refund as the gateway says; processing is accepted, not done."""

    state: RefundSnapshotState
    refund_no: str
    amount_minor: int
    currency: str


# -- what the gateway tells us unasked --------------------------------------------------------


@dataclass(frozen=True, slots=True)
class VerifiedNotice:
    """A notice whose signature, age and addressee were checked: a hint to ask, never the truth.

    ``payment_no``: the payment it is about, "" where only ``gateway_ref`` names it.
    ``refund_no``: of a notice about one of our refunds.
    """

    notice_id: str
    kind: str
    payment_no: str
    occurred_at: datetime
    gateway_ref: str = ""
    refund_no: str = ""


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


# -- outcomes of a call -----------------------------------------------------------------------


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


@dataclass(frozen=True, slots=True)
class Finding:
    """What a trial of the set-up found. ``text``: for the operator, with what to do about it."""

    subject: str
    is_fine: bool
    text: str
