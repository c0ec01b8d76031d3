"""The line to WeChat Pay: the client library's calls over a transport of our own.

The library writes paths and bodies; what it leaves open is closed here: time limits, one clock, the
check of every answer's signature, age and size, and which failures mean that nothing was sent.
"""

from __future__ import annotations

import copy
import json
import os
import time
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol

from diandian.payments.gateways.wechatpay import signatures

if TYPE_CHECKING:
    from datetime import datetime

    import urllib3

    from diandian.payments.gateways.wechatpay.account import Account

LARGEST_ANSWER_BYTES = 1 << 20
LARGEST_FILE_BYTES = 64 << 20

_CHUNK_BYTES = 1 << 16
_CONNECTIONS = 32


class NotSentError(Exception):
    """No connection came about: WeChat Pay has not seen one byte of the request."""


class UnclearError(Exception):
    """The request went out, and nobody knows what became of it."""


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
        """Send a signed request, return the answer. Raises: NotSentError, UnclearError."""
        del cipher_data  # the id of WeChat Pay's key always goes along
        verb = "GET" if method is None else method.value
        # What is signed is what is sent, to the byte.
        body = json.dumps(data, ensure_ascii=False, separators=(",", ":")) if data else ""
        headers = {
            "Authorization": signatures.authorization(self.account, verb, path, body, self.at),
            "Accept": "application/json",
            "Content-Type": "application/json",
            "User-Agent": "diandian",
            "Wechatpay-Serial": self.account.public_pems[0][0],
        }
        response = self._send(verb, path, body.encode() or None, headers)
        return self._read(response, skip_verify=skip_verify)

    def encrypt(self, text: str) -> str:
        """Return a text that only WeChat Pay can read."""
        return _library(self.account)._core.encrypt(text)  # noqa: SLF001 - pinned version

    def _send(
        self, verb: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> urllib3.BaseHTTPResponse:
        import urllib3  # noqa: PLC0415 - part of the client library
        from urllib3 import exceptions  # noqa: PLC0415

        account = self.account
        timeout = urllib3.Timeout(connect=account.connect_seconds, read=account.read_seconds)
        try:
            return _pool(os.getpid()).request(
                verb,
                account.base_url + path,
                body=body,
                headers=headers,
                timeout=timeout,
                retries=False,
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
        except (exceptions.NewConnectionError, exceptions.ConnectTimeoutError) as error:
            raise NotSentError(type(error).__name__) from error
        except (exceptions.HTTPError, OSError, ValueError) as error:
            raise UnclearError(type(error).__name__) from error

    def _read(self, response: urllib3.BaseHTTPResponse, *, skip_verify: bool) -> Reply:
        headers = signatures.lowered(response.headers)
        body = self._body(response)
        date = headers.get("date", "")
        if skip_verify:
            return Reply(response.status, body, is_signed=False, date=date)
        fault = signatures.refusal(self.account, headers, body, self.at)
        return Reply(response.status, body, is_signed=fault is None, fault=fault or "", date=date)

    def _body(self, response: urllib3.BaseHTTPResponse) -> bytes:
        """Return the whole body, never more than allowed nor longer than a call may take."""
        from urllib3 import exceptions  # noqa: PLC0415

        deadline = time.monotonic() + self.account.read_seconds
        found = bytearray()
        try:
            while chunk := response.read1(_CHUNK_BYTES):
                found += chunk
                if len(found) > self.largest_bytes or time.monotonic() > deadline:
                    break
            else:
                response.release_conn()
                return bytes(found)
        except (exceptions.HTTPError, OSError, ValueError) as error:
            response.close()
            raise UnclearError(type(error).__name__) from error
        response.close()
        raise UnclearError("answer too large, or too slow")


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


@lru_cache(maxsize=1)
def _pool(process: int) -> urllib3.PoolManager:
    """Return the connections of this process; a forked child makes its own."""
    del process
    import certifi  # noqa: PLC0415 - part of the client library
    import urllib3  # noqa: PLC0415

    return urllib3.PoolManager(num_pools=8, maxsize=_CONNECTIONS, ca_certs=certifi.where())


def is_success(status: int) -> bool:
    """Tell whether a status says yes."""
    return HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES
