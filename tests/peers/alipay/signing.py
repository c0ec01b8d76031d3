"""Keys and signatures of the peer: RSA2, which is RSA with SHA-256 and PKCS #1 v1.5."""

import base64
import binascii

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa


def new_key():
    return rsa.generate_private_key(public_exponent=65_537, key_size=2_048)


def sign(key, text):
    """Return the signature of a text, in base64."""
    made = key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
    return base64.b64encode(made).decode()


def is_signed(public, text, signature):
    try:
        raw = base64.b64decode(signature, validate=True)
        public.verify(raw, text.encode(), padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def private_text(key):
    """Return a private key as the gateway's tool hands it out: PKCS #8 in bare base64."""
    raw = key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return base64.b64encode(raw).decode()


def private_pem(key):
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()


def public_text(public):
    """Return a public key as the gateway's pages hand it out: bare base64."""
    raw = public.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return base64.b64encode(raw).decode()
