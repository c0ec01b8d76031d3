"""The line to Stripe: whose key, which address, how long to wait, and what a fault means.

The vendor's library composes, authenticates and reads the calls. What it lacks is here: limits of
time and size on every call, our own idempotency keys, keys in overlap, an address that cannot be
bent, a line that rests when the gateway is down, and the proof of whose account a key opens.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from diandian.payments.gateways.stripe import answers, faults
from diandian.payments.gateways.stripe.answers import Answer, MalformedError, NoAnswerError
from diandian.payments.gateways.stripe.known import Known
from diandian.payments.messages import Rejected, SecretMissingError, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from stripe import StripeClient

    from diandian.payments.gateways.stripe.answers import Facts
    from diandian.payments.messages import MerchantContext

# Answers have this form, whatever the account's own default is.
API_VERSION = "2026-10-28.endive"
OFFICIAL_URL = "https://api.stripe.com"
CONNECT_SECONDS = 5
READ_SECONDS = 15
KEY_OPTIONS = ("api_key", "api_key_2")
# As many entries as a list gives at once.
PAGE = 100

_LONGEST_ANSWER = 8 * 2**20
_CHUNK = 2**16
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_PREFIXES = {"live": ("sk_live_", "rk_live_"), "test": ("sk_test_", "rk_test_")}


class _Wire:
    """Carries bytes for the library; one try for each call, limited in time and size.

    No retries here: a retry that sleeps would hold a worker. The product asks again by the same
    number, soon at first.
    """

    name = "urllib3"

    def __init__(self, connect_seconds: int, read_seconds: int) -> None:
        import stripe  # noqa: PLC0415 - a vendor's library is loaded by who uses it
        import urllib3  # noqa: PLC0415 - the same

        self._longest_seconds = read_seconds
        self._pool = urllib3.PoolManager(
            num_pools=2,
            maxsize=16,
            retries=False,
            timeout=urllib3.Timeout(connect=connect_seconds, read=read_seconds),
            ca_certs=stripe.ca_bundle_path,
        )

    def request_with_retries(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        post_data: str | None = None,
        max_network_retries: int | None = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[bytes, int, dict[str, str]]:
        """Send once; return body, status and headers in small letters."""
        del max_network_retries
        until = monotonic() + self._longest_seconds
        response = self._pool.request(
            method.upper(),
            url,
            body=post_data,
            headers=dict(headers),
            preload_content=False,
            redirect=False,
        )
        body = bytearray()
        try:
            while chunk := response.read1(_CHUNK, decode_content=False):
                body += chunk
                if len(body) > _LONGEST_ANSWER or monotonic() > until:
                    raise NoAnswerError(Unknown("the answer is too long"))
            response.release_conn()
        finally:
            response.close()
        return bytes(body), response.status, {k.lower(): v for k, v in response.headers.items()}


class Line:
    """Our line to one account; lives as long as the process. Safe for threads."""

    def __init__(self, url: str, connect_seconds: int, read_seconds: int) -> None:
        self.sessions = Known()
        self._url = url
        self._rest = faults.Rest()
        self._wire = _Wire(connect_seconds, read_seconds)
        self._clients: dict[str, StripeClient] = {}
        self._accounts: dict[str, str] = {}
        self._lock = Lock()

    def send(
        self,
        key: str,
        method: str,
        path: str,
        params: Mapping[str, Any],
        *,
        at: datetime,
        idempotency_key: str = "",
    ) -> Answer:
        """Call once with one key. Raises: NoAnswerError, WrongKeyError."""
        self._rest.check(at)
        options = {"idempotency_key": idempotency_key} if idempotency_key else {}
        try:
            raw = self._client(key).raw_request(method, path, **params, **options)
            answer = Answer(answers.mapping(raw.data), raw.body, raw.headers)
        except Exception as error:
            outcome = faults.outcome_of(error)
            self._rest.note(outcome, at)
            raise NoAnswerError(outcome) from error
        self._rest.note(None, at)
        return answer

    def account_of(self, key: str, *, at: datetime) -> str:
        """Return whose account a key opens; asked once. Raises: NoAnswerError, WrongKeyError."""
        name = hashlib.sha256(key.encode()).hexdigest()
        if name not in self._accounts:
            facts = self.send(key, "get", "/v1/account", {}, at=at).facts
            self._accounts[name] = answers.ref(facts)
        return self._accounts[name]

    def _client(self, key: str) -> StripeClient:
        import stripe  # noqa: PLC0415 - a vendor's library is loaded by who uses it

        # Else it keeps a number of this machine in the home folder, and sends it along.
        stripe.enable_telemetry = False
        with self._lock:
            if key not in self._clients:
                self._clients[key] = stripe.StripeClient(
                    key,
                    stripe_version=API_VERSION,
                    base_addresses={"api": self._url},
                    max_network_retries=0,
                    http_client=self._wire,  # type: ignore[arg-type]  # all that it calls is there
                )
            return self._clients[key]


@lru_cache(maxsize=64)
def _line(account: str, url: str, connect_seconds: int, read_seconds: int) -> Line:
    del account  # what is remembered of one account never serves another
    return Line(url, connect_seconds, read_seconds)


def line_of(context: MerchantContext) -> Line:
    """Return the line of a merchant."""
    return _line(
        f"{context.mode}:{context.merchant}",
        base_url(context),
        _seconds(context, "connect_seconds", CONNECT_SECONDS),
        _seconds(context, "read_seconds", READ_SECONDS),
    )


def base_url(context: MerchantContext) -> str:
    """Return where calls go: the official host, or another where that is allowed.

    Another host sees our key. So it is taken only in tests or where ``allow_base_url`` is ``yes``,
    and only over TLS or on this machine.
    """
    own = context.options.get("base_url", "").rstrip("/")
    return own if own and is_allowed(context, own) else OFFICIAL_URL


def is_allowed(context: MerchantContext, url: str) -> bool:
    """Tell whether calls may go to an address other than the official one."""
    if context.mode != "test" and context.options.get("allow_base_url") != "yes":
        return False
    try:
        parts = urlsplit(url)
        is_plain = not (parts.path or parts.query or parts.fragment or parts.username)
        host = parts.hostname or ""
        is_safe = parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)
        return is_plain and is_safe and bool(host) and parts.port != 0
    except ValueError:
        return False


def _seconds(context: MerchantContext, name: str, longest: int) -> int:
    """Return a limit of time; an option may lower it."""
    given = context.options.get(name, "")
    return (
        min(int(given), longest) if given.isascii() and given.isdigit() and int(given) else longest
    )


def keys(context: MerchantContext) -> list[str]:
    """Return the keys in use, the first one first. Raises: NoAnswerError."""
    found, reasons = [], []
    for option in KEY_OPTIONS:
        if option == KEY_OPTIONS[0] or context.options.get(option):
            try:
                found.append(fit_key(context, option))
            except (SecretMissingError, MalformedError) as error:
                reasons.append(str(error))
    if not found:
        raise NoAnswerError(Rejected("not_set_up", "; ".join(reasons), retryable=True))
    return found


def fit_key(context: MerchantContext, option: str) -> str:
    """Return a key that fits the mode. Raises: SecretMissingError, MalformedError."""
    key = context.secret(option)
    if not key.startswith(_PREFIXES.get(context.mode, ())) or not (
        key.isascii() and key.isprintable()
    ):
        raise MalformedError(f"{option}: it is no secret key for the mode {context.mode}")
    return key


def ask(
    context: MerchantContext,
    method: str,
    path: str,
    params: Mapping[str, Any] | None = None,
    *,
    at: datetime,
    idempotency_key: str = "",
) -> Answer:
    """Call with the first key that is taken, once it is proven to open our account.

    Raises: NoAnswerError.
    """
    line = line_of(context)
    for key in keys(context):
        try:
            _prove(context, line.account_of(key, at=at))
            return line.send(
                key, method, path, params or {}, at=at, idempotency_key=idempotency_key
            )
        except NoAnswerError as error:
            if method == "get":
                raise NoAnswerError(faults.of_question(error.outcome)) from error
            raise
        except faults.WrongKeyError:
            # Certainly not done: the next key may be the one that is valid now.
            continue
    raise NoAnswerError(Rejected("wrong_key", "the gateway takes none of our keys", retryable=True))


def _prove(context: MerchantContext, account: str) -> None:
    """Refuse to speak in another merchant's name. Raises: NoAnswerError."""
    if account != context.account:
        text = f"the key opens the account {account}, not {context.account}"
        raise NoAnswerError(Rejected("wrong_merchant", text, retryable=True))


def pages(
    context: MerchantContext,
    path: str,
    params: Mapping[str, Any],
    *,
    at: datetime,
    limit: int,
) -> Iterator[tuple[Answer, list[Facts]]]:
    """Yield a list page by page, newest first. Raises: NoAnswerError, MalformedError.

    Malformed is a list that ends before it says so, repeats itself, or has more than ``limit``
    pages.
    """
    cursor: dict[str, str] = {}
    seen: set[str] = set()
    for _ in range(limit):
        answer = ask(context, "get", path, {**params, "limit": PAGE, **cursor}, at=at)
        entries = answers.items(answer.facts)
        names = [answers.ref(entry) for entry in entries]
        if len(set(names)) != len(names) or seen & set(names):
            raise MalformedError("a list repeats itself")
        seen.update(names)
        yield answer, entries
        if not answers.flag(answer.facts, "has_more"):
            return
        if not names:
            raise MalformedError("a list ends before it says so")
        cursor = {"starting_after": names[-1]}
    raise MalformedError("a list does not end")


def listed(
    context: MerchantContext, path: str, params: Mapping[str, Any], *, at: datetime, limit: int = 20
) -> list[Facts]:
    """Return a whole list. Raises: NoAnswerError, MalformedError."""
    found = pages(context, path, params, at=at, limit=limit)
    return [entry for _, entries in found for entry in entries]
