"""Signatures of WeChat Pay: ours under requests, its own over the very bytes of what it says."""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from diandian.payments.messages import NOTICE_WINDOW_SECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from diandian.payments.gateways.wechatpay.account import Account
    from diandian.payments.messages import RefusalReason

SCHEME = "WECHATPAY2-SHA256-RSA2048"

_STAMP = re.compile(r"[0-9]{1,11}")
_NONCE = re.compile(r"[\x21-\x7e]{1,128}")
_LONGEST_SIGNATURE = 1024


def sign(account: Account, *lines: str) -> str:
    """Return our signature under some lines, in base64."""
    text = "".join(f"{line}\n" for line in lines)
    signature = account.private_key.sign(text.encode(), PKCS1v15(), SHA256())
    return base64.b64encode(signature).decode()


def authorization(account: Account, method: str, path: str, body: str, at: datetime) -> str:
    """Return the header that proves a request to be ours."""
    stamp, nonce = str(int(at.timestamp())), new_nonce()
    signature = sign(account, method, path, stamp, nonce, body)
    return (
        f'{SCHEME} mchid="{account.merchant}",nonce_str="{nonce}",signature="{signature}",'
        f'timestamp="{stamp}",serial_no="{account.serial}"'
    )


def new_nonce() -> str:
    """Return a fresh random text of 32 characters."""
    return secrets.token_hex(16).upper()


def lowered(headers: Mapping[str, str]) -> dict[str, str]:
    """Return headers by their small names."""
    return {str(name).lower(): str(value) for name, value in headers.items()}


def refusal(
    account: Account, headers: Mapping[str, str], body: bytes, at: datetime
) -> RefusalReason | None:
    """Return why some bytes are not WeChat Pay's, or None: known key, signature, then age.

    ``headers``: by small names. No key is ever fetched for an id that is not known.
    """
    stamp = headers.get("wechatpay-timestamp", "")
    nonce = headers.get("wechatpay-nonce", "")
    signature = _bytes_of(headers.get("wechatpay-signature", ""))
    kind = headers.get("wechatpay-signature-type", SCHEME)
    is_whole = _STAMP.fullmatch(stamp) and _NONCE.fullmatch(nonce) and signature
    if not is_whole or kind != SCHEME:
        return "bad_signature"
    key = account.public_keys.get(headers.get("wechatpay-serial", ""))
    if key is None:
        return "unknown_key"
    try:
        key.verify(signature, f"{stamp}\n{nonce}\n".encode() + body + b"\n", PKCS1v15(), SHA256())
    except InvalidSignature:
        return "bad_signature"
    if abs(int(stamp) - int(at.timestamp())) > NOTICE_WINDOW_SECONDS:
        return "stale"
    return None


def _bytes_of(text: str) -> bytes:
    """Return what a base64 text stands for; empty when it is none."""
    if len(text) > _LONGEST_SIGNATURE or not text.isascii():
        return b""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
