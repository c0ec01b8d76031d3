"""The line to WeChat Pay: the client library's calls over a transport of our own.

The library writes paths and bodies, our carrier takes them; here are the signatures under both
directions, by one clock.
"""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol

from diandian.payments import carrier
from diandian.payments.carrier import Limits
from diandian.payments.gateways.wechatpay import signatures

if TYPE_CHECKING:
    from datetime import datetime

    from diandian.payments.gateways.wechatpay.account import Account

LARGEST_ANSWER_BYTES = carrier.LARGEST_ANSWER_BYTES
LARGEST_FILE_BYTES = carrier.LARGEST_FILE_BYTES


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. ``is_signed``: WeChat Pay's signature under it is right and fresh.

    ``fault``: why it is not. ``date``: the sender's clock, as its header has it.
    """

    status: int
    body: bytes
    is_signed: bool
    fault: str = ""
    date: str = ""


class Verb(Protocol):
    """A method of HTTP, as the library names it."""

    value: str


class Core(Protocol):
    """What sends for the library."""

    def request(self, path: str, *, skip_verify: bool = False) -> Reply:
        """Ask by GET for what lies at a path."""

    def encrypt(self, text: str) -> str:
        """Return a text that only WeChat Pay can read."""


class Library(Protocol):
    """The calls of the client library that we make; over our line each returns a ``Reply``."""

    _core: Core

    def pay(self, **facts: object) -> Reply:
        """Open a payment."""

    def query(self, **facts: object) -> Reply:
        """Ask for a payment."""

    def close(self, **facts: object) -> Reply:
        """Close an unpaid payment."""

    def refund(self, **facts: object) -> Reply:
        """Give money back."""

    def query_refund(self, **facts: object) -> Reply:
        """Ask for a refund."""

    def trade_bill(self, **facts: object) -> Reply:
        """Ask where the statement of trades lies."""

    def fundflow_bill(self, **facts: object) -> Reply:
        """Ask where the statement of funds lies."""

    def profitsharing_order(self, **facts: object) -> Reply:
        """Divide a payment."""

    def profitsharing_unfreeze(self, **facts: object) -> Reply:
        """Release what no split took."""

    def profitsharing_order_query(self, **facts: object) -> Reply:
        """Ask for a division."""

    def profitsharing_return(self, **facts: object) -> Reply:
        """Take a part back."""

    def profitsharing_return_query(self, **facts: object) -> Reply:
        """Ask for a reversal."""

    def profitsharing_add_receiver(self, **facts: object) -> Reply:
        """Name a receiver."""

    def profitsharing_config_query(self, sub_mchid: str) -> Reply:
        """Ask how much may be divided."""


@dataclass(frozen=True, slots=True)
class Line:
    """Takes the place of the library's own core for one call. ``at``: our clock."""

    account: Account
    at: datetime
    largest_bytes: int = LARGEST_ANSWER_BYTES

    def request(
        self,
        path: str,
        method: Verb | None = None,
        data: dict[str, Any] | None = None,
        *,
        skip_verify: bool = False,
        cipher_data: bool = False,
    ) -> Reply:
        """Send a signed request, return the answer. Raises: NoAnswerError."""
        del cipher_data  # the id of WeChat Pay's key always goes along
        verb = "GET" if method is None else method.value
        # What is signed is what is sent, to the byte.
        body = json.dumps(data, ensure_ascii=False, separators=(",", ":")) if data else ""
        headers = {
            "Authorization": signatures.authorization(self.account, verb, path, body, self.at),
            "Accept": "application/json",
            "Content-Type": "application/json",
            "Wechatpay-Serial": self.account.public_pems[0][0],
        }
        account = self.account
        found = carrier.carry(
            verb,
            account.base_url + path,
            headers=headers,
            body=body.encode() or None,
            limits=Limits(account.connect_seconds, account.read_seconds, self.largest_bytes),
        )
        date = found.headers.get("date", "")
        if skip_verify:
            return Reply(found.status, found.body, is_signed=False, date=date)
        fault = signatures.refusal(account, found.headers, found.body, self.at)
        return Reply(
            found.status, found.body, is_signed=fault is None, fault=fault or "", date=date
        )

    def encrypt(self, text: str) -> str:
        """Return a text that only WeChat Pay can read."""
        return _library(self.account)._core.encrypt(text)  # noqa: SLF001 - pinned version


def library_of(
    account: Account, at: datetime, largest_bytes: int = LARGEST_ANSWER_BYTES
) -> Library:
    """Return the client library, speaking over our line at an instant."""
    library = copy.copy(_library(account))
    library._core = Line(account, at, largest_bytes)  # noqa: SLF001 - pinned version
    return library


@lru_cache(maxsize=64)
def _library(account: Account) -> Library:
    # In public-key mode its constructor calls nobody.
    from wechatpayv3 import WeChatPay, WeChatPayType  # noqa: PLC0415

    key_id, pem = account.public_pems[0]
    library: Library = WeChatPay(
        wechatpay_type=WeChatPayType.NATIVE,
        mchid=account.merchant,
        private_key=account.private_pem,
        cert_serial_no=account.serial,
        appid=account.app,
        apiv3_key=account.api_keys[0],
        partner_mode=account.is_partner,
        timeout=(account.connect_seconds, account.read_seconds),
        public_key=pem,
        public_key_id=key_id,
    )
    return library


def is_success(status: int) -> bool:
    """Tell whether a status says yes."""
    return HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES
