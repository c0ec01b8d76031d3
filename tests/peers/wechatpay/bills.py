"""Statements of the peer: text with commas and backticks, in yuan, packed, behind a token."""

import gzip
import hashlib
import secrets
from datetime import date, datetime, timedelta

from world import BEIJING, RefusedError

READY_HOUR = 10
DAYS_BACK = 92
LINK_SECONDS = 300

TRADE_HEAD = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,"
    "付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,"
    "退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注"
)
TRADE_TOTAL = (
    "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"
)
FUND_HEAD = (
    "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),"
    "资金变更提交申请人,备注,业务凭证号"
)
FUND_TOTAL = "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额"


def make(world, merchant, kind, query):
    """Return where a day's file lies, with its digest."""
    day = _day(query)
    now = datetime.fromtimestamp(world.now(), BEIJING)
    if day < now.date() - timedelta(days=DAYS_BACK) or day >= now.date():
        raise RefusedError(400, "INVALID_REQUEST", "bill_date")
    if day == now.date() - timedelta(days=1) and now.hour < READY_HOUR:
        raise RefusedError(400, "STATEMENT_CREATING")
    trades = [
        trade
        for trade in world.trades.values()
        if trade.mchid == merchant.mchid and trade.sub == query.get("sub_mchid", trade.sub)
    ]
    if kind == "tradebill":
        rows = _trade_rows(world, trades, day)
    else:
        # A sub-merchant's money moves in its own account; what it gives away comes to ours.
        rows = _fund_rows(world, [trade for trade in trades if not trade.sub], day)
        rows += _received(world, trades, merchant.mchid, day)
    if not rows:
        raise RefusedError(400, "NO_STATEMENT_EXIST")
    content = (_trade_file if kind == "tradebill" else _fund_file)(rows).encode()
    token = secrets.token_urlsafe(24)
    packed = gzip.compress(content) if query.get("tar_type") == "GZIP" else content
    world.files[token] = (packed, world.now() + LINK_SECONDS)
    return token, hashlib.sha1(content, usedforsecurity=False).hexdigest()


def file(world, query):
    packed, until = world.files.get(query.get("token"), (b"", 0))
    if world.now() > until:
        raise RefusedError(404, "RESOURCE_NOT_EXISTS")
    return packed


def _day(query):
    try:
        return date.fromisoformat(query.get("bill_date", ""))
    except ValueError as error:
        raise RefusedError(400, "PARAM_ERROR", "bill_date") from error


def yuan(fen, digits=2):
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100}.{abs(fen) % 100:02d}" + "0" * (digits - 2)


def _at(seconds):
    return f"{datetime.fromtimestamp(seconds, BEIJING):%Y-%m-%d %H:%M:%S}"


def _is_on(seconds, day):
    return seconds > 0 and datetime.fromtimestamp(seconds, BEIJING).date() == day


def _trade_rows(world, trades, day):
    rows = []
    for trade in trades:
        if _is_on(trade.paid, day):
            rows.append((trade, None, trade.total, trade.fee))
        rows += [
            (trade, refund, refund.amount, -(trade.fee * refund.amount // trade.total))
            for refund in trade.refunds
            if _is_on(refund.created, day)
        ]
    return [(*row, world.now()) for row in rows]


def _trade_file(rows):
    lines = [TRADE_HEAD]
    for trade, refund, amount, fee, now in rows:
        back = yuan(amount) if refund else "0.00"
        status = {"CLOSED": "FAIL", "ABNORMAL": "CHANGE"}
        fields = [
            _at(refund.created if refund else trade.paid),
            trade.app,
            trade.mchid,
            trade.sub or "0",
            "",
            trade.transaction_id,
            trade.no,
            trade.payer,
            {"h5": "MWEB"}.get(trade.kind, trade.kind.upper()),
            "REFUND" if refund else "SUCCESS",
            "OTHERS",
            "CNY",
            "0.00" if refund else yuan(amount - trade.coupon),
            "0.00" if refund else yuan(trade.coupon),
            refund.id if refund else "0",
            refund.no if refund else "0",
            back,
            "0.00",
            "ORIGINAL" if refund else "",
            status.get(refund.status(now), refund.status(now)) if refund else "",
            trade.facts["description"],
            "",
            yuan(fee, 5),
            "0.60%",
            "0.00" if refund else yuan(amount),
            back,
            "",
        ]
        lines.append("`" + ",`".join(fields))
    paid = sum(row[2] for row in rows if row[1] is None)
    back = sum(row[2] for row in rows if row[1] is not None)
    fees = sum(row[3] for row in rows)
    totals = [str(len(rows)), yuan(paid), yuan(back), "0.00", yuan(fees, 5), yuan(paid), yuan(back)]
    return "\r\n".join([*lines, TRADE_TOTAL, "`" + ",`".join(totals), ""])


def _fund_rows(world, trades, day):
    rows = []
    for trade in trades:
        if _is_on(trade.paid, day):
            rows.append((trade.paid, trade.transaction_id, "交易", trade.total, trade.no))
            rows.append((trade.paid, trade.transaction_id, "扣除交易手续费", -trade.fee, trade.no))
        rows += [
            (refund.created, refund.id, "退款", -refund.amount, refund.no)
            for refund in trade.refunds
            if _is_on(refund.created, day) and refund.status(world.now()) == "SUCCESS"
        ]
        rows += [
            (split.created, split.id, "分账", -split.shared(), split.no)
            for split in trade.splits
            if _is_on(split.created, day) and split.shared()
        ]
    return rows


def _received(world, trades, mchid, day):
    rows = [
        (split.created, split.id, "分账", leg["amount"], split.no)
        for trade in trades
        for split in trade.splits
        for leg in split.asked
        if trade.sub and leg["account"] == mchid and split.shared() and _is_on(split.created, day)
    ]
    return rows + [
        (back.created, back.id, "分账回退", -back.amount, back.no)
        for back in world.reversals.values()
        if back.receiver == mchid and back.result == "SUCCESS" and _is_on(back.created, day)
    ]


def _fund_file(rows):
    lines = [FUND_HEAD]
    for number, (at, ref, kind, amount, no) in enumerate(rows):
        fields = [
            _at(at),
            ref,
            f"F{number:08d}",
            kind,
            kind,
            "收入" if amount > 0 else "支出",
            yuan(abs(amount)),
            "1000.00",
            "system",
            "goods, sold out; 0.00",
            no,
        ]
        lines.append("`" + ",`".join(fields))
    come = [row[3] for row in rows if row[3] > 0]
    gone = [-row[3] for row in rows if row[3] <= 0]
    totals = [f"{len(rows)}.0", str(len(come)), yuan(sum(come)), str(len(gone)), yuan(sum(gone))]
    return "\r\n".join([*lines, FUND_TOTAL, "`" + ",`".join(totals), ""])
