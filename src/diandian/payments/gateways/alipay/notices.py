"""Reads the gateway's notices (form posts): signature, then age, then form, then addressee."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from diandian.payments.gateways.alipay import answers, client, trades
from diandian.payments.gateways.alipay.answers import MalformedError, NoAnswerError
from diandian.payments.messages import (
    NOTICE_WINDOW_SECONDS,
    Ack,
    NoticeRefused,
    VerifiedNotice,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from diandian.payments.messages import MerchantContext, RefusalReason

_SIGN_TYPE = "RSA2"
_MOST_FIELDS = 100
_LONGEST_BODY = 64 * 2**10
_LONGEST_ID = 80
_LONGEST_KIND = 40
_TRADES = "trade_status_sync"
# Any body but the seven letters is sent again: seven times within 25 hours.
_TAKEN = b"success"
_REFUSED = b"fail"
_STATUSES: dict[RefusalReason, int] = {"bad_signature": 401, "unknown_key": 401}


def parse(
    context: MerchantContext, headers: Mapping[str, str], body: bytes, *, at: datetime
) -> VerifiedNotice | NoticeRefused:
    """Return a notice that is verified, or why it is not believed. Calls nobody."""
    del headers  # everything that counts stands in the body, under the signature
    fields = _fields(body)
    if not fields or fields.get("sign_type") != _SIGN_TYPE:
        return NoticeRefused("bad_signature")
    try:
        is_signed = client.is_signed(context, _signed_text(fields), fields.get("sign"))
    except NoAnswerError:
        return NoticeRefused("unknown_key")
    if not is_signed:
        return NoticeRefused("bad_signature")
    try:
        sent_at = answers.instant(fields, "notify_time")
        # Theirs are whole seconds, so ours are counted so, as with the other gateways.
        if abs(int(sent_at.timestamp()) - int(at.timestamp())) > NOTICE_WINDOW_SECONDS:
            return NoticeRefused("stale")
        notice = _notice(fields, sent_at)
    except MalformedError:
        return NoticeRefused("malformed")
    return notice if _is_ours(context, fields) else NoticeRefused("not_ours")


def ack(refusal: NoticeRefused | None) -> Ack:
    """Return the answer: the seven letters, or a refusal that asks to be sent again."""
    if refusal is None:
        return Ack(200, _TAKEN)
    return Ack(_STATUSES.get(refusal.reason, 400), _REFUSED)


def _fields(body: bytes) -> dict[str, str]:
    """Return the fields of a form, none where it is no form or names one twice."""
    if len(body) > _LONGEST_BODY:
        return {}
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=_MOST_FIELDS,
        )
    except ValueError:
        return {}
    fields = dict(pairs)
    return fields if len(fields) == len(pairs) else {}


def _signed_text(fields: Mapping[str, str]) -> str:
    """Return what is signed: every field but the signature and its type, in order."""
    names = sorted(name for name in fields if name not in {"sign", "sign_type"})
    return "&".join(f"{name}={fields[name]}" for name in names)


def _notice(fields: Mapping[str, str], sent_at: datetime) -> VerifiedNotice:
    if answers.text(fields, "notify_type") != _TRADES:
        raise MalformedError("it is not about a trade")
    name = answers.text(fields, "notify_id")
    if len(name) > _LONGEST_ID:
        raise MalformedError("notify_id is too long")
    is_refund = bool(fields.get("out_biz_no") or fields.get("gmt_refund"))
    kind = f"{'refund' if is_refund else 'trade'}.{answers.ref(fields, 'trade_status')}"
    refund_no = fields.get("out_biz_no", "") if is_refund else ""
    return VerifiedNotice(
        notice_id=name,
        kind=kind[:_LONGEST_KIND],
        payment_no=answers.number(fields, "out_trade_no")[:32],
        occurred_at=_occurred_at(fields, sent_at),
        gateway_ref=answers.ref(fields, "trade_no"),
        refund_no=answers.number({"n": refund_no}, "n")[:40] if refund_no else "",
    )


def _occurred_at(fields: Mapping[str, str], sent_at: datetime) -> datetime:
    for name in ("gmt_close", "gmt_payment", "gmt_create"):
        if fields.get(name):
            return answers.instant(fields, name)
    return sent_at


def _is_ours(context: MerchantContext, fields: Mapping[str, str]) -> bool:
    """Tell whether it is to our app and about money that the right account collects."""
    seller = trades.seller_of(context)
    return fields.get("app_id") == context.merchant and (
        not seller or fields.get("seller_id") == seller
    )
