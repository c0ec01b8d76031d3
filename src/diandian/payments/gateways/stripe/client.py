"""The line to Stripe: whose key, which address, and whose account a key opens.

The vendor's library composes, authenticates and reads the calls, our carrier takes them. What both
lack is here: our own idempotency keys, keys in overlap, and a list that is read whole.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Any

from diandian.payments import carrier, options
from diandian.payments.facts import MalformedError, NoAnswerError
from diandian.payments.gateways.stripe import answers, faults
from diandian.payments.gateways.stripe.answers import Answer
from diandian.payments.gateways.stripe.known import Known
from diandian.payments.messages import Rejected

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from stripe import StripeClient

    from diandian.payments.carrier import Limits
    from diandian.payments.gateways.stripe.answers import Facts
    from diandian.payments.messages import MerchantContext

# Answers have this form, whatever the account's own default is.
API_VERSION = "2026-10-28.endive"
OFFICIAL_URL = "https://api.stripe.com"
KEY_OPTIONS = ("api_key", "api_key_2")
# As many entries as a list gives at once.
PAGE = 100

# A page of a list with all that stands behind its entries.
_LARGEST_ANSWER_BYTES = 8 << 20
_PREFIXES = {"live": ("sk_live_", "rk_live_"), "test": ("sk_test_", "rk_test_")}


class _Wire:
    """Gives the library's bytes to our carrier; one try for each call."""

    name = "carrier"

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

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
        """Send once; return body, status and headers in small letters. Raises: NoAnswerError."""
        del max_network_retries
        sent = post_data.encode() if post_data else None
        reply = carrier.carry(method.upper(), url, headers=headers, body=sent, limits=self._limits)
        return reply.body, reply.status, dict(reply.headers)


class Line:
    """Our line to one account; lives as long as the process. Safe for threads."""

    def __init__(self, url: str, limits: Limits) -> None:
        self.sessions = Known()
        self._url = url
        self._wire = _Wire(limits)
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
        idempotency_key: str = "",
    ) -> Answer:
        """Call once with one key. Raises: NoAnswerError, WrongKeyError."""
        own = {"idempotency_key": idempotency_key} if idempotency_key else {}
        try:
            raw = self._client(key).raw_request(method, path, **params, **own)
            return Answer(answers.mapping(raw.data), raw.body, raw.headers)
        except Exception as error:
            raise NoAnswerError(faults.outcome_of(error)) from error

    def account_of(self, key: str) -> str:
        """Return whose account a key opens; asked once. Raises: NoAnswerError, WrongKeyError."""
        name = hashlib.sha256(key.encode()).hexdigest()
        if name not in self._accounts:
            facts = self.send(key, "get", "/v1/account", {}).facts
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
def _line(account: str, url: str, limits: Limits) -> Line:
    del account  # what is remembered of one account never serves another
    return Line(url, limits)


def line_of(context: MerchantContext) -> Line:
    """Return the line of a merchant."""
    return _line(
        f"{context.mode}:{context.merchant}",
        base_url(context),
        options.limits(context, largest_bytes=_LARGEST_ANSWER_BYTES),
    )


def base_url(context: MerchantContext) -> str:
    """Return where calls go: the official host, or another where that is allowed."""
    return options.base_url(context, OFFICIAL_URL)


def keys(context: MerchantContext) -> list[str]:
    """Return the keys in use, the first one first. Raises: NoAnswerError."""
    return options.keys(context, KEY_OPTIONS, fit_key)


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
    del at  # nothing that is sent tells the time
    line = line_of(context)
    for key in keys(context):
        try:
            _prove(context, line.account_of(key))
            return line.send(key, method, path, params or {}, idempotency_key=idempotency_key)
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
