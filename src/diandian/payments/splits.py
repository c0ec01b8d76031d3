"""What travels about the division of a received payment between supplier and platform; pure values.

*Source:* payments design, sections 3 and 9.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from diandian.kernel.money import Money

SplitState = Literal["processing", "succeeded", "failed"]


@dataclass(frozen=True, slots=True)
class SplitTerms:
    """How received money may be divided. ``cap_basis_points``: at most this share of a payment.

    ``wait_seconds``: after the payment, before the first split. ``pays_supplier``: whether the legs
    are the supplier's part (we collected) or our fee (the supplier did). ``fee_account``: which of
    ours gets the fee, where that is not our number as a merchant. ``holds_rest``: what no leg takes
    is held at the gateway until it hears that nothing will, or for some weeks.
    """

    cap_basis_points: int
    wait_seconds: int
    can_reverse: bool
    pays_supplier: bool
    fee_account: str = ""
    holds_rest: bool = False


@dataclass(frozen=True, slots=True)
class SplitLeg:
    """A part of a payment for one receiver: an account at the same gateway."""

    leg_no: str
    receiver: str
    amount: Money
    text: str = ""


@dataclass(frozen=True, slots=True)
class SplitRequest:
    """How to divide a payment. ``split_no`` and ``leg_no`` are the same on every retry.

    ``release_rest``: what no leg takes is then free for who collected.
    """

    split_no: str
    payment_no: str
    gateway_ref: str
    legs: tuple[SplitLeg, ...]
    release_rest: bool = True


@dataclass(frozen=True, slots=True)
class LegSnapshot:
    """A part as the gateway says. ``leg_ref``: the gateway's name of it, for a reversal."""

    leg_no: str
    state: SplitState
    amount_minor: int
    leg_ref: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SplitSnapshot:
    """A division as the gateway says; ``succeeded`` only when every leg is."""

    state: SplitState
    split_no: str
    legs: tuple[LegSnapshot, ...]


@dataclass(frozen=True, slots=True)
class ReversalRequest:
    """A leg to take back, in whole or part. ``reversal_no`` is the same on every retry."""

    reversal_no: str
    split_no: str
    payment_no: str
    gateway_ref: str
    leg_no: str
    leg_ref: str
    receiver: str
    amount: Money


@dataclass(frozen=True, slots=True)
class ReversalSnapshot:
    """A reversal as the gateway says."""

    state: SplitState
    reversal_no: str
    amount_minor: int
    reason: str = ""
