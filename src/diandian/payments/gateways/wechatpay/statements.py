"""Statements of WeChat Pay: found, unpacked, proven by their digest, read by the names of columns.

A file is text with commas; each field of a line begins with a backtick, amounts are yuan. Two last
lines count it all: what was cut off, or does not add up, is refused as a whole.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from diandian.kernel.money import EXPONENTS, Money
from diandian.payments import messages as port
from diandian.payments.gateways.wechatpay import answers
from diandian.payments.gateways.wechatpay.account import OFFICIAL_BASE
from diandian.payments.gateways.wechatpay.answers import FactsError, text
from diandian.payments.gateways.wechatpay.client import LARGEST_FILE_BYTES, is_success
from diandian.payments.statements import NOT_READY, Statement, StatementLine

if TYPE_CHECKING:
    from datetime import date

    from diandian.payments.gateways.wechatpay.account import Account
    from diandian.payments.gateways.wechatpay.client import Library, Reply
    from diandian.payments.messages import Outcome
    from diandian.payments.statements import LineKind, StatementKind

_NONE_THAT_DAY = "NO_STATEMENT_EXIST"
_IN_THE_MAKING = "STATEMENT_CREATING"

BEIJING = timezone(timedelta(hours=8))
_READY_HOUR = 10
_GZIP_WINDOW = 31
_BOM = "\ufeff"
_AMOUNT = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,9})?")
_COUNT = re.compile(r"[0-9]{1,9}(\.0+)?")

_TRADE_COLUMNS = (
    "交易时间",
    "微信订单号",
    "商户订单号",
    "交易状态",
    "货币种类",
    "微信退款单号",
    "商户退款单号",
    "退款状态",
    "手续费",
    "订单金额",
    "申请退款金额",
)
_TRADE_TOTALS = ("总交易单数", "手续费总金额", "订单总金额", "申请退款总金额")
_FUND_COLUMNS = (
    "记账时间",
    "微信支付业务单号",
    "资金流水单号",
    "业务类型",
    "收支类型",
    "收支金额",
    "业务凭证号",
)
_FUND_TOTALS = ("资金流水总笔数", "收入金额", "支出金额")
_FUND_KINDS: dict[str, LineKind] = {
    "交易": "payment",
    "退款": "refund",
    "扣除交易手续费": "fee",
    "手续费": "fee",
    "分账": "split",
    "分账回退": "reversal",
    "提现": "payout",
}
_SIGNS = {"收入": 1, "支出": -1}

_Row = dict[str, str]


def is_ready(day: date, at: datetime) -> bool:
    """Tell whether the statement of a day can be there: from ten o'clock of the next, in China."""
    made = datetime(day.year, day.month, day.day, _READY_HOUR, tzinfo=BEIJING) + timedelta(days=1)
    return at >= made


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file lies, and its digest, as a signed answer says."""

    path: str
    hash_type: str
    hash_value: str


def ask_for(account: Account, library: Library, day: date, kind: StatementKind) -> Reply:
    """Ask where the file of a day lies; return the answer."""
    if kind == "funds":
        return library.fundflow_bill(bill_date=day.isoformat())
    sub = {"sub_mchid": account.sub_merchant} if account.is_partner else {}
    return library.trade_bill(bill_date=day.isoformat(), **sub)


def place(account: Account, reply: Reply) -> Outcome[Place | None]:
    """Return where the file lies; Done with None when nothing happened that day."""
    code = answers.code_of(reply) if reply.is_signed else ""
    if code == _NONE_THAT_DAY:
        return port.Done(None)
    if code == _IN_THE_MAKING:
        return port.Rejected(NOT_READY, retryable=True)
    return answers.outcome(reply, lambda facts: _place(account, facts))


def file_outcome(day: date, kind: StatementKind, at: Place, reply: Reply) -> Outcome[Statement]:
    """Return a downloaded file as a statement; anything wrong with it is unknown, never read."""
    if not is_success(reply.status):
        return port.Unknown(f"answer {reply.status} in place of the file")
    try:
        content = _unpacked(reply.body)
        _check_digest(at, content)
        return port.Done(statement(day, kind, content))
    except FactsError as error:
        return port.Unknown(str(error))


def _place(account: Account, facts: dict[str, Any]) -> Place:
    """Return where a file lies; its host must be one that we call anyway. Raises: FactsError."""
    try:
        parts = urlsplit(text(facts, "download_url", longest=2048))
    except ValueError as error:
        raise FactsError("download_url is no address") from error
    if f"{parts.scheme}://{parts.netloc}" not in {OFFICIAL_BASE, account.base_url}:
        raise FactsError("download_url leads to another host")
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return Place(path, text(facts, "hash_type").upper(), text(facts, "hash_value").lower())


def _unpacked(file: bytes) -> bytes:
    """Return what a packed file holds. Raises: FactsError when it is cut off or too large."""
    reader = zlib.decompressobj(_GZIP_WINDOW)
    try:
        found = reader.decompress(file, LARGEST_FILE_BYTES)
    except zlib.error as error:
        raise FactsError("the file is not packed as agreed") from error
    if not reader.eof or reader.unused_data:
        raise FactsError("the file is cut off, too large, or has more behind it")
    return found


def _check_digest(place: Place, content: bytes) -> None:
    """Compare a file with the digest that the signed answer names. Raises: FactsError."""
    if place.hash_type != "SHA1":
        raise FactsError("the digest of the file is of a kind that we do not know")
    ours = hashlib.sha1(content, usedforsecurity=False).hexdigest()
    if not hmac.compare_digest(ours.encode(), place.hash_value.encode()):
        raise FactsError("the file is not the one of the digest")


def statement(day: date, kind: StatementKind, content: bytes) -> Statement:
    """Return a proven file as a statement. Raises: FactsError when it cannot be read in full."""
    lines = (_trades if kind == "trades" else _funds)(content) if content else ()
    return Statement(
        day=day,
        kind=kind,
        lines=lines,
        raw=content,
        sha256=hashlib.sha256(content).hexdigest(),
        is_proven=True,
    )


# -- trades -----------------------------------------------------------------------------------


def _trades(content: bytes) -> tuple[StatementLine, ...]:
    rows, totals = _table(content, _TRADE_COLUMNS, _TRADE_TOTALS)
    lines = tuple(_trade(row) for row in rows)
    _compare("总交易单数", len(lines), _count(totals["总交易单数"]))
    sums = {
        "手续费总金额": sum(line.fee_minor for line in lines),
        "订单总金额": sum(line.gross_minor for line in lines if line.kind == "payment"),
        "申请退款总金额": -sum(line.gross_minor for line in lines if line.kind == "refund"),
    }
    for name, ours in sums.items():
        _compare(name, ours, _minor(totals[name], "CNY"))
    return lines


def _trade(row: _Row) -> StatementLine:
    currency = row["货币种类"]
    is_refund = row["交易状态"] in {"REFUND", "REVOKED"}
    gross = _minor(row["申请退款金额" if is_refund else "订单金额"], currency)
    gross, fee = -gross if is_refund else gross, _minor(row["手续费"], currency)
    if row["交易状态"] not in {"SUCCESS", "REFUND", "REVOKED"}:
        raise FactsError("a line has a state that we do not know")
    return StatementLine(
        kind="refund" if is_refund else "payment",
        gateway_ref=row["微信退款单号" if is_refund else "微信订单号"],
        our_no=row["商户退款单号" if is_refund else "商户订单号"],
        gross_minor=gross,
        fee_minor=fee,
        net_minor=gross - fee,
        currency=currency,
        at=_instant(row["交易时间"]),
        status=row["退款状态"] if is_refund else row["交易状态"],
        payment_no=row["商户订单号"] if is_refund else "",
    )


# -- funds ------------------------------------------------------------------------------------


def _funds(content: bytes) -> tuple[StatementLine, ...]:
    rows, totals = _table(content, _FUND_COLUMNS, _FUND_TOTALS)
    lines = tuple(_movement(row) for row in rows)
    _compare("资金流水总笔数", len(lines), _count(totals["资金流水总笔数"]))
    incoming = sum(line.net_minor for line in lines if line.net_minor > 0)
    outgoing = -sum(line.net_minor for line in lines if line.net_minor < 0)
    _compare("收入金额", incoming, _minor(totals["收入金额"], "CNY"))
    _compare("支出金额", outgoing, _minor(totals["支出金额"], "CNY"))
    return lines


def _movement(row: _Row) -> StatementLine:
    sign = _SIGNS.get(row["收支类型"])
    if sign is None:
        raise FactsError("a line neither comes in nor goes out")
    net = sign * _minor(row["收支金额"], "CNY")
    kind = _FUND_KINDS.get(row["业务类型"], "other")
    gross, fee = (0, -net) if kind == "fee" else (net, 0)
    return StatementLine(
        kind=kind,
        gateway_ref=row["微信支付业务单号"],
        our_no=row["业务凭证号"],
        gross_minor=gross,
        fee_minor=fee,
        net_minor=net,
        currency="CNY",
        at=_instant(row["记账时间"]),
        status=row["业务类型"],
    )


# -- the form of both -------------------------------------------------------------------------


def _table(
    content: bytes, columns: tuple[str, ...], totals: tuple[str, ...]
) -> tuple[list[_Row], _Row]:
    """Return the lines and the totals of a file. Raises: FactsError."""
    try:
        lines = [line for line in content.decode("utf-8").removeprefix(_BOM).splitlines() if line]
    except UnicodeDecodeError as error:
        raise FactsError("the file is not UTF-8") from error
    if len(lines) < 3:  # noqa: PLR2004 - a head, a head of the totals, the totals
        raise FactsError("the file is cut off")
    head, *middle, total_head, total_line = lines
    rows = [_row(_names(head), line, columns) for line in middle]
    return rows, _row(_names(total_head), total_line, totals)


def _names(line: str) -> list[str]:
    """Return the names of columns; some carry their unit in brackets of one or another kind."""
    return [name.strip().partition("(")[0].partition("(")[0] for name in line.split(",")]


def _row(names: list[str], line: str, needed: tuple[str, ...]) -> _Row:
    if missing := set(needed) - set(names):
        raise FactsError(f"the file has no column {min(missing)}")
    # Between two fields stand a comma and a backtick, so that a comma in a text divides nothing.
    if not line.startswith("`"):
        raise FactsError("a line does not begin with a backtick")
    fields = [field.strip() for field in line[1:].split(",`")]
    if len(fields) != len(names):
        raise FactsError("a line has more or fewer fields than columns")
    return dict(zip(names, fields, strict=True))


def _minor(value: str, currency: str) -> int:
    """Return an amount of yuan in minor units, exactly. Raises: FactsError."""
    if currency not in EXPONENTS or not _AMOUNT.fullmatch(value):
        raise FactsError("an amount or its currency is not one that we know")
    try:
        return Money.from_decimal(Decimal(value), currency).amount_minor
    except ValueError as error:
        raise FactsError("an amount is finer than a fen") from error


def _count(value: str) -> int:
    if not _COUNT.fullmatch(value):
        raise FactsError("the number of lines is not a number")
    return int(value.partition(".")[0])


def _compare(name: str, ours: int, theirs: int) -> None:
    if ours != theirs:
        raise FactsError(f"the file is not whole: its {name} differs from its lines")


def _instant(value: str) -> datetime:
    try:
        found = datetime.strptime(value, "%Y-%m-%d %H:%M:%S").replace(tzinfo=BEIJING)
        return found.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise FactsError("a time is not a time") from error
