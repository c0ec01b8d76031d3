"""A trial of the set-up: asks about a payment that cannot exist, and opens and closes two.

No money moves. Each finding says what is wrong in plain words, and what to do about it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from diandian.kernel.money import Money
from diandian.payments import messages as port
from diandian.payments import options, trials
from diandian.payments.facts import NoAnswerError
from diandian.payments.gateways.wechatpay import account, answers, splits
from diandian.payments.gateways.wechatpay.account import Account, SetupError
from diandian.payments.gateways.wechatpay.client import Reply, library_of
from diandian.payments.messages import Finding

if TYPE_CHECKING:
    from datetime import datetime

    from diandian.payments.gateway import Gateway
    from diandian.payments.messages import MerchantContext

_LIFE = timedelta(minutes=5)
_ADDRESS = "127.0.0.1"
_UNAUTHORIZED = 401
_NOT_EXIST = "ORDER_NOT_EXIST"
_BASIS_POINTS = 10_000
_ADVICE = {
    "NO_AUTH": "the product is not opened for this merchant: apply for it at the product centre",
    "APPID_MCHID_NOT_MATCH": "app_id is not bound to this merchant: bind it in the account centre",
    "MCH_NOT_EXISTS": "WeChat Pay does not know the merchant: check merchant and sub_merchant",
    "PARAM_ERROR": "WeChat Pay does not take the facts: check merchant, sub_merchant and app_id",
    "INVALID_REQUEST": "WeChat Pay does not take the request: check sub_merchant and app_id",
    "SIGN_ERROR": "private_key and serial_no do not belong together, or not to this merchant",
}


def findings(
    gateway: Gateway, context: MerchantContext, *, notify_url: str, at: datetime
) -> list[Finding]:
    """Return what a trial found, the good with the bad."""
    found = [_notify_url(notify_url)]
    try:
        ours = account.read(context)
    except SetupError as error:
        return [*found, *(Finding("keys", is_fine=False, text=fault) for fault in error.faults)]
    found.append(Finding("keys", is_fine=True, text="All keys can be read."))
    asked = _connection(ours, at)
    found += asked
    if all(each.is_fine for each in asked):
        found += _products(gateway, context, notify_url, at)
        found += _sharing(context, ours, at)
    return found


def _notify_url(url: str) -> Finding:
    if not options.is_for_notices(url):
        return Finding(
            "notify_url",
            is_fine=False,
            text=f"{url or 'The address for notices'} must begin with https:// and have nothing"
            " behind a question mark: WeChat Pay takes no other. Set the public address of the"
            " platform. Payments still complete, by our own questions, only later.",
        )
    return Finding("notify_url", is_fine=True, text=f"Notices go to {url}.")


def _connection(ours: Account, at: datetime) -> list[Finding]:
    """Ask about a payment that cannot exist: a signed no proves keys, merchant and clock."""
    sub = {"sub_mchid": ours.sub_merchant} if ours.is_partner else {}
    number = f"DDCHECK{int(at.timestamp())}"
    try:
        reply = library_of(ours, at).query(out_trade_no=number, **sub)
    except NoAnswerError as error:
        text = f"{ours.base_url} did not answer ({error.said}). Check the network and the firewall."
        return [Finding("connection", is_fine=False, text=text)]
    return [*_clock(reply, at), _signature(ours, reply)]


def _clock(reply: Reply, at: datetime) -> list[Finding]:
    seconds = trials.ahead_seconds(reply.date, at)
    if seconds is None:
        return []
    if abs(seconds) > trials.MOST_SKEW_SECONDS:
        ahead = "ahead of" if seconds > 0 else "behind"
        text = (
            f"Our clock is {abs(seconds)} seconds {ahead} WeChat Pay's. From 300 seconds on every"
            " request is refused. Set the clock by NTP."
        )
        return [Finding("clock", is_fine=False, text=text)]
    return [Finding("clock", is_fine=True, text="Our clock agrees with WeChat Pay's.")]


def _signature(ours: Account, reply: Reply) -> Finding:
    code = answers.code_of(reply)
    if reply.is_signed and code == _NOT_EXIST:
        text = f"WeChat Pay accepts our signature as {ours.name}, and we accept its own."
        return Finding("signature", is_fine=True, text=text)
    if reply.is_signed:
        return Finding("signature", is_fine=False, text=_told(code))
    texts = {
        "unknown_key": "WeChat Pay signs with a key whose id is not set here: check public_key_id;"
        " while keys are changed, set other_public_key_id and other_public_key as well",
        "stale": "the time in WeChat Pay's signature is more than 300 seconds from ours: set our"
        " clock by NTP",
    }
    otherwise = "WeChat Pay's signature does not fit public_key: download it again"
    if reply.status == _UNAUTHORIZED:
        otherwise = _told("SIGN_ERROR")
    elif reply.status >= 500:  # noqa: PLR2004 - its own faults
        otherwise = f"WeChat Pay answered {reply.status}: try again later"
    return Finding("signature", is_fine=False, text=texts.get(reply.fault, otherwise))


def _told(code: str) -> str:
    return f"{_ADVICE.get(code, 'WeChat Pay refuses')} ({code or 'no code'})"


def _products(
    gateway: Gateway, context: MerchantContext, notify_url: str, at: datetime
) -> list[Finding]:
    """Open a payment of one fen by each product that needs no payer, and close it again."""
    found = []
    for flow in account.flows_of(context):
        if flow == "jsapi":
            text = "Not tried: it needs a guest in WeChat. Pay one order there yourself."
            found.append(Finding("jsapi", is_fine=True, text=text))
            continue
        request = port.PaymentRequest(
            payment_no=f"DDCHECK{int(at.timestamp())}{flow.upper()}",
            amount=Money(1, answers.CURRENCY),
            subject="Diandian",
            expires_at=at + _LIFE,
            return_url=notify_url,
            notify_url=notify_url,
            flow=flow,
            client_ip=_ADDRESS,
        )
        outcome = gateway.create_payment(context, request, at=at)
        gateway.close_payment(context, request.payment_no, at=at)
        found.append(_product(flow, outcome))
    return found


def _product(flow: str, outcome: port.Outcome[port.Instruction]) -> Finding:
    match outcome:
        case port.Done():
            text = "A payment of 0.01 could be opened, and was closed again unpaid."
            return Finding(flow, is_fine=True, text=text)
        case port.Rejected(code=code, message=message):
            return Finding(flow, is_fine=False, text=f"{_told(code)} {message}".strip())
    return Finding(flow, is_fine=False, text=f"Nobody knows what became of the trial: {outcome}")


def _sharing(context: MerchantContext, ours: Account, at: datetime) -> list[Finding]:
    """Ask how much of a payment the sub-merchant may give away."""
    if not ours.is_partner:
        return []
    try:
        reply = library_of(ours, at).profitsharing_config_query(ours.sub_merchant)
    except NoAnswerError as error:
        return [
            Finding("split", is_fine=False, text=f"Not answered ({error.said}): try again later.")
        ]
    outcome = answers.outcome(reply, _ratio)
    match outcome:
        case port.Done(value=ratio) if 0 < ratio <= _BASIS_POINTS:
            cap = splits.terms(context).cap_basis_points
            is_fine = ratio >= cap
            text = f"At most {ratio} of {_BASIS_POINTS} parts of a payment can be ours"
            advice = "" if is_fine else f"; {splits.CAP_OPTION} says {cap}. Set it to {ratio}"
            return [Finding("split", is_fine=is_fine, text=f"{text}{advice}.")]
        case port.Rejected(code=code):
            return [Finding("split", is_fine=False, text=_told(code))]
    text = "The sub-merchant may give nothing away: apply for profit sharing for it."
    return [Finding("split", is_fine=False, text=text)]


def _ratio(facts: dict[str, Any]) -> int:
    return answers.amount(facts, "max_ratio")
