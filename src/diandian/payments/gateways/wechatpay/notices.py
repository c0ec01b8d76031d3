"""Notices of WeChat Pay: signature over the very bytes, age, secret content, addressee."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from diandian.payments.gateways.wechatpay import signatures
from diandian.payments.gateways.wechatpay.answers import (
    LONGEST_REFERENCE,
    FactsError,
    collector,
    instant,
    json_object,
    part,
    text,
    text_or,
)
from diandian.payments.messages import Ack, NoticeRefused, VerifiedNotice

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from diandian.payments.gateways.wechatpay.account import Account

LARGEST_NOTICE_BYTES = 1 << 16

_ALGORITHM = "AEAD_AES_256_GCM"
_NONCE_BYTES = 12
_LONGEST_ID = 80
_LONGEST_KIND = 40
_LONGEST_NUMBER = 32
_LONGEST_REFUND_NUMBER = 40


class _UnknownApiKeyError(Exception):
    """None of our keys opens the content."""


def parse(
    account: Account, headers: Mapping[str, str], body: bytes, at: datetime
) -> VerifiedNotice | NoticeRefused:
    """Return what a notice says, or why it is not believed. Asks nobody."""
    if len(body) > LARGEST_NOTICE_BYTES:
        return NoticeRefused("malformed")
    refused = signatures.refusal(account, signatures.lowered(headers), body, at)
    if refused is not None:
        return NoticeRefused(refused)
    try:
        outer = json_object(body)
        inner = json_object(_opened(account, part(outer, "resource")))
        notice = _notice(outer, inner)
        is_ours = collector(account, inner) == account.name
    except _UnknownApiKeyError:
        return NoticeRefused("unknown_key")
    except FactsError:
        return NoticeRefused("malformed")
    return notice if is_ours else NoticeRefused("not_ours")


def _notice(outer: dict[str, Any], inner: dict[str, Any]) -> VerifiedNotice:
    # A notice about a split names its payment by their number alone.
    is_about_split = "order_id" in inner and "out_trade_no" not in inner
    reference = text_or(inner, "transaction_id", longest=LONGEST_REFERENCE)
    if is_about_split and not reference:
        raise FactsError("it names no payment")
    return VerifiedNotice(
        notice_id=text(outer, "id", longest=_LONGEST_ID),
        kind=text(outer, "event_type", longest=_LONGEST_KIND),
        payment_no="" if is_about_split else text(inner, "out_trade_no", longest=_LONGEST_NUMBER),
        occurred_at=instant(outer, "create_time"),
        gateway_ref=reference,
        refund_no=text_or(inner, "out_refund_no", longest=_LONGEST_REFUND_NUMBER),
    )


def _opened(account: Account, resource: dict[str, Any]) -> bytes:
    """Return the secret content. Raises: FactsError, _UnknownApiKeyError."""
    if text(resource, "algorithm") != _ALGORITHM:
        raise FactsError("it is closed in a way that we do not know")
    nonce = text(resource, "nonce").encode()
    try:
        closed = base64.b64decode(
            text(resource, "ciphertext", longest=LARGEST_NOTICE_BYTES), validate=True
        )
    except (binascii.Error, ValueError) as error:
        raise FactsError("its content is not base64") from error
    if len(nonce) != _NONCE_BYTES:
        raise FactsError("its nonce is not 12 bytes")
    beside = text_or(resource, "associated_data").encode()
    for key in account.api_keys:
        try:
            return AESGCM(key.encode()).decrypt(nonce, closed, beside)
        except InvalidTag:
            continue
    raise _UnknownApiKeyError


def ack(refusal: NoticeRefused | None) -> Ack:
    """Return the answer: no content for yes; a status from 400 on asks for the notice again.

    A yes with the word FAIL in it would count as yes.
    """
    if refusal is None:
        return Ack(204)
    status = 401 if refusal.reason in {"bad_signature", "unknown_key"} else 400
    body = b'{"code":"FAIL","message":"' + refusal.reason.encode() + b'"}'
    return Ack(status, body, "application/json")
