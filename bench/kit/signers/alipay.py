"""Notices as Alipay signs them: RSA2 over the sorted fields of a form, the signature one of them.

What is not a form is signed as it stands, so that rubbish with a right signature exists as well.
"""

from __future__ import annotations

import base64
from datetime import timedelta, timezone
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from diandian.kernel.clock import now

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

IDS = _APP, _SELLER = "2021000000000001", "2088000000000001"
_CHINA = timezone(timedelta(hours=8))


@cache
def _their_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def merchant(folder: Path) -> dict[str, Any]:
    """Write made-up keys and return the facts of a merchant."""
    ours = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    theirs = (
        _their_key()
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    for name, value in (("private", ours), ("public", theirs)):
        (folder / f"alipay-{name}").write_bytes(value)
    return {
        "merchant": _APP,
        "settlement": "principal",
        "suppliers": ["*"],
        "options": {
            "principal_confirmed": "yes",
            "seller_id": _SELLER,
            "app_private_key": f"file:{folder / 'alipay-private'}",
            "alipay_public_key": f"file:{folder / 'alipay-public'}",
            # Nobody answers there: a notice that is believed leads to a question that fails.
            "base_url": "http://127.0.0.1:9",
            "allow_base_url": "yes",
        },
    }


def sample(number: int, payment_no: str, inside: Callable[[bytes], bytes]) -> bytes:
    """Return the form of a notice that somebody paid, not signed yet."""
    stamp = f"{now().astimezone(_CHINA):%Y-%m-%d %H:%M:%S}"
    fields = {
        "notify_time": stamp,
        "notify_type": "trade_status_sync",
        "notify_id": f"fuzz-{number}",
        "charset": "utf-8",
        "version": "1.0",
        "app_id": _APP,
        "auth_app_id": _APP,
        "trade_no": f"20261122{number}",
        "out_trade_no": payment_no,
        "seller_id": _SELLER,
        "trade_status": "TRADE_SUCCESS",
        "total_amount": "8.04",
        "subject": "点点 1 kg + x&y=z",
        "gmt_create": stamp,
        "gmt_payment": stamp,
    }
    return inside(urlencode(fields).encode())


def signed(body: bytes, shift: int = 0) -> tuple[dict[str, str], bytes]:
    """Return headers and body as Alipay would send them; a shift is of the form's own time."""
    if shift:
        then = now().astimezone(_CHINA) + timedelta(seconds=shift)
        fields = dict(_pairs(body)) | {"notify_time": f"{then:%Y-%m-%d %H:%M:%S}"}
        body = urlencode(fields, errors="surrogatepass").encode()
    text = "&".join(f"{name}={value}" for name, value in sorted(_pairs(body))) or "\x00"
    made = _their_key().sign(
        text.encode("utf-8", "surrogatepass"), padding.PKCS1v15(), hashes.SHA256()
    )
    end = urlencode({"sign": base64.b64encode(made).decode(), "sign_type": "RSA2"}).encode()
    kind = "application/x-www-form-urlencoded; charset=utf-8"
    return {"Content-Type": kind}, body + b"&" * bool(body) + end


def is_same(one: bytes, other: bytes) -> bool:
    """Tell whether a signature of one is right for the other: the same fields in any spelling."""
    return sorted(_pairs(one)) == sorted(_pairs(other))


def _pairs(body: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(body.decode("latin-1"), keep_blank_values=True, errors="surrogateescape")
    except ValueError:
        return []
