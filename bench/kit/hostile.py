"""Makes hostile notices: random ones, lawful ones spoiled, shapes of every gateway we know of."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

_LIMIT = 65_536
_ODD_TEXTS = (
    *("", "0", "-1", "null", "\x00", "\u202e", "签名", "e" * 5_000, "9" * 400, "1e999", "NaN"),
    *(
        "../../etc/passwd",
        "' OR 1=1 --",
        "{{7*7}}",
        "%00%0a",
        "a\tb",
        "\udcff",
        "😀" * 50,
        "http://[",
        "https://x:y:z",
    ),
)
_ODD_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 2**63, 2**200, 1.5, -0.0, [], {}, [[]], {"a": {"b": {}}}),
    *("", "x" * 3_000, "\u0000", "2026-13-99T99:99:99Z", [1] * 500),
)
_HEADERS = (
    *("Wechatpay-Timestamp", "Wechatpay-Nonce", "Wechatpay-Signature", "Wechatpay-Serial"),
    *("Wechatpay-Signature-Type", "Stripe-Signature", "Sandbox-Timestamp", "Sandbox-Signature"),
    *("Authorization", "Content-Encoding", "Content-Type", "Transfer-Encoding", "Origin"),
    *("X-Forwarded-For", "X-Forwarded-Proto", "Accept-Language", "Cookie", "Host", "Expect"),
    *("X-Http-Method-Override", "Sec-Fetch-Site", "Range", "If-None-Match", "Hx-Request"),
)
_METHODS = ("POST",) * 12 + ("GET", "PUT", "HEAD", "OPTIONS", "DELETE", "TRACE", "BREW")


@dataclass
class Hostile:
    """A request that nobody means well. ``is_signed``: with a signature that is right."""

    path: str
    method: str = "POST"
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    length: str = ""
    query: str = ""
    is_signed: bool = False


def _text(dice: random.Random) -> str:
    if dice.random() < 0.5:
        return dice.choice(_ODD_TEXTS)
    return dice.randbytes(dice.randrange(1, 200)).decode("latin-1")


def _noise(dice: random.Random) -> bytes:
    return dice.randbytes(dice.choice((0, 1, 10, 300, 5_000, _LIMIT, _LIMIT + 1, 200_000)))


def _deep(dice: random.Random) -> bytes:
    size = dice.choice((500, 5_000, _LIMIT // 8))
    return dice.choice((b"[" * size, b'{"a":' * size, b"[" * size + b"]" * size))


def _packed(dice: random.Random) -> bytes:
    return dice.choice(
        (
            gzip.compress(b"\x00" * 20_000_000),
            zlib.compress(b"[" * 5_000_000),
            gzip.compress(b"{}")[: dice.randrange(1, 20)],
        )
    )


def _form(dice: random.Random) -> bytes:
    names = ("sign", "sign_type", "app_id", "out_trade_no", "trade_status", "total_amount")
    names += ("notify_time", "notify_id", "charset", "seller_id", "gmt_payment", "fund_bill_list")
    pairs = [(dice.choice(names), _text(dice)) for _ in range(dice.choice((1, 8, 40, 2_000)))]
    text = "&".join(f"{quote(name)}={quote(value, errors='replace')}" for name, value in pairs)
    return text.encode()[: _LIMIT + 10]


def _cipher(dice: random.Random) -> bytes:
    resource = {
        "algorithm": dice.choice(("AEAD_AES_256_GCM", "", 7, None)),
        "ciphertext": base64.b64encode(dice.randbytes(dice.randrange(60))).decode(),
        "nonce": _text(dice),
        "associated_data": dice.choice(_ODD_VALUES),
        "original_type": "transaction",
    }
    event = {"id": _text(dice), "event_type": "TRANSACTION.SUCCESS", "resource": resource}
    event |= {"create_time": _text(dice), "resource_type": "encrypt-resource"}
    event[dice.choice(list(event))] = dice.choice(_ODD_VALUES)
    return json.dumps(event).encode()


def _event(dice: random.Random) -> bytes:
    event: dict[str, Any] = {"id": _text(dice), "object": "event", "created": 0, "livemode": True}
    event |= {"type": "checkout.session.completed", "data": {"object": {"id": _text(dice)}}}
    event[dice.choice(list(event))] = dice.choice(_ODD_VALUES)
    return json.dumps(event).encode()


_SHAPES: tuple[Callable[[random.Random], bytes], ...] = (
    *(_noise, _deep, _packed, _form, _cipher, _event),
)


def spoiled(body: bytes, dice: random.Random) -> bytes:
    """Return a lawful body with something wrong in it: a byte, a value, its end."""
    way = dice.randrange(4)
    if way == 0 and body:
        at = dice.randrange(len(body))
        return body[:at] + dice.randbytes(1) + body[at + 1 :]
    if way == 1:
        return body[: dice.randrange(len(body) + 1)]
    if way == 2:
        return body + dice.choice((b"\x00", b"{}", b"\xef\xbb\xbf", b" " * 100))
    try:
        facts = json.loads(body)
    except ValueError:
        return dice.randbytes(20) + body
    _spoil_inside(facts, dice)
    return json.dumps(facts).encode()


def _spoil_inside(facts: Any, dice: random.Random) -> None:  # noqa: ANN401 - JSON
    while isinstance(facts, dict) and facts:
        name = dice.choice(list(facts))
        if not isinstance(facts[name], dict) or dice.random() < 0.3:
            if dice.random() < 0.3:
                del facts[name]
            else:
                facts[name] = dice.choice(_ODD_VALUES)
            return
        facts = facts[name]


def request(paths: list[str], dice: random.Random) -> Hostile:
    """Return a request of hostile headers and body to one of some addresses."""
    made = Hostile(dice.choice(paths), dice.choice(_METHODS), dice.choice(_SHAPES)(dice))
    for name in dice.sample(_HEADERS, dice.randrange(8)):
        made.headers[name] = _text(dice)
    if dice.random() < 0.05:
        made.headers["Stripe-Signature"] = "t=1," + "v1=" + "a" * 60_000
    if dice.random() < 0.1:
        made.length = dice.choice(("", "-1", "x", "0", "9" * 30, "3", "65536"))
    if dice.random() < 0.1:
        made.query = dice.choice(
            ("lang=zh", "lang=%00", "a=" + "b" * 9_000, "&" * 3_000, "%ff=%fe")
        )
    return made
