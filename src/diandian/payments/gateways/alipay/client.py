"""The line to Alipay: whose key, which address, whose signature is believed.

The client library signs calls and checks signatures, our carrier takes them. What both lack is
here: Chinese time whatever the machine's, parameters kept out of addresses, keys in overlap, and a
reading of signed text that braces cannot mislead.
"""

from __future__ import annotations

import base64
import binascii
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from diandian.payments import carrier, options
from diandian.payments.carrier import LARGEST_ANSWER_BYTES, LARGEST_FILE_BYTES, Reply
from diandian.payments.facts import MalformedError, NoAnswerError
from diandian.payments.gateways.alipay import answers, faults
from diandian.payments.gateways.alipay.answers import Answer
from diandian.payments.messages import SecretMissingError, Unknown

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from diandian.payments.messages import MerchantContext

OFFICIAL_URLS = {
    "live": "https://openapi.alipay.com",
    "test": "https://openapi-sandbox.dl.alipaydev.com",
}
# Ours to sign with, theirs to check with; two of each while one replaces the other.
PRIVATE_OPTIONS = ("app_private_key", "app_private_key_2")
PUBLIC_OPTIONS = ("alipay_public_key", "alipay_public_key_2")
TOKEN_OPTION = "app_auth_token"  # noqa: S105 - the name of an option

_PATH = "/gateway.do"
_FINE = 200
_LEAST_BITS = 2_048
_FILE_DOMAINS = (".alipay.com", ".alipaydev.com", ".alipayobjects.com")


# -- keys -----------------------------------------------------------------------------------------


def _bytes_of(key: str) -> bytes:
    """Return a key in PEM, or as the bare base64 that the gateway's pages hand out."""
    if "-----BEGIN" in key:
        return key.encode()
    return base64.b64decode("".join(key.split()), validate=True)


@lru_cache(maxsize=64)
def _kind_of(key: bytes) -> tuple[bool, int]:
    """Return whether a key is private, and its bits; proving it takes long. Raises: ValueError."""
    from Cryptodome.PublicKey import RSA  # noqa: PLC0415 - loaded by who uses it

    found = RSA.import_key(key)
    return found.has_private(), found.size_in_bits()


def fit_key(context: MerchantContext, option: str) -> bytes:
    """Return a key that is one, of the right kind. Raises: SecretMissingError, MalformedError."""
    try:
        found = _bytes_of(context.secret(option))
        is_private, bits = _kind_of(found)
    except SecretMissingError:
        raise
    except (ValueError, IndexError, TypeError, binascii.Error) as error:
        raise MalformedError(f"{option}: it is no RSA key") from error
    if is_private != (option in PRIVATE_OPTIONS):
        kind = "private" if option in PRIVATE_OPTIONS else "public"
        raise MalformedError(f"{option}: it is no {kind} key")
    if bits < _LEAST_BITS:
        raise MalformedError(f"{option}: it has fewer than {_LEAST_BITS} bits")
    return found


def keys(context: MerchantContext, names: tuple[str, ...]) -> list[bytes]:
    """Return the keys in use, the first one first. Raises: NoAnswerError."""
    return options.keys(context, names, fit_key)


@lru_cache(maxsize=64)
def _library(app_id: str, private: bytes, public: bytes) -> Any:  # noqa: ANN401 - it has no types
    from alipay import AliPay  # noqa: PLC0415 - a vendor's library is loaded by who uses it

    return AliPay(app_id, app_private_key_string=private, alipay_public_key_string=public)


def _is_base64(text: str) -> bool:
    """Tell whether a text is base64 to the letter; the library reads past what is not."""
    if len(text) > 2 * _LEAST_BITS:
        return False
    try:
        return base64.b64encode(base64.b64decode(text, validate=True)).decode() == text
    except ValueError:
        return False


def is_signed(context: MerchantContext, text: str, signature: object) -> bool:
    """Tell whether one of the gateway's keys signed a text. Raises: NoAnswerError (no key)."""
    if not isinstance(signature, str) or not _is_base64(signature):
        return False
    (private, *_), publics = keys(context, PRIVATE_OPTIONS), keys(context, PUBLIC_OPTIONS)
    for public in publics:
        try:
            if _library(context.merchant, private, public)._verify(text, signature):  # noqa: SLF001 - the public way counts braces
                return True
        except Exception:  # noqa: BLE001, S112 - no base64, no text: hostile, so not signed
            continue
    return False


# -- the line -------------------------------------------------------------------------------------


class Line:
    """What we know of our line to the gateway for one merchant, as long as the process lives."""

    def __init__(self) -> None:
        # The one of our keys that the gateway took last, and receivers that it knows.
        self.taken_key = b""
        self.receivers: set[str] = set()


@lru_cache(maxsize=64)
def _line(account: str, url: str) -> Line:
    del account, url  # what is remembered of one never serves another
    return Line()


def line_of(context: MerchantContext) -> Line:
    """Return the line of a merchant."""
    return _line(f"{context.mode}:{context.account}", base_url(context))


def base_url(context: MerchantContext) -> str:
    """Return where calls go: the official host of the mode, or another where that is allowed."""
    return options.base_url(context, OFFICIAL_URLS["live" if context.mode == "live" else "test"])


def post(context: MerchantContext, form: str) -> Reply:
    """Send a signed form. Raises: NoAnswerError."""
    kind = {"Content-Type": "application/x-www-form-urlencoded;charset=utf-8"}
    return _fine(
        carrier.carry(
            "POST",
            f"{base_url(context)}{_PATH}?charset=utf-8",
            headers=kind,
            body=form.encode(),
            limits=options.limits(context, largest_bytes=LARGEST_ANSWER_BYTES),
        )
    )


def _fine(reply: Reply) -> Reply:
    if reply.status != _FINE:
        raise NoAnswerError(Unknown(f"status {reply.status}"))
    return reply


# -- calls ----------------------------------------------------------------------------------------


def signed(
    context: MerchantContext,
    method: str,
    content: Mapping[str, Any],
    *,
    key: bytes,
    at: datetime,
    extra: Mapping[str, str] | None = None,
) -> str:
    """Return a call as a signed form. Raises: NoAnswerError (not set up)."""
    public = keys(context, PUBLIC_OPTIONS)[0]
    common = {"timestamp": answers.stamp(at), "format": "JSON", **(extra or {})}
    if context.options.get(TOKEN_OPTION):
        try:
            common[TOKEN_OPTION] = context.secret(TOKEN_OPTION)
        except SecretMissingError as error:
            raise NoAnswerError(options.not_set_up(str(error))) from error
    library = _library(context.merchant, key, public)
    return str(library.client_api(method, dict(content), **common))


def page_address(
    context: MerchantContext,
    method: str,
    content: Mapping[str, Any],
    *,
    at: datetime,
    extra: Mapping[str, str],
) -> str:
    """Return where a guest goes to pay; nobody is called. Raises: NoAnswerError."""
    key = _in_order(context)[0]
    form = signed(context, method, content, key=key, at=at, extra=extra)
    return f"{base_url(context)}{_PATH}?{form}"


def _in_order(context: MerchantContext) -> list[bytes]:
    """Return our keys, the one that the gateway took last first. Raises: NoAnswerError."""
    taken = line_of(context).taken_key
    return sorted(keys(context, PRIVATE_OPTIONS), key=lambda key: key != taken)


def call(
    context: MerchantContext,
    method: str,
    content: Mapping[str, Any],
    *,
    at: datetime,
    extra: Mapping[str, str] | None = None,
) -> Answer:
    """Call with the first of our keys that is taken; return a signed yes.

    Raises: NoAnswerError, MalformedError (a signed answer that cannot be read).
    """
    line = line_of(context)
    refused = NoAnswerError(options.not_set_up())
    for key in _in_order(context):
        form = signed(context, method, content, key=key, at=at, extra=extra)
        reply = post(context, form)
        try:
            answer = _read(context, method, reply)
            line.taken_key = key
            faults.refuse(answer.facts)
        except NoAnswerError as error:
            if error.hint not in faults.WRONG_SIGNATURE:
                raise
            # Certainly not done: the next key may be the one that is valid now.
            refused = error
        else:
            return answer
    raise refused


def ask(
    context: MerchantContext, method: str, content: Mapping[str, Any], *, at: datetime
) -> Answer:
    """Call to ask, not to do: what the gateway refuses says nothing of the thing in question.

    Raises: NoAnswerError, MalformedError.
    """
    try:
        return call(context, method, content, at=at)
    except NoAnswerError as error:
        raise NoAnswerError(faults.of_question(error.outcome), error.hint) from error


def _read(context: MerchantContext, method: str, reply: Reply) -> Answer:
    """Return what one of the gateway's keys signed. Raises: NoAnswerError, MalformedError."""
    try:
        found = answers.parts(reply.body.decode("utf-8"))
    except (MalformedError, UnicodeDecodeError) as error:
        raise NoAnswerError(Unknown("the answer is no JSON")) from error
    name = method.replace(".", "_") + "_response"
    node, signature = found.get(name), found.get("sign")
    if node and signature and is_signed(context, node.raw, signature.value):
        return Answer(answers.mapping(node.value, name), node.raw, reply.headers)
    said = node or found.get("error_response")
    hint = answers.text_or(said.value, "sub_code") if said and isinstance(said.value, dict) else ""
    # Only what is wrong with the call itself is told without a signature.
    is_about_call = hint.startswith("isv.")
    raise NoAnswerError(Unknown("the answer is not signed"), hint if is_about_call else "unsigned")


def fetch(context: MerchantContext, url: str, *, at: datetime) -> bytes:
    """Return a file that a signed answer named. Raises: NoAnswerError."""
    del at  # the address itself says until when it is good
    try:
        host = urlsplit(url).hostname or ""
        own = urlsplit(base_url(context)).hostname
        is_known = options.is_safe(url) and (host.endswith(_FILE_DOMAINS) or host == own)
    except ValueError:
        is_known = False
    if not is_known:
        raise NoAnswerError(Unknown("the address of a file is not the gateway's"))
    limits = options.limits(context, largest_bytes=LARGEST_FILE_BYTES)
    return _fine(carrier.carry("GET", url, headers={}, limits=limits)).body
