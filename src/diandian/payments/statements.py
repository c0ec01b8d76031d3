"""What a gateway's statement says, in one form for all gateways; pure values.

*Source:* payments design, sections 3 and 10.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import date, datetime

StatementKind = Literal["trades", "funds"]
LineKind = Literal["payment", "refund", "fee", "split", "reversal", "dispute", "payout", "other"]

# The code of a rejection that says: there is no statement of that day yet.
NOT_READY = "not_ready"


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One line of a gateway's statement, from our side: what comes in is positive.

    ``our_no``: payment, refund or split number where the line names it. ``net`` = ``gross`` -
    ``fee``. Of a refund or chargeback, the payment behind it, where the line names it:
    ``payment_no`` by our number, ``payment_ref`` by the gateway's, if that is not ``gateway_ref``.
    """

    kind: LineKind
    gateway_ref: str
    our_no: str
    gross_minor: int
    fee_minor: int
    net_minor: int
    currency: str
    at: datetime
    status: str = ""
    payment_no: str = ""
    payment_ref: str = ""


@dataclass(frozen=True, slots=True)
class Statement:
    """What a gateway says a day was. ``sha256``: of ``raw``, the file as it came.

    ``is_proven``: the gateway's own digest or signature of it was checked.
    """

    day: date
    kind: StatementKind
    lines: tuple[StatementLine, ...]
    raw: bytes
    sha256: str
    is_proven: bool
