"""What it means when a call leads to no answer: certainly not done, or nobody knows.

Rejected is said only where the gateway surely did nothing; what lies with keys, rights or load may
be tried again by the same number. *Source:* payments design, section 3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from diandian.payments.facts import NoAnswerError
from diandian.payments.messages import Rejected, Unknown

if TYPE_CHECKING:
    from stripe import StripeError

# Another call with the same idempotency key had other parameters: something was asked before.
ASKED_BEFORE = "asked_before"
# Refusals that time or the operator can mend; the same number may be sent again.
_MENDABLE = frozenset(
    {
        "balance_insufficient",
        "insufficient_funds",
        "lock_timeout",
        "rate_limit",
        "testmode_charges_only",
    }
)
_LONGEST_TEXT = 200


class WrongKeyError(Exception):
    """The gateway does not take a key; it did nothing."""


def outcome_of(error: Exception) -> Rejected | Unknown:
    """Return what a fault means to who asked. Raises: WrongKeyError."""
    import stripe  # noqa: PLC0415 - a vendor's library is loaded by who uses it

    match error:
        case NoAnswerError():
            return error.outcome
        case stripe.AuthenticationError():
            raise WrongKeyError from error
        case stripe.StripeError():
            return _refusal(error)
    return Unknown(type(error).__name__)


def of_question(outcome: Rejected | Unknown) -> Rejected | Unknown:
    """Return what a fault of a mere question says about the thing in question: nothing for good.

    That a thing is not there is only ever concluded from a list that was read whole.
    """
    if isinstance(outcome, Rejected) and not outcome.retryable:
        return Unknown(f"refused: {outcome.code}")
    return outcome


def _refusal(error: StripeError) -> Rejected | Unknown:
    import stripe  # noqa: PLC0415 - a vendor's library is loaded by who uses it

    code = error.code if isinstance(error.code, str) else ""
    text = _short(error.user_message)
    match error:
        case stripe.PermissionError():
            return Rejected("not_permitted", text, retryable=True)
        case stripe.RateLimitError():
            return Rejected("rate_limited", text, retryable=True)
        case stripe.IdempotencyError():
            return Rejected(ASKED_BEFORE, text, retryable=True)
        case stripe.InvalidRequestError() | stripe.CardError():
            return Rejected(_short(code) or "refused", text, retryable=code in _MENDABLE)
    return Unknown(f"status {error.http_status}")


def _short(value: object) -> str:
    kept = value[:_LONGEST_TEXT] if isinstance(value, str) else ""
    return "".join(letter for letter in kept if letter.isprintable())
