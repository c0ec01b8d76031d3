"""How a payment is opened at WeChat Pay in each of its flows, and what the guest then gets."""

from __future__ import annotations

import re
from datetime import timedelta, timezone
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from diandian.payments import messages as port
from diandian.payments.gateways.wechatpay import signatures
from diandian.payments.gateways.wechatpay.answers import CURRENCY, FactsError, text

if TYPE_CHECKING:
    from datetime import datetime

    from diandian.payments.gateways.wechatpay.account import Account

FLOWS = (
    port.Flow("jsapi", "jsapi", ("wechat",), needs_payer=True),
    port.Flow("h5", "redirect", ("phone",)),
    port.Flow("native", "qr", ("desktop", "phone")),
)
LIMITS_MINOR = (1, 100_000_000)
H5_ORIGIN = "https://wx.tenpay.com"

# How long what the guest gets can be used; the same payment created again brings a fresh one.
H5_LIFE = timedelta(minutes=5)
PREPAY_LIFE = timedelta(hours=2)

_BEIJING = timezone(timedelta(hours=8))
# A bar is allowed there too, but an address writes it in another way than it was signed.
_NUMBER = re.compile(r"[A-Za-z0-9_\-*]{6,32}")
_REFUND_NUMBER = re.compile(r"[A-Za-z0-9_\-*]{1,64}")
_REFERENCE = re.compile(r"[A-Za-z0-9_\-]{1,64}")
_PAYER = re.compile(r"[A-Za-z0-9_\-]{1,128}")
_PREPAY = re.compile(r"[\x21-\x7e]{1,128}")
_QR = re.compile(r"weixin://[\x21-\x7e]{1,500}")
_LONGEST_SUBJECT_BYTES = 127


def is_number(payment_no: str) -> bool:
    """Tell whether WeChat Pay takes a payment number; nothing else may come into a path."""
    return _NUMBER.fullmatch(payment_no) is not None


def is_refund_number(refund_no: str) -> bool:
    """Tell whether WeChat Pay takes a number of a refund, a split or a reversal."""
    return _REFUND_NUMBER.fullmatch(refund_no) is not None


def is_reference(gateway_ref: str) -> bool:
    """Tell whether a text can be a number of WeChat Pay's own."""
    return _REFERENCE.fullmatch(gateway_ref) is not None


def fault_of(
    request: port.PaymentRequest, flows: tuple[str, ...], at: datetime
) -> port.Rejected | None:
    """Return why a payment is not even asked for; None when it can be."""
    low, high = LIMITS_MINOR
    is_h5 = request.flow == "h5"
    rules = {
        "number_unfit": is_number(request.payment_no),
        "flow_unknown": request.flow in flows,
        "currency_unfit": request.amount.currency == CURRENCY,
        "amount_out_of_range": low <= request.amount.amount_minor <= high,
        "expired": request.expires_at > at,
        "subject_missing": bool(shortened(request.subject)),
        "notify_url_missing": bool(request.notify_url),
        "payer_missing": request.flow != "jsapi" or _PAYER.fullmatch(request.payer),
        "client_ip_missing": not is_h5 or _is_address(request.client_ip),
    }
    wrong = next((code for code, is_right in rules.items() if not is_right), None)
    return None if wrong is None else port.Rejected(wrong)


def parameters(account: Account, request: port.PaymentRequest) -> dict[str, Any]:
    """Return what the client library's call wants to hear; the same on every retry."""
    from wechatpayv3 import WeChatPayType  # noqa: PLC0415 - the vendor's library, on demand

    found: dict[str, Any] = {
        "pay_type": WeChatPayType[request.flow.upper()],
        "description": shortened(request.subject),
        "out_trade_no": request.payment_no,
        "amount": {"total": request.amount.amount_minor, "currency": request.amount.currency},
        "time_expire": request.expires_at.astimezone(_BEIJING).isoformat(timespec="seconds"),
        "notify_url": request.notify_url,
        "settle_info": {"profit_sharing": request.is_split},
    }
    if account.is_partner:
        found |= {"sub_mchid": account.sub_merchant, "sub_appid": account.sub_app or None}
    if request.flow == "jsapi":
        found["payer"] = {_payer_field(account): request.payer}
    if request.flow == "h5":
        found["scene_info"] = {
            "payer_client_ip": request.client_ip,
            "h5_info": {"type": "Wap"},
        }
    return found


def _payer_field(account: Account) -> str:
    if not account.is_partner:
        return "openid"
    return "sub_openid" if account.sub_app else "sp_openid"


def instruction(
    account: Account, request: port.PaymentRequest, facts: dict[str, Any], at: datetime
) -> port.Instruction:
    """Return the way to pay from the facts of an answer. Raises: FactsError."""
    if request.flow == "h5":
        url = _h5_url(account, text(facts, "h5_url"), request.return_url)
        until = min(request.expires_at, at + H5_LIFE)
        return port.Instruction("redirect", url=url, valid_until=until)
    until = min(request.expires_at, at + PREPAY_LIFE)
    if request.flow == "native":
        code = text(facts, "code_url")
        if not _QR.fullmatch(code):
            raise FactsError("code_url is not an address of WeChat")
        return port.Instruction("qr", text=code, valid_until=until)
    prepay_id = text(facts, "prepay_id")
    if not _PREPAY.fullmatch(prepay_id):
        raise FactsError("prepay_id is not a reference")
    return port.Instruction(
        "jsapi", parameters=_page_parameters(account, prepay_id, at), valid_until=until
    )


def _page_parameters(account: Account, prepay_id: str, at: datetime) -> dict[str, str]:
    """Return what the page hands to WeChat, signed by us."""
    app = account.sub_app or account.app
    stamp, nonce, package = (
        str(int(at.timestamp())),
        signatures.new_nonce(),
        f"prepay_id={prepay_id}",
    )
    return {
        "appId": app,
        "timeStamp": stamp,
        "nonceStr": nonce,
        "package": package,
        "signType": "RSA",
        "paySign": signatures.sign(account, app, stamp, nonce, package),
    }


def _h5_url(account: Account, url: str, return_url: str) -> str:
    """Return the address of the page to pay on, which afterwards leads back to us."""
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise FactsError("h5_url is no address") from error
    origin = f"{parts.scheme}://{parts.netloc}"
    # A peer on this machine has its page on its own address.
    if origin not in {H5_ORIGIN, account.base_url} or not parts.query:
        raise FactsError("h5_url is not on the host for payments")
    return f"{url}&redirect_url={quote(return_url, safe='')}" if return_url else url


def _is_address(client_ip: str) -> bool:
    try:
        ip_address(client_ip)
    except ValueError:
        return False
    return True


def shortened(subject: str, longest_bytes: int = _LONGEST_SUBJECT_BYTES) -> str:
    """Return a text without control characters, cut between two characters where it is too long."""
    clean = "".join(letter for letter in subject if letter.isprintable()).strip()
    return clean.encode()[:longest_bytes].decode("utf-8", "ignore")
