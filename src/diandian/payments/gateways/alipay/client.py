"""The line to Alipay: whose key, which address, how long to wait, whose signature is believed.

The client library signs calls and checks signatures. What it lacks is here: limits of time and
size on every call, Chinese time whatever the machine's, an address that cannot be bent, parameters
kept out of addresses, keys in overlap, and a reading of signed text that braces cannot mislead.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from functools import lru_cache
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from diandian.payments.gateways.alipay import answers, faults
from diandian.payments.gateways.alipay.answers import Answer, MalformedError, NoAnswerError
from diandian.payments.messages import Rejected, SecretMissingError, Unknown

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from diandian.payments.messages import MerchantContext

OFFICIAL_URLS = {
    "live": "https://openapi.alipay.com",
    "test": "https://openapi-sandbox.dl.alipaydev.com",
}
CONNECT_SECONDS = 5
READ_SECONDS = 15
# Ours to sign with, theirs to check with; two of each while one replaces the other.
PRIVATE_OPTIONS = ("app_private_key", "app_private_key_2")
PUBLIC_OPTIONS = ("alipay_public_key", "alipay_public_key_2")
TOKEN_OPTION = "app_auth_token"  # noqa: S105 - the name of an option

_PATH = "/gateway.do"
_LONGEST_ANSWER = 2**20
_LONGEST_FILE = 64 * 2**20
_CHUNK = 2**16
_FINE = 200
_LEAST_BITS = 2_048
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
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


def keys(context: MerchantContext, options: tuple[str, ...]) -> list[bytes]:
    """Return the keys in use, the first one first. Raises: NoAnswerError."""
    found, reasons = [], []
    for option in options:
        if option == options[0] or context.options.get(option):
            try:
                found.append(fit_key(context, option))
            except (SecretMissingError, MalformedError) as error:
                reasons.append(str(error))
    if not found:
        raise NoAnswerError(Rejected("not_set_up", "; ".join(reasons), retryable=True))
    return found


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


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, as it came; headers in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Line:
    """Our line to the gateway for one merchant; lives as long as the process. Safe for threads.

    No retries here: one that sleeps would hold a worker. The product asks again by the same number.
    """

    def __init__(self, connect_seconds: int, read_seconds: int) -> None:
        import urllib3  # noqa: PLC0415 - loaded by who uses it

        self.rest = faults.Rest()
        # The one of our keys that the gateway took last, and receivers that it knows.
        self.taken_key = b""
        self.receivers: set[str] = set()
        self._longest_seconds = read_seconds
        self._pool = urllib3.PoolManager(
            num_pools=4,
            maxsize=16,
            retries=False,
            timeout=urllib3.Timeout(connect=connect_seconds, read=read_seconds),
        )

    def send(self, method: str, url: str, body: str | None, longest: int) -> Reply:
        """Send once. Raises: NoAnswerError and whatever the carrier raises."""
        until = monotonic() + self._longest_seconds
        kind = {"Content-Type": "application/x-www-form-urlencoded;charset=utf-8"}
        response = self._pool.request(
            method, url, body=body, headers=kind, preload_content=False, redirect=False
        )
        found = bytearray()
        try:
            while chunk := response.read1(_CHUNK, decode_content=False):
                found += chunk
                if len(found) > longest or monotonic() > until:
                    raise NoAnswerError(Unknown("the answer is too long"))
            response.release_conn()
        finally:
            response.close()
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Reply(response.status, headers, bytes(found))

    def carry(
        self, method: str, url: str, body: str | None, *, longest: int, at: datetime
    ) -> Reply:
        """Send once, unless the line rests. Raises: NoAnswerError."""
        self.rest.check(at)
        try:
            reply = self.send(method, url, body, longest)
        except Exception as error:
            outcome = faults.of_line(error)
            self.rest.note(at, is_fault=faults.is_fault(outcome))
            raise NoAnswerError(outcome) from error
        self.rest.note(at, is_fault=reply.status != _FINE)
        if reply.status != _FINE:
            raise NoAnswerError(Unknown(f"status {reply.status}"))
        return reply


@lru_cache(maxsize=64)
def _line(account: str, url: str, connect_seconds: int, read_seconds: int) -> Line:
    del account, url  # what is remembered of one never serves another
    return Line(connect_seconds, read_seconds)


def line_of(context: MerchantContext) -> Line:
    """Return the line of a merchant."""
    return _line(
        f"{context.mode}:{context.account}",
        base_url(context),
        _seconds(context, "connect_seconds", CONNECT_SECONDS),
        _seconds(context, "read_seconds", READ_SECONDS),
    )


def base_url(context: MerchantContext) -> str:
    """Return where calls go: the official host of the mode, or another where that is allowed."""
    own = context.options.get("base_url", "").rstrip("/")
    official = OFFICIAL_URLS["live" if context.mode == "live" else "test"]
    return own if own and is_allowed(context, own) else official


def is_allowed(context: MerchantContext, url: str) -> bool:
    """Tell whether calls may go to an address other than the official one.

    Only in tests or where ``allow_base_url`` is ``yes``, and only over TLS or on this machine.
    """
    if context.mode != "test" and context.options.get("allow_base_url") != "yes":
        return False
    try:
        there = urlsplit(url)
        is_plain = not (there.path or there.query or there.fragment or there.username)
        return is_plain and _is_safe(url) and there.port != 0
    except ValueError:
        return False


def _is_safe(url: str) -> bool:
    there = urlsplit(url)
    host = there.hostname or ""
    return bool(host) and (
        there.scheme == "https" or (there.scheme == "http" and host in _LOOPBACK)
    )


def _seconds(context: MerchantContext, name: str, longest: int) -> int:
    """Return a limit of time; an option may lower it."""
    given = context.options.get(name, "")
    is_number = given.isascii() and given.isdigit() and len(given) < len("1000")
    return min(int(given), longest) if is_number and int(given) else longest


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
            raise NoAnswerError(Rejected("not_set_up", str(error), retryable=True)) from error
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
    url = f"{base_url(context)}{_PATH}?charset=utf-8"
    refused = NoAnswerError(Rejected("not_set_up", retryable=True))
    for key in _in_order(context):
        form = signed(context, method, content, key=key, at=at, extra=extra)
        reply = line.carry("POST", url, form, longest=_LONGEST_ANSWER, at=at)
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
    try:
        host = urlsplit(url).hostname or ""
        own = urlsplit(base_url(context)).hostname
        is_known = _is_safe(url) and (host.endswith(_FILE_DOMAINS) or host == own)
    except ValueError:
        is_known = False
    if not is_known:
        raise NoAnswerError(Unknown("the address of a file is not the gateway's"))
    return line_of(context).carry("GET", url, None, longest=_LONGEST_FILE, at=at).body
