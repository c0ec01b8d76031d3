"""Makes hostile notices: random ones, lawful ones spoiled, shapes of every gateway we know of."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl, quote, urlencode

if TYPE_CHECKING:
    import random
    from collections.abc import Callable
    from types import ModuleType

_LIMIT = 65_536
_ODD_TEXTS = (
    *("", "0", "-1", "null", "\x00", "\u202e", "签名", "e" * 5_000, "9" * 400, "1e999", "NaN"),
    *("../../etc/passwd", "' OR 1=1 --", "{{7*7}}", "%00%0a", "a\tb", "\udcff", "😀" * 50),
    *("http://[", "https://x:y:z", "١٢٣", "1_000", " 1 ", "2026-02-30 25:61:61", "\u2028"),
)
# Values as JSON writes them, some only as its careless readers take them.
_RAW_VALUES = (
    *("null", "true", "0", "-1", "-0.0", "1.5", "1e999", "-1e999", "NaN", "Infinity", "1e-999"),
    *(str(2**63), str(2**200), "9" * 5_000, '"\\ud800"', '"\\u0000"', '"\\udc00\\ud800"', '""'),
    *("{}", "[]", "[[]]", '{"a":{"b":{}}}', '{"id":1,"id":2}', f'"{"x" * 3_000}"'),
    *(f'"{"签" * 900}"', "[" * 900 + "]" * 900, "[" * 9_000 + "]" * 9_000, f"[{'1,' * 499}1]"),
    *('"2026-13-99T99:99:99Z"', '"9999-12-31T23:59:59-23:59"', '"0001-01-01T00:00:00+14:00"'),
)
_HEADERS = (
    *("Wechatpay-Timestamp", "Wechatpay-Nonce", "Wechatpay-Signature", "Wechatpay-Serial"),
    *("Wechatpay-Signature-Type", "Stripe-Signature", "Sandbox-Timestamp", "Sandbox-Signature"),
    *("Authorization", "Content-Encoding", "Content-Type", "Origin", "Upgrade", "Te"),
    *("X-Forwarded-For", "X-Forwarded-Proto", "Accept-Language", "Cookie", "Expect", "Via"),
    *("X-Http-Method-Override", "Sec-Fetch-Site", "Range", "If-None-Match", "Hx-Request"),
    *("X-Forwarded-Host", "Accept", "Accept-Encoding", "Referer", "User-Agent"),
)
_METHODS = ("POST",) * 14 + ("GET", "PUT", "HEAD", "OPTIONS", "DELETE", "TRACE", "BREW", "PATCH")
_QUERIES = ("lang=zh", "lang=%00", "a=" + "b" * 9_000, "&" * 3_000, "%ff=%fe", "merchant=demo")
_PLACEHOLDER = "\ufdd0"  # of no text: a place for a value that no writer of JSON would write


class Place(NamedTuple):
    """An address for notices. ``signer``: None where nobody signs for its gateway."""

    path: str
    gateway: str
    signer: ModuleType | None


@dataclass
class Hostile:
    """A request that nobody means well.

    ``is_signed``: its signature is right, whatever it says; None: perhaps.
    """

    path: str
    method: str = "POST"
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    query: str = ""
    is_signed: bool | None = False


@dataclass
class Maker:
    """Makes requests for addresses.

    ``numbers``: the payments of each gateway that are here; ``strangers``: ids of somebody else.
    """

    dice: random.Random
    places: list[Place]
    numbers: dict[str, list[str]]
    strangers: list[str]
    made: int = 0
    sent: dict[str, list[Hostile]] = field(default_factory=dict)

    def next(self, place: Place) -> Hostile:
        """Return the next request to an address."""
        self.made += 1
        way = self.dice.random()
        if place.signer is None or way < 0.30:
            return self._of_another(place) if way < 0.08 else self._noise(place)
        if way < 0.34 and self.sent.get(place.gateway):
            again = self.dice.choice(self.sent[place.gateway])
            return Hostile(place.path, body=again.body, headers=again.headers, is_signed=None)
        body = self._sample(place)
        if way < 0.60:
            ways = (self._spoiled_after, self._spoiled_headers, self._of_another_time)
            return self.dice.choice(ways)(place, body)
        return self._signed_lies(place, body if way > 0.90 else self.spoiled(body))

    def _signed_lies(self, place: Place, body: bytes) -> Hostile:
        """Return what is believed, and remember it for another time."""
        assert place.signer is not None
        headers, body = place.signer.signed(body[: _LIMIT + 1])
        lies = Hostile(place.path, body=body, headers=headers, is_signed=True)
        self.sent[place.gateway] = [*self.sent.get(place.gateway, [])[-29:], lies]
        return lies

    def _sample(self, place: Place) -> bytes:
        """Return what a lawful notice says; now and then spoiled before it was sealed."""
        assert place.signer is not None
        number = self.dice.choice([*self.numbers.get(place.gateway, []), f"DDFUZZ{self.made}"])
        inside = self.spoiled if self.dice.random() < 0.4 else _as_it_is
        sample: bytes = place.signer.sample(self.made, number, inside)
        return sample

    def _spoiled_after(self, place: Place, body: bytes) -> Hostile:
        assert place.signer is not None
        headers, body = place.signer.signed(body)
        if self.dice.random() < 0.2:
            # Signed as it was, packed on its way: nobody unpacks it.
            name, pack = self.dice.choice((("gzip", gzip.compress), ("deflate", zlib.compress)))
            headers["Content-Encoding"] = name
            return Hostile(place.path, body=pack(body), headers=headers)
        sent = self.spoiled(body)
        is_same = place.signer.is_same(body, sent)
        return Hostile(place.path, body=sent, headers=headers, is_signed=None if is_same else False)

    def _spoiled_headers(self, place: Place, body: bytes) -> Hostile:
        assert place.signer is not None
        headers, body = place.signer.signed(body)
        name = self.dice.choice(list(headers))
        value = headers[name]
        cut = self.dice.randrange(len(value) + 1)
        odd = (self.text(), value[:cut], value + " ", value[:cut] + self.text() + value[cut:])
        headers[name] = self.dice.choice((*odd, value.upper(), value * 50, f"{value},{value}"))
        # Stripe's header may hold more signatures than the right one, Alipay's hold none.
        return Hostile(place.path, body=body, headers=headers, is_signed=None)

    def _of_another_time(self, place: Place, body: bytes) -> Hostile:
        assert place.signer is not None
        shift = self.dice.choice((-31_536_000, -3_600, -400, 400, 3_600, 31_536_000))
        headers, body = place.signer.signed(body, shift)
        return Hostile(place.path, body=body, headers=headers)

    def _of_another(self, place: Place) -> Hostile:
        """Return what another gateway would send, rightly signed, to the wrong address."""
        there = [each for each in self.places if each.gateway != place.gateway and each.signer]
        other = self.dice.choice(there)
        assert other.signer is not None
        headers, body = other.signer.signed(self._sample(other))
        return Hostile(place.path, body=body, headers=headers)

    def _noise(self, place: Place) -> Hostile:
        dice = self.dice
        made = Hostile(place.path, dice.choice(_METHODS), dice.choice(_SHAPES)(self))
        for name in dice.sample(_HEADERS, dice.randrange(8)):
            made.headers[name] = self.text()
        if dice.random() < 0.05:
            made.headers["Stripe-Signature"] = "t=1," + "v1=" + "a" * 60_000
        if dice.random() < 0.1:
            made.query = dice.choice(_QUERIES)
        if dice.random() < 0.05:
            odd = ("", "/", "/%00", "//x", "/签/名", "/..%2f..", "/" + "a" * 5_000, "/x/y")
            made.path = place.path + dice.choice(odd)
        return made

    def text(self) -> str:
        """Return a text that nobody expects."""
        kind = self.dice.randrange(4)
        if kind == 0:
            return self.dice.randbytes(self.dice.randrange(1, 200)).decode("latin-1")
        return self.dice.choice(self.strangers if kind == 1 else _ODD_TEXTS)

    def spoiled(self, body: bytes) -> bytes:
        """Return a lawful body with something wrong in it: a byte, its end, what it says."""
        dice = self.dice
        match dice.randrange(8):
            case 0 if body:
                at = dice.randrange(len(body))
                return body[:at] + dice.randbytes(1) + body[at + 1 :]
            case 1:
                return body[: dice.randrange(len(body) + 1)]
            case 2:
                return body + dice.choice((b"\x00", b"{}", b"\xef\xbb\xbf", b" " * 100, b"&a=b"))
            case 3:
                pack = dice.choice((gzip.compress, zlib.compress, base64.b64encode))
                return dice.choice((pack(body), b"\xef\xbb\xbf" + body, _utf_16(body)))
        try:
            facts = json.loads(body)
        except (ValueError, RecursionError):
            return self._spoiled_form(body)
        return self._spoiled_json(facts)

    def _spoiled_json(self, facts: Any) -> bytes:  # noqa: ANN401 - JSON
        dice = self.dice
        raw = dice.choice(_RAW_VALUES) if dice.randrange(3) else json.dumps(self.text())
        inner = facts
        while isinstance(inner, dict) and inner:
            name = dice.choice(list(inner))
            if not isinstance(inner[name], dict) or dice.random() < 0.3:
                match dice.randrange(6):
                    case 0:
                        del inner[name]
                    case 1:
                        inner[self.text()] = inner[name]
                    case 2:
                        # Named twice: who reads takes the first or the last.
                        again = json.dumps(inner).encode()[:-1] + f", {json.dumps(name)}: ".encode()
                        return again + raw.encode() + b"}" if inner is facts else again
                    case _:
                        inner[name] = _PLACEHOLDER
                break
            inner = inner[name]
        text = json.dumps(facts).replace(json.dumps(_PLACEHOLDER), raw)
        return text.encode("utf-8", "surrogatepass")

    def _spoiled_form(self, body: bytes) -> bytes:
        dice = self.dice
        pairs = parse_qsl(body.decode("latin-1"), keep_blank_values=True, errors="replace")
        if not pairs:
            return dice.randbytes(20) + body
        at = dice.randrange(len(pairs))
        name, value = pairs[at]
        match dice.randrange(7):
            case 0:
                del pairs[at]
            case 1:
                pairs[at] = self.text(), value
            case 2:
                pairs.append((name, self.text()))
            case 3:
                pairs += [(f"x{place}", "") for place in range(dice.choice((10, 90, 3_000)))]
            case 4:
                return body + b"&%s=%s" % (name.encode(), dice.choice((b"%", b"%zz", b"\xff", b"")))
            case _:
                pairs[at] = name, self.text()
        return urlencode(pairs, errors="surrogatepass").encode()


def _as_it_is(body: bytes) -> bytes:
    return body


def _utf_16(body: bytes) -> bytes:
    return body.decode("utf-8", "replace").encode("utf-16")


def _bytes(maker: Maker) -> bytes:
    dice = maker.dice
    return dice.randbytes(dice.choice((0, 1, 10, 300, 5_000, _LIMIT, _LIMIT + 1, 200_000)))


def _deep(maker: Maker) -> bytes:
    size = maker.dice.choice((500, 5_000, _LIMIT // 8))
    return maker.dice.choice((b"[" * size, b'{"a":' * size, b"[" * size + b"]" * size))


_PACKED = (gzip.compress(b"\x00" * 20_000_000), zlib.compress(b"[" * 5_000_000))


def _packed(maker: Maker) -> bytes:
    broken = gzip.compress(b"{}")[: maker.dice.randrange(1, 20)]
    return maker.dice.choice((*_PACKED, broken))


def _form(maker: Maker) -> bytes:
    names = (
        *("sign", "sign_type", "app_id", "out_trade_no", "trade_status", "total_amount"),
        *("notify_time", "notify_id", "charset", "seller_id", "gmt_payment", "fund_bill_list"),
    )
    count = maker.dice.choice((1, 8, 40, 2_000))
    pairs = [(maker.dice.choice(names), maker.text()) for _ in range(count)]
    text = "&".join(f"{quote(name)}={quote(value, errors='replace')}" for name, value in pairs)
    return text.encode()[: _LIMIT + 10]


def _cipher(maker: Maker) -> bytes:
    resource = {
        "algorithm": maker.dice.choice(("AEAD_AES_256_GCM", "", 7, None)),
        "ciphertext": base64.b64encode(maker.dice.randbytes(maker.dice.randrange(60))).decode(),
        "nonce": maker.text(),
        "associated_data": maker.text(),
        "original_type": "transaction",
    }
    event = {"id": maker.text(), "event_type": "TRANSACTION.SUCCESS", "resource": resource}
    return maker.spoiled(json.dumps(event | {"create_time": maker.text()}).encode())


def _event(maker: Maker) -> bytes:
    event: dict[str, Any] = {"id": maker.text(), "object": "event", "created": 0, "livemode": True}
    event |= {"type": "checkout.session.completed", "data": {"object": {"id": maker.text()}}}
    return maker.spoiled(json.dumps(event).encode())


_SHAPES: tuple[Callable[[Maker], bytes], ...] = (_bytes, _deep, _packed, _form, _cipher, _event)
