"""What a day was: the gateway's file of trades or of funds, opened, proven whole, and read.

The gateway gives no digest of its files. What proves one: a signed answer named its address, every
checksum of the archive is right, the file has its end, and its own totals fit its lines.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import zipfile
import zlib
from datetime import timedelta
from typing import TYPE_CHECKING

from diandian.kernel.clock import day_starts
from diandian.payments.gateways.alipay import answers, client, faults
from diandian.payments.gateways.alipay.answers import MalformedError, NoAnswerError
from diandian.payments.messages import Rejected
from diandian.payments.statements import NOT_READY, Statement, StatementLine

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from diandian.payments.messages import MerchantContext
    from diandian.payments.statements import LineKind, StatementKind

METHOD = "alipay.data.dataservice.bill.downloadurl.query"
BILL_TYPES: dict[StatementKind, str] = {"trades": "trade", "funds": "signcustomer"}

_NOT_THERE = "BILL_NOT_EXIST"
# The gateway has one code for a file that is not made yet and for a day without a trade.
_NONE_AFTER = timedelta(days=4)
# What reading an archive throws; a method of packing that is not known is a RuntimeError.
_UNREADABLE = (
    *(zipfile.BadZipFile, zlib.error, OSError, RuntimeError, ValueError, KeyError, EOFError),
)
_MOST_FILES = 20
_LONGEST_TEXT = 128 * 2**20
_TITLES: dict[StatementKind, str] = {"trades": "业务明细", "funds": "账务明细"}
_FIRST: dict[StatementKind, str] = {"trades": "支付宝交易号", "funds": "账务流水号"}
_TOTAL = re.compile(r"#(交易|退款|收入|支出)合计[：:]\s*([0-9]{1,9})笔.*?共(-?[0-9.]{1,15})元")
_TRADE_KINDS: dict[str, LineKind] = {"交易": "payment", "退款": "refund"}
# The first word that stands in a line's type tells what it is.
_FUND_KINDS: tuple[tuple[str, LineKind], ...] = (
    ("退分账", "reversal"),
    ("分账退回", "reversal"),
    ("分账", "split"),
    ("退费", "fee"),
    ("收费", "fee"),
    ("服务费", "fee"),
    ("退款", "refund"),
    ("提现", "payout"),
    ("在线支付", "payment"),
    ("交易", "payment"),
)


def fetch(context: MerchantContext, day: date, kind: StatementKind, *, at: datetime) -> Statement:
    """Return the statement of a business day. Raises: NoAnswerError, MalformedError."""
    if at < day_starts(day + timedelta(days=1)):
        raise NoAnswerError(Rejected(NOT_READY))
    content = {"bill_type": BILL_TYPES[kind], "bill_date": day.isoformat()}
    try:
        facts = client.call(context, METHOD, content, at=at).facts
    except NoAnswerError as error:
        if error.hint.upper().endswith(_NOT_THERE):
            if at >= day_starts(day + _NONE_AFTER):
                return _nothing(day, kind)
            raise NoAnswerError(Rejected(NOT_READY)) from error
        raise NoAnswerError(faults.of_question(error.outcome), error.hint) from error
    url = facts.get("bill_download_url")
    if not isinstance(url, str):
        raise MalformedError("bill_download_url is no address")
    raw = client.fetch(context, url, at=at)
    return Statement(
        day=day,
        kind=kind,
        lines=read(raw, day, kind),
        raw=raw,
        sha256=hashlib.sha256(raw).hexdigest(),
        is_proven=True,
    )


def _nothing(day: date, kind: StatementKind) -> Statement:
    """Return the statement of a day without a trade; a payment of ours on it is missing there."""
    digest = hashlib.sha256(b"").hexdigest()
    return Statement(day=day, kind=kind, lines=(), raw=b"", sha256=digest, is_proven=False)


def read(raw: bytes, day: date, kind: StatementKind) -> tuple[StatementLine, ...]:
    """Return the lines of an archive as it came. Raises: MalformedError."""
    rows, totals = _table(_text(_open(raw, kind)), kind)
    reader = _trade if kind == "trades" else _fund
    lines = tuple(reader(row) for row in rows)
    begins, ends = day_starts(day), day_starts(day + timedelta(days=1))
    if not all(begins <= line.at < ends for line in lines):
        raise MalformedError("a line of another day")
    _add_up(lines, rows, totals, kind)
    return lines


def _open(raw: bytes, kind: StatementKind) -> bytes:
    """Return the file of single lines out of an archive, its checksum proven."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            if len(archive.infolist()) > _MOST_FILES:
                raise MalformedError("the archive has too many files")
            for entry in archive.infolist():
                if entry.file_size > _LONGEST_TEXT:
                    raise MalformedError("a file of the archive is too long")
                with archive.open(entry) as file:
                    found = file.read(_LONGEST_TEXT)
                if _is_meant(found, kind):
                    return found
    except _UNREADABLE as error:
        raise MalformedError("the archive cannot be opened") from error
    raise MalformedError("the archive has no such file")


def _is_meant(found: bytes, kind: StatementKind) -> bool:
    """Tell by a file's first column; its name may come in any encoding."""
    try:
        text = _text(found)
    except MalformedError:
        return False
    return f"\n{_FIRST[kind]}," in f"\n{text}".replace("\r", "").replace("`", "")


def _text(found: bytes) -> str:
    encoding = "utf-8-sig" if found.startswith(b"\xef\xbb\xbf") else "gb18030"
    try:
        return found.decode(encoding)
    except UnicodeDecodeError as error:
        raise MalformedError("the file is neither GBK nor marked UTF-8") from error


def _table(
    text: str, kind: StatementKind
) -> tuple[list[dict[str, str]], dict[str, tuple[int, int]]]:
    """Return rows by column, and the file's own totals: count, fen. Raises: MalformedError."""
    names: list[str] = []
    rows: list[dict[str, str]] = []
    totals: dict[str, tuple[int, int]] = {}
    is_ended = False
    for line in text.splitlines():
        if line.startswith("#"):
            is_ended = is_ended or (_TITLES[kind] in line and "结束" in line)
            if total := _TOTAL.match(line):
                totals[total[1]] = int(total[2]), answers.signed_minor(total[3], "a total")
            continue
        cells = [cell.strip().strip("`").strip() for cell in next(csv.reader([line]), [])]
        if not any(cells):
            continue
        if is_ended:
            raise MalformedError("lines after the end of the file")
        if not names:
            names = cells
        elif len(cells) != len(names):
            raise MalformedError("a line has more or fewer cells than there are columns")
        else:
            rows.append(dict(zip(names, cells, strict=True)))
    if not is_ended or not totals or len(set(names)) != len(names):
        raise MalformedError("the file is cut off, or its columns are not told apart")
    return rows, totals


def _add_up(
    lines: tuple[StatementLine, ...],
    rows: list[dict[str, str]],
    totals: Mapping[str, tuple[int, int]],
    kind: StatementKind,
) -> None:
    """Compare the lines with the file's own totals. Raises: MalformedError."""
    if kind == "trades":
        received = {"交易": "payment", "退款": "refund"}
        found = {
            name: [
                answers.signed_minor(row["商家实收（元）"])
                for row, line in zip(rows, lines, strict=True)
                if line.kind == line_kind
            ]
            for name, line_kind in received.items()
        }
    else:
        found = {
            "收入": [line.gross_minor for line in lines if line.gross_minor > 0],
            "支出": [line.gross_minor for line in lines if line.gross_minor < 0],
        }
    for name, amounts in found.items():
        if name not in totals:
            raise MalformedError("a total is missing")
        count, total_minor = totals[name]
        if count != len(amounts) or abs(total_minor) != abs(sum(amounts)):
            raise MalformedError("the lines do not add up to the file's own totals")


# -- lines ----------------------------------------------------------------------------------------


def _trade(row: Mapping[str, str]) -> StatementLine:
    said = answers.text(row, "业务类型")
    kind = _TRADE_KINDS.get(said)
    if kind is None:
        raise MalformedError("a trade of a type that we do not know")
    gross = abs(answers.signed_minor(row.get("订单金额（元）")))
    fee = abs(answers.signed_minor(row.get("服务费（元）") or "0"))
    if kind == "refund":
        gross, fee = -gross, -fee
    number = "退款批次号/请求号" if kind == "refund" else "商户订单号"
    return StatementLine(
        kind=kind,
        gateway_ref=answers.ref(row, "支付宝交易号"),
        our_no=answers.text_or(row, number)[:64],
        gross_minor=gross,
        fee_minor=fee,
        net_minor=gross - fee,
        currency=answers.CURRENCY,
        at=answers.instant(row, "完成时间"),
        status=said,
        payment_no=answers.text_or(row, "商户订单号") if kind == "refund" else "",
    )


def _fund(row: Mapping[str, str]) -> StatementLine:
    said = answers.text(row, "业务类型")
    came = abs(answers.signed_minor(row.get("收入金额（+元）") or "0"))
    went = abs(answers.signed_minor(row.get("支出金额（-元）") or "0"))
    if came and went:
        raise MalformedError("a line of funds that comes and goes")
    gross = came - went
    return StatementLine(
        kind=next((kind for word, kind in _FUND_KINDS if word in said), "other"),
        gateway_ref=answers.ref(row, "业务流水号"),
        our_no=answers.text_or(row, "商户订单号")[:64],
        gross_minor=gross,
        fee_minor=0,
        net_minor=gross,
        currency=answers.CURRENCY,
        at=answers.instant(row, "发生时间"),
        status=said,
    )
