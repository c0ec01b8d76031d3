"""Notices as WeChat Pay signs them: RSA over time, nonce and bytes; inside, AES-GCM."""

from __future__ import annotations

import base64
import json
import secrets
from functools import cache
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from diandian.kernel.clock import now

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_KEY_ID = "PUB_KEY_ID_0116000000012026112200000000000001"
_API_KEY = secrets.token_hex(16)
IDS = _MERCHANT, _APP = "1600000001", "wx0000000000000001"


@cache
def _their_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def merchant(folder: Path) -> dict[str, Any]:
    """Write made-up keys and return the facts of a merchant."""
    ours = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    theirs = (
        _their_key()
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    for name, value in (("private", ours), ("public", theirs), ("api", _API_KEY.encode())):
        (folder / f"wechatpay-{name}").write_bytes(value)
    return {
        "merchant": _MERCHANT,
        "settlement": "principal",
        "suppliers": ["*"],
        "options": {
            "principal_confirmed": "yes",
            "app_id": _APP,
            "serial_no": "0" * 40,
            "private_key": f"file:{folder / 'wechatpay-private'}",
            "public_key": f"file:{folder / 'wechatpay-public'}",
            "public_key_id": _KEY_ID,
            "apiv3_key": f"file:{folder / 'wechatpay-api'}",
            # Nobody answers there: a notice that is believed leads to a question that fails.
            "base_url": "http://127.0.0.1:9",
            "allow_base_url": "yes",
        },
    }


def sample(number: int, payment_no: str, inside: Callable[[bytes], bytes]) -> bytes:
    """Return the body of a notice that somebody paid, what it says sealed inside."""
    facts = {"out_trade_no": payment_no, "mchid": _MERCHANT, "appid": _APP}
    facts |= {"transaction_id": f"42{number}", "trade_state": "SUCCESS"}
    nonce = secrets.token_hex(6)
    sealed = AESGCM(_API_KEY.encode()).encrypt(
        nonce.encode(), inside(json.dumps(facts).encode()), b"transaction"
    )
    event: dict[str, Any] = {"id": f"fuzz-{number}", "event_type": "TRANSACTION.SUCCESS"}
    event |= {"create_time": f"{now():%Y-%m-%dT%H:%M:%S+00:00}"}
    event |= {"resource_type": "encrypt-resource", "summary": "paid"}
    event["resource"] = {
        "algorithm": "AEAD_AES_256_GCM",
        "original_type": "transaction",
        "associated_data": "transaction",
        "nonce": nonce,
        "ciphertext": base64.b64encode(sealed).decode(),
    }
    return json.dumps(event).encode()


def signed(body: bytes, shift: int = 0) -> tuple[dict[str, str], bytes]:
    """Return headers and body as WeChat Pay would send them."""
    stamp, nonce = str(int(now().timestamp()) + shift), secrets.token_hex(16)
    text = b"\n".join((stamp.encode(), nonce.encode(), body, b""))
    signature = _their_key().sign(text, padding.PKCS1v15(), hashes.SHA256())
    return {
        "Wechatpay-Timestamp": stamp,
        "Wechatpay-Nonce": nonce,
        "Wechatpay-Serial": _KEY_ID,
        "Wechatpay-Signature": base64.b64encode(signature).decode(),
        "Wechatpay-Signature-Type": "WECHATPAY2-SHA256-RSA2048",
    }, body


def is_same(one: bytes, other: bytes) -> bool:
    """Tell whether a signature of one is right for the other."""
    return one == other
