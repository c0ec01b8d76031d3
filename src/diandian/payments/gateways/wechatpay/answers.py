"""What WeChat Pay's answers mean in our words. Nothing here believes a fact that is not signed.

A refusal counts only when it is signed: WeChat Pay signs every answer to a request whose own
signature it accepted. Everything else is unknown, and is asked for again.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from diandian.kernel.money import EXPONENTS
from diandian.payments import facts as facts_of
from diandian.payments import messages as port
from diandian.payments.gateways.wechatpay.client import is_success

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from diandian.payments.gateways.wechatpay.account import Account
    from diandian.payments.gateways.wechatpay.client import Reply
    from diandian.payments.messages import Outcome

T = TypeVar("T")

LONGEST_REFERENCE = 64
CURRENCY = "CNY"

_LONGEST_TEXT = 512
_SERVER_ERRORS = 500
_REFUSALS = 400
_NOT_FOUND = {"ORDER_NOT_EXIST", "ORDERNOTEXIST", "RESOURCE_NOT_EXISTS"}
# Certainly not done, and it may work later without a change on our side.
_LATER = frozenset(
    {
        "FREQUENCY_LIMITED",
        "FREQUENCY_LIMIT_EXCEED",
        "RATELIMIT_EXCEEDED",
        "RATELIMIT_EXCEED",
    }
)
# Of money on its way back or on: the balance is filled up, the rest is released.
LATER_WITH_MONEY = frozenset({"NOT_ENOUGH", "RULE_LIMIT"})
# What such a code leaves open is whether an earlier try of ours is what stands in the way.
_OPEN = {
    "SYSTEM_ERROR",
    "BANK_ERROR",
    "BIZ_ERR_NEED_RETRY",
    "OUT_TRADE_NO_USED",
    "ORDER_PAID",
    "ORDERPAID",
    "USERPAYING",
    "USER_PAYING",
}
_PAYMENT_STATES: dict[str, port.SnapshotState] = {
    "SUCCESS": "succeeded",
    "REFUND": "succeeded",
    "NOTPAY": "pending",
    "USERPAYING": "pending",
    "ACCEPT": "pending",
    "CLOSED": "closed",
    "REVOKED": "closed",
    "PAYERROR": "failed",
}
_REFUND_STATES: dict[str, port.RefundSnapshotState] = {
    "SUCCESS": "succeeded",
    "PROCESSING": "processing",
    "CLOSED": "failed",
    "ABNORMAL": "abnormal",
}

# What is read alike at every gateway, under the names by which this one's answers are read.
FactsError = facts_of.MalformedError
amount = facts_of.amount


# -- reading ----------------------------------------------------------------------------------


def json_object(body: bytes) -> dict[str, Any]:
    """Return the object in some bytes. Raises: FactsError, whatever the bytes are."""
    try:
        value = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise FactsError("it is not readable") from error
    return facts_of.mapping(value, "it")


def text(facts: Mapping[str, Any], name: str, *, longest: int = _LONGEST_TEXT) -> str:
    """Return a printable text. Raises: FactsError."""
    return facts_of.text(facts, name, longest=longest)


def text_or(
    facts: Mapping[str, Any], name: str, otherwise: str = "", *, longest: int = _LONGEST_TEXT
) -> str:
    """Return a printable text, or something else where there is none. Raises: FactsError."""
    return text(facts, name, longest=longest) if facts.get(name) else otherwise


def part(facts: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return an object within an object. Raises: FactsError."""
    return facts_of.mapping(facts.get(name), name)


def instant(facts: Mapping[str, Any], name: str) -> datetime:
    """Return an instant from its text with a zone. Raises: FactsError."""
    try:
        found = datetime.fromisoformat(text(facts, name, longest=40))
        if found.tzinfo is None:
            raise FactsError(f"{name} names no zone")
        return found.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise FactsError(f"{name} is not a time") from error


# -- outcomes ---------------------------------------------------------------------------------


def outcome(
    reply: Reply,
    understand: Callable[[dict[str, Any]], T],
    later: frozenset[str] = frozenset(),
) -> Outcome[T]:
    """Return what an answer means; ``understand`` reads the facts of a yes.

    ``later``: codes of a no that may become a yes without a change on our side.
    """
    refused = refusal(reply, later)
    if refused is not None:
        return refused
    try:
        return port.Done(understand(json_object(reply.body)))
    except FactsError as error:
        return port.Unknown(f"signed answer, but {error}")


def refusal(
    reply: Reply, later: frozenset[str] = frozenset()
) -> port.Rejected | port.Unknown | None:
    """Return a no, or that nobody knows; None when the answer is a signed yes."""
    if reply.status >= _SERVER_ERRORS:
        return port.Unknown(f"answer {reply.status}")
    if not reply.is_signed:
        return port.Unknown(f"answer {reply.status} without a signature to trust: {reply.fault}")
    if is_success(reply.status):
        return None
    if reply.status < _REFUSALS:
        return port.Unknown(f"answer {reply.status}")
    return _rejection(code_of(reply), _message_of(reply), later)


def code_of(reply: Reply) -> str:
    """Return the error code in an answer, "" where there is none."""
    try:
        return text(json_object(reply.body), "code", longest=64)
    except FactsError:
        return ""


def _message_of(reply: Reply) -> str:
    try:
        return text_or(json_object(reply.body), "message")
    except FactsError:
        return ""


def _rejection(code: str, message: str, later: frozenset[str]) -> port.Rejected | port.Unknown:
    if not code or code in _OPEN:
        return port.Unknown(code or "refusal without a code")
    if code in _NOT_FOUND:
        return port.Rejected(port.NOT_FOUND, message)
    return port.Rejected(code, message, retryable=code in _LATER | later)


# -- payments ---------------------------------------------------------------------------------


def snapshot(
    account: Account, payment_no: str, facts: Mapping[str, Any], body: bytes
) -> port.Snapshot:
    """Return a payment as an answer says. Raises: FactsError."""
    state = _PAYMENT_STATES.get(text(facts, "trade_state"))
    if state is None:
        raise FactsError("its state is not one that we know")
    if text(facts, "out_trade_no") != payment_no:
        raise FactsError("it is about another payment")
    is_paid = state == "succeeded"
    # An unpaid payment has no amount there: it is told from the success on.
    is_amount_told = is_paid or "amount" in facts
    money = part(facts, "amount") if is_amount_told else {}
    return port.Snapshot(
        state=state,
        payment_no=payment_no,
        merchant=collector(account, facts),
        mode=account.mode,
        # The order's total, not what the guest paid after a coupon.
        amount_minor=amount(money, "total") if is_amount_told else 0,
        currency=_currency(money),
        gateway_ref=text(facts, "transaction_id", longest=LONGEST_REFERENCE) if is_paid else "",
        paid_at=instant(facts, "success_time") if is_paid else None,
        # No question of theirs tells what went back; statements and our own refunds do.
        refunded_minor=0,
        raw_digest=hashlib.sha256(body).hexdigest(),
        is_amount_told=is_amount_told,
    )


def collector(account: Account, facts: Mapping[str, Any]) -> str:
    """Return who collects, as an answer says, in the words of ``MerchantContext.account``.

    With an app id that is none of ours it names that as well, and so matches no account.
    """
    if "sp_mchid" in facts:
        name = f"{text(facts, 'sp_mchid', longest=32)}/{text(facts, 'sub_mchid', longest=32)}"
    else:
        name = text(facts, "mchid", longest=32)
    app = text_or(facts, "sp_appid") or text_or(facts, "appid")
    if app and app not in {account.app, *account.former_apps}:
        return f"{name} app {app}"[:80]
    return name


def _currency(money: Mapping[str, Any]) -> str:
    # Documented as optional, with this as what it then is.
    return text_or(money, "currency", CURRENCY)[:8]


# -- refunds ----------------------------------------------------------------------------------


def refund_snapshot(refund_no: str, facts: Mapping[str, Any]) -> port.RefundSnapshot:
    """Return a refund as an answer says. Raises: FactsError."""
    state = _REFUND_STATES.get(text(facts, "status"))
    if state is None:
        raise FactsError("its state is not one that we know")
    if text(facts, "out_refund_no") != refund_no:
        raise FactsError("it is about another refund")
    money = part(facts, "amount")
    currency = _currency(money)
    if currency not in EXPONENTS:
        raise FactsError("its currency is not one that we know")
    return port.RefundSnapshot(state, refund_no, amount(money, "refund"), currency)
