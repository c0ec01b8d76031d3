"""Keys and signatures of the peer, written against the gateway's public documentation alone."""

import base64
import json
import re
import secrets
import urllib.parse
from functools import cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA1, SHA256

SCHEME = "WECHATPAY2-SHA256-RSA2048"
WINDOW_SECONDS = 300
PROBE = "WECHATPAY/SIGNTEST/"
_PART = re.compile(r'(\w+)="([^"]*)"')


class PlatformKey:
    """A key that the gateway signs with."""

    def __init__(self):
        self.private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.id = f"PUB_KEY_ID_{secrets.token_hex(16).upper()}"

    def public_pem(self):
        return (
            self.private.public_key()
            .public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
            .decode()
        )

    def sign(self, stamp, nonce, body):
        message = f"{stamp}\n{nonce}\n".encode() + body + b"\n"
        signature = self.private.sign(message, padding.PKCS1v15(), SHA256())
        return base64.b64encode(signature).decode()

    def open(self, text):
        """Decrypt what a merchant closed for the gateway."""
        oaep = padding.OAEP(mgf=padding.MGF1(SHA1()), algorithm=SHA1(), label=None)  # noqa: S303
        return self.private.decrypt(base64.b64decode(text), oaep).decode()


def headers_for(key, body, stamp, *, fault=""):
    """Return the four headers and their kind; ``fault`` breaks what it names."""
    nonce = secrets.token_hex(16)
    signature = key.sign(stamp, nonce, body)
    serial = key.id
    kind = SCHEME
    if fault == "signature":
        signature = key.sign(stamp, nonce, body + b" ")
    elif fault == "probe":
        signature = PROBE + signature[len(PROBE) :]
    elif fault == "empty":
        signature = ""
    elif fault == "not_base64":
        signature = "*" * 40
    elif fault == "other_key":
        signature = _stranger().sign(stamp, nonce, body)
    elif fault == "unknown_key":
        stranger = _stranger()
        serial, signature = stranger.id, stranger.sign(stamp, nonce, body)
    elif fault == "algorithm":
        kind = "WECHATPAY2-SM2-WITH-SM3"
    return {
        "Wechatpay-Timestamp": str(stamp),
        "Wechatpay-Nonce": nonce,
        "Wechatpay-Signature": signature,
        "Wechatpay-Serial": serial,
        "Wechatpay-Signature-Type": kind,
    }


@cache
def _stranger():
    """Return a key that nobody was told about; making one takes long."""
    return PlatformKey()


def caller(merchants, request, now):
    """Return the merchant who signed a request, or why nobody did.

    ``request``: method, target (path and query), headers, body.
    """
    scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
    parts = dict(_PART.findall(rest))
    needed = {"mchid", "nonce_str", "timestamp", "serial_no", "signature"}
    if scheme != SCHEME or set(parts) != needed:
        return "the Authorization header has not the form that is asked for"
    merchant = merchants.get(parts["mchid"])
    if merchant is None or parts["serial_no"] not in merchant.keys:
        return "no such merchant or certificate"
    if not parts["timestamp"].isdigit() or abs(int(parts["timestamp"]) - now) > WINDOW_SECONDS:
        return "the timestamp is more than five minutes away"
    message = "\n".join((request.method, request.target, parts["timestamp"], parts["nonce_str"]))
    try:
        merchant.keys[parts["serial_no"]].verify(
            base64.b64decode(parts["signature"]),
            message.encode() + b"\n" + request.body + b"\n",
            padding.PKCS1v15(),
            SHA256(),
        )
    except (InvalidSignature, ValueError):
        return "the signature is wrong"
    return merchant


def closed(api_key, facts, original_type):
    """Return facts as the encrypted resource of a notice."""
    nonce, beside = secrets.token_hex(6), original_type
    plain = json.dumps(facts, ensure_ascii=False).encode("utf-8", "surrogatepass")
    secret = AESGCM(api_key.encode()).encrypt(nonce.encode(), plain, beside.encode())
    return {
        "original_type": original_type,
        "algorithm": "AEAD_AES_256_GCM",
        "ciphertext": base64.b64encode(secret).decode(),
        "associated_data": beside,
        "nonce": nonce,
    }


def public_key(pem):
    return serialization.load_pem_public_key(pem.encode())


def query_of(target):
    """Return path and parameters of a request's target."""
    parts = urllib.parse.urlsplit(target)
    found = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
    return parts.path, found
