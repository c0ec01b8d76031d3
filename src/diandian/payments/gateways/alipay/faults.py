"""What it means when the gateway says no, or says nothing that can be believed.

Rejected is said only where a signed answer refuses, or where no byte left this machine.
*Source:* payments design, section 3.
"""

from __future__ import annotations

from datetime import timedelta
from threading import Lock
from typing import TYPE_CHECKING

from diandian.payments.gateways.alipay import answers
from diandian.payments.gateways.alipay.answers import NoAnswerError
from diandian.payments.messages import NOT_FOUND, Rejected, Unknown

if TYPE_CHECKING:
    from datetime import datetime

    from diandian.payments.gateways.alipay.answers import Facts

FINE = "10000"
TRADE_NOT_THERE = "ACQ.TRADE_NOT_EXIST"
# The gateway does not know the key that a call was signed with; it did nothing.
WRONG_SIGNATURE = frozenset(
    {"isv.invalid-signature", "isv.missing-signature-key", "isv.missing-signature-config"}
)
_BUSINESS = "40004"
# Our rights and our load: time or the operator can mend them, the same number may be sent again.
_MENDABLE_CODES = {
    "20001": "not_permitted",
    "40005": "rate_limited",
    "40006": "not_permitted",
}
_REFUSALS = frozenset({"40001", "40002", "40003", _BUSINESS})
_UNREACHABLE = "unreachable"
_FAULTS_BEFORE_REST = 5
_REST = timedelta(seconds=20)


class Rest:
    """Lets the line rest while the gateway is down, so that no worker waits for it in vain.

    Five faults in a row, and nothing is sent for twenty seconds; after that one fault is enough.
    """

    def __init__(self) -> None:
        self._faults = 0
        self._until: datetime | None = None
        self._lock = Lock()

    def check(self, at: datetime) -> None:
        """Refuse to send while the line rests. Raises: NoAnswerError."""
        with self._lock:
            if self._until is not None and self._until - _REST <= at < self._until:
                text = "the gateway gave no answer several times; nothing was sent"
                raise NoAnswerError(Rejected(_UNREACHABLE, text, retryable=True))

    def note(self, at: datetime, *, is_fault: bool) -> None:
        """Count a fault, or forget all of them."""
        with self._lock:
            self._faults = self._faults + 1 if is_fault else 0
            self._until = at + _REST if self._faults >= _FAULTS_BEFORE_REST else None


def of_line(error: Exception) -> Rejected | Unknown:
    """Return what a fault of the line means."""
    from urllib3 import exceptions  # noqa: PLC0415 - loaded by who uses it

    match error:
        case NoAnswerError():
            return error.outcome
        case exceptions.NewConnectionError() | exceptions.ConnectTimeoutError():
            return Rejected(_UNREACHABLE, "no connection; nothing was sent", retryable=True)
    return Unknown(type(error).__name__)


def is_fault(outcome: Rejected | Unknown) -> bool:
    """Tell whether an outcome counts against the line."""
    return isinstance(outcome, Unknown) or outcome.code == _UNREACHABLE


def refuse(facts: Facts) -> None:
    """Turn a signed answer that is no success into its outcome. Raises: NoAnswerError."""
    code = answers.text(facts, "code")
    if code == FINE:
        return
    sub_code = answers.text_or(facts, "sub_code")
    said = answers.text_or(facts, "sub_msg") or answers.text_or(facts, "msg")
    raise NoAnswerError(_outcome(code, sub_code, said), sub_code)


def _outcome(code: str, sub_code: str, said: str) -> Rejected | Unknown:
    if code in _MENDABLE_CODES:
        return Rejected(_MENDABLE_CODES[code], said, retryable=True)
    if code not in _REFUSALS:
        # 20000, 10003 and whatever comes later: perhaps done.
        return Unknown(f"code {code}")
    if sub_code == TRADE_NOT_THERE:
        return Rejected(NOT_FOUND, said)
    if "SYSTEM_ERROR" in sub_code.upper() or sub_code.startswith(("isp.", "aop.")):
        return Unknown(f"the gateway's own error: {sub_code}")
    if sub_code.endswith("ACCESS_FORBIDDEN") or "permission" in sub_code:
        return Rejected("not_permitted", said, retryable=True)
    return Rejected(sub_code or code, said, retryable=_is_mendable(sub_code))


def _is_mendable(sub_code: str) -> bool:
    return "NOT_ENOUGH" in sub_code or sub_code in WRONG_SIGNATURE


def of_question(outcome: Rejected | Unknown) -> Rejected | Unknown:
    """Return what a refused question says about the thing in question: nothing, unless it is "no".

    Only "there is no such trade" speaks of the thing; any other refusal is about the question.
    """
    if isinstance(outcome, Rejected) and not outcome.retryable and outcome.code != NOT_FOUND:
        return Unknown(f"refused: {outcome.code}")
    return outcome
