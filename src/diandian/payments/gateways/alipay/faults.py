"""What it means when the gateway says no, or says nothing that can be believed.

Rejected is said only where a signed answer refuses, or where no byte left this machine.
*Source:* payments design, section 3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from diandian.payments.facts import NoAnswerError
from diandian.payments.gateways.alipay import answers
from diandian.payments.messages import NOT_FOUND, Rejected, Unknown

if TYPE_CHECKING:
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
# A division so answered may have been made or not: the same number is asked about and sent again.
_UNSURE = "ACQ.TRADE_SETTLE_ERROR"


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
    if "SYSTEM_ERROR" in sub_code.upper() or sub_code.startswith(("isp.", "aop.", _UNSURE)):
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
