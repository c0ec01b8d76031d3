"""The files of a day: an archive of two tables in GBK, with the file's own totals."""

import io
import zipfile

from world import fee_of, written, yuan

TRADE_COLUMNS = (
    "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,"
    "对方账户,订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,"
    "商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,卡消费金额（元）,"
    "退款批次号/请求号,服务费（元）,分润（元）,备注"
)
FUND_COLUMNS = (
    "账务流水号,业务流水号,商户订单号,商品名称,发生时间,对方账号,收入金额（+元）,支出金额（-元）,"
    "账户余额（元）,交易渠道,业务类型,备注"
)


def is_ready(world, day):
    """Tell whether the file is made: in the morning after the day."""
    return written(world.now() - 9 * 3_600)[:10] > day


def rows(app, day, kind):
    """Return (at, trade, refund number, amount, what) of a day, in order."""
    found = []
    for trade in app.trades.values():
        if trade.paid_at:
            found.append((trade.paid_at, trade, "", trade.total, "交易"))
        found += [
            (back["at"], trade, back["number"], -back["amount"], "退款")
            for back in trade.refunds.values()
            if back["state"] != "fail"
        ]
        if kind != "trade":
            for number, (_, details) in trade.splits.items():
                for each in details:
                    is_back = each["operation_type"] == "transfer_refund"
                    amount = each["amount"] if is_back else -each["amount"]
                    what = "退分账" if is_back else "交易分账"
                    found.append((each["at"], trade, number, amount, what))
    return sorted((row for row in found if written(row[0])[:10] == day), key=lambda row: row[0])


def archive(world, app, day, kind):
    """Return the bytes of the file."""
    text = _trades(app, day) if kind == "trade" else _funds(app, day)
    title = "业务明细" if kind == "trade" else "账务明细"
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as made:
        summary = f"#支付宝{title}汇总查询\r\n门店编号,门店名称,交易订单总笔数\r\n合计,,1\r\n"
        made.writestr(f"{app.seller}_{day}_{title}(汇总).csv", summary.encode("gbk"))
        made.writestr(f"{app.seller}_{day}_{title}.csv", text.encode("gbk"))
    return kept.getvalue()


def _head(app, day, title):
    return [
        f"#支付宝{title}查询",
        f"#账号：[{app.seller}0156]",
        f"#起始日期：[{day} 00:00:00]   终止日期：[{day} 23:59:59]",
        f"#-----------------------------------------{title}列表----------------------------------",
    ]


def _trades(app, day):
    found = rows(app, day, "trade")
    lines = [*_head(app, day, "业务明细"), TRADE_COLUMNS]
    for at, trade, number, amount, what in found:
        fee = -fee_of(amount) if amount > 0 else fee_of(-amount)
        cells = [
            f"{trade.trade_no}\t",
            f"{trade.out_trade_no}\t",
            what,
            "碳减排 kg",
            written(trade.created),
            written(at),
            *[""] * 4,
            "*客(gue***@peer.example)",
            yuan(amount),
            yuan(amount),
            *["0.00"] * 5,
            "",
            "0.00",
            "0.00",
            number,
            yuan(fee),
            "0.00",
            "",
        ]
        lines.append(",".join(cells))
    paid = [row[3] for row in found if row[3] > 0]
    back = [row[3] for row in found if row[3] < 0]
    lines += [
        "#-----------------------------------------业务明细列表结束-------------------------------",
        f"#交易合计：{len(paid)}笔，商家实收共{yuan(sum(paid))}元，商家优惠共0.00元",
        f"#退款合计：{len(back)}笔，商家实收退款共{yuan(sum(back))}元，商家优惠退款共0.00元",
        f"#导出时间：[{day} 09:00:00]",
    ]
    return "\r\n".join(lines) + "\r\n"


def _funds(app, day):
    moves = []
    for at, trade, number, amount, what in rows(app, day, "signcustomer"):
        name = {"交易": "在线支付", "退款": "交易退款"}.get(what, what)
        moves.append((at, trade, number or trade.out_trade_no, amount, name))
        if what == "交易" and fee_of(amount):
            moves.append((at, trade, trade.out_trade_no, -fee_of(amount), "收费"))
    lines = [*_head(app, day, "账务明细"), FUND_COLUMNS]
    balance = 0
    for place, (at, trade, number, amount, name) in enumerate(moves, 1):
        balance += amount
        cells = [
            f"{place:018d}\t",
            f"{trade.trade_no}\t",
            f"{number}\t",
            "碳减排 kg",
            written(at),
            "gue***@peer.example",
            yuan(amount) if amount > 0 else "",
            yuan(amount) if amount < 0 else "",
            yuan(balance),
            "支付宝",
            name,
            "",
        ]
        lines.append(",".join(cells))
    came = [move[3] for move in moves if move[3] > 0]
    went = [move[3] for move in moves if move[3] < 0]
    lines += [
        "#-----------------------------------------账务明细列表结束-------------------------------",
        f"#支出合计：{len(went)}笔，共{yuan(sum(went))}元",
        f"#收入合计：{len(came)}笔，共{yuan(sum(came))}元",
        f"#导出时间：[{day} 09:00:00]",
    ]
    return "\r\n".join(lines) + "\r\n"
