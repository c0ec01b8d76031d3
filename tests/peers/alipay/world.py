"""What the peer knows: apps, ways to pay, trades, refunds, royalty. Amounts in fen."""

import mmap
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path

import signing

CHINA = timezone(timedelta(hours=8))
RATE_BASIS_POINTS = 60


class RefusedError(Exception):
    """A business refusal with the gateway's code."""

    def __init__(self, sub_code, text="refused", code="40004"):
        self.code, self.sub_code, self.text = code, sub_code, text
        super().__init__(sub_code)


def written(stamp):
    """Return seconds since 1970 as the gateway writes them: Chinese time."""
    return datetime.fromtimestamp(stamp, CHINA).strftime("%Y-%m-%d %H:%M:%S")


def read(text):
    there = datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=CHINA)
    return int(there.timestamp())


def yuan(minor):
    sign = "-" if minor < 0 else ""
    return f"{sign}{abs(minor) // 100}.{abs(minor) % 100:02d}"


def fen(text):
    """Return yuan as fen. Raises: RefusedError."""
    whole, _, rest = str(text).partition(".")
    if not (whole.isdigit() and len(rest) <= 2 and (rest == "" or rest.isdigit())):
        raise RefusedError("ACQ.INVALID_PARAMETER", "amount")
    return int(whole) * 100 + int((rest + "00")[:2])


def fee_of(minor):
    return (minor * RATE_BASIS_POINTS + 5_000) // 10_000


@dataclass
class Trade:
    """A payment that somebody has signed in for, and all that became of it."""

    out_trade_no: str
    trade_no: str
    total: int
    created: int
    expires: int
    notify_url: str = ""
    status: str = "WAIT_BUYER_PAY"
    paid_at: int = 0
    is_frozen: bool = False
    refunds: dict = field(default_factory=dict)
    # number -> (settle_no, [detail]); reversals stand under their own numbers
    splits: dict = field(default_factory=dict)

    @property
    def refunded(self):
        return sum(back["amount"] for back in self.refunds.values() if back["state"] != "fail")

    @property
    def given(self):
        """What was split off and did not come back."""
        return sum(
            detail["amount"] * (1 if detail["operation_type"] == "transfer" else -1)
            for _, details in self.splits.values()
            for detail in details
            if detail["state"] == "SUCCESS"
        )


class App:
    """An app with its account, keys and rights."""

    def __init__(self, name, seller, key, gateway_key):
        self.name, self.seller = name, seller
        self.keys = [key]
        self.gateway_keys = [gateway_key]
        self.links = {}
        self.trades = {}
        self.by_ref = {}
        self.receivers = set()
        self.denied = set()
        self.tokens = {}
        self.is_open = True
        self.is_short = False
        self.refunds_wait = False
        self.max_ratio = 30
        # How long after the payment a split is not made yet.
        self.split_after = 0
        self.short_receivers = set()
        self.disputes = []

    @property
    def signing_key(self):
        return self.gateway_keys[-1]


class World:
    """Everything, behind the server's lock."""

    def __init__(self, now):
        self._now = now
        # Another process may write its clock where we read it: 8 bytes, the low ones first.
        self._shared = None
        self.url = ""
        self.apps = {}
        self._numbers = 0
        # Making a key takes long; the apps of all tests share a few.
        self.spare = [signing.new_key() for _ in range(3)]
        self.gateway_keys = [signing.new_key() for _ in range(2)]
        self.stranger = signing.new_key()
        self.public_by_key = {}

    def now(self):
        if self._shared is not None:
            return int.from_bytes(self._shared[:8], "little")
        return self._now

    def set_clock(self, now):
        self._now, self._shared = now, None

    def share_clock(self, path):
        with Path(path).open("rb") as file:
            self._shared = mmap.mmap(file.fileno(), 8, access=mmap.ACCESS_READ)

    def number(self):
        self._numbers += 1
        return self._numbers

    def open_app(self):
        place = self.number()
        app = App(f"2021{place:012d}", f"2088{place:012d}", self.spare[0], self.gateway_keys[0])
        self.apps[app.name] = app
        return app

    # -- trades -------------------------------------------------------------------------------

    def find(self, app, asked):
        """Return a trade by either number. Raises: RefusedError."""
        found = app.by_ref.get(asked.get("trade_no") or "") or app.trades.get(
            asked.get("out_trade_no") or ""
        )
        if found is None:
            raise RefusedError("ACQ.TRADE_NOT_EXIST", "交易不存在")
        self.age(found)
        return found

    def age(self, trade):
        """Close what was not paid in time."""
        if trade.status == "WAIT_BUYER_PAY" and self.now() >= trade.expires:
            trade.status = "TRADE_CLOSED"

    def begin(self, app, content, notify_url):
        """Note a way to pay; there is no trade yet. Raises: RefusedError."""
        number = content.get("out_trade_no", "")
        total = fen(content.get("total_amount", ""))
        if not number or len(number) > 64 or not content.get("subject"):
            raise RefusedError("ACQ.INVALID_PARAMETER", "missing")
        if not 1 <= total <= 10**10:
            raise RefusedError("ACQ.TOTAL_FEE_EXCEED", "amount")
        if content.get("seller_id", app.seller) != app.seller:
            raise RefusedError("ACQ.SELLER_NOT_EXIST", "seller")
        expires = read(content["time_expire"]) if "time_expire" in content else self.now() + 900
        if expires <= self.now():
            raise RefusedError("ACQ.INVALID_PARAMETER", "time_expire")
        earlier = app.links.get(number)
        if earlier and earlier["total"] != total:
            raise RefusedError("ACQ.CONTEXT_INCONSISTENT", "another amount")
        if number in app.trades:
            self.age(app.trades[number])
            status = app.trades[number].status
            if status != "WAIT_BUYER_PAY":
                is_closed = status == "TRADE_CLOSED"
                raise RefusedError(
                    "ACQ.TRADE_HAS_CLOSE" if is_closed else "ACQ.TRADE_HAS_SUCCESS", status
                )
        more = content.get("extend_params") or {}
        return app.links.setdefault(
            number,
            {
                "number": number,
                "total": total,
                "expires": expires,
                "notify_url": notify_url,
                "is_frozen": more.get("royalty_freeze") == "true",
                "return_url": "",
            },
        )

    def decide(self, app, number, how):
        """Let a guest sign in (``scan``), pay, or pay late. Raises: RefusedError."""
        link = app.links.get(number)
        if link is None:
            raise RefusedError("not_begun", "nobody followed the way to pay")
        if how != "late" and self.now() >= link["expires"]:
            raise RefusedError("expired", "the way to pay is over")
        trade = app.trades.get(number)
        if trade is None:
            ref = f"2026112222001{self.number():015d}"
            trade = Trade(
                number,
                ref,
                link["total"],
                self.now(),
                link["expires"],
                link["notify_url"],
                is_frozen=link["is_frozen"],
            )
            app.trades[number] = app.by_ref[ref] = trade
        if how in {"pay", "late"}:
            if trade.status != "WAIT_BUYER_PAY" and how == "pay":
                raise RefusedError("paid_or_closed", trade.status)
            trade.status, trade.paid_at = "TRADE_SUCCESS", self.now()
        return trade

    def close(self, trade):
        if trade.status != "WAIT_BUYER_PAY":
            raise RefusedError("ACQ.TRADE_STATUS_ERROR", "交易状态不合法")
        trade.status = "TRADE_CLOSED"

    # -- money back -------------------------------------------------------------------------------

    def refund(self, app, trade, amount, number):
        """Return the refund and whether money moved now. Raises: RefusedError."""
        if trade.status == "TRADE_FINISHED":
            raise RefusedError("ACQ.TRADE_HAS_FINISHED", "交易已完结")
        earlier = trade.refunds.get(number)
        if earlier:
            if earlier["amount"] != amount:
                raise RefusedError("ACQ.DISCORDANT_REPEAT_REQUEST", "不一致的请求")
            return earlier, False
        if not trade.paid_at:
            raise RefusedError("ACQ.TRADE_STATUS_ERROR", "未付款")
        if amount < 1 or trade.refunded + amount > trade.total:
            raise RefusedError("ACQ.REASON_TRADE_REFUND_FEE_ERR", "退款金额无效")
        if app.is_short:
            raise RefusedError("ACQ.SELLER_BALANCE_NOT_ENOUGH", "卖家余额不足")
        state = "processing" if app.refunds_wait else "success"
        made = {"number": number, "amount": amount, "state": state, "at": self.now()}
        trade.refunds[number] = made
        self._whole(trade)
        return made, state == "success"

    def _whole(self, trade):
        if trade.refunded == trade.total:
            trade.status = "TRADE_CLOSED"

    # -- royalty ----------------------------------------------------------------------------------

    def settle(self, app, trade, number, wanted, *, is_last):
        """Split off all of it or nothing; once for a number. Raises: RefusedError."""
        if number in trade.splits:
            return trade.splits[number][0]
        if trade.status not in {"TRADE_SUCCESS", "TRADE_FINISHED"}:
            raise RefusedError("ACQ.TRADE_STATUS_ERROR", "未付款")
        if self.now() < trade.paid_at + app.split_after:
            raise RefusedError("ACQ.TRADE_SETTLE_ERROR", "分账处理失败")
        details = [
            {
                "operation_type": "transfer",
                "trans_in": each["trans_in"],
                "trans_in_type": "userId",
                "amount": fen(each["amount"]),
                "state": "SUCCESS",
                "detail_id": f"D{self.number():012d}",
                "at": self.now(),
            }
            for each in wanted
        ]
        if any(each["trans_in"] not in app.receivers for each in details):
            raise RefusedError("ACQ.USER_ROYALTY_RELATION_NOT_EXIST", "分账关系不存在")
        total = trade.given + sum(each["amount"] for each in details)
        if total * 100 > trade.total * app.max_ratio:
            raise RefusedError("ACQ.ALLOC_AMOUNT_VALIDATE_ERROR", "分账金额超限")
        if is_last:
            trade.is_frozen = False
        settle_no = f"2026112200250{self.number():012d}"
        trade.splits[number] = settle_no, details
        return settle_no

    def take_back(self, app, trade, number, wanted):
        """Let legs come back; once for a number. Raises: RefusedError."""
        if number in trade.splits:
            return
        details = []
        for each in wanted:
            amount, account = fen(each["amount"]), each["trans_out"]
            if amount > self._left(trade, account):
                raise RefusedError("ACQ.ROYALTY_REFUND_AMOUNT_ERROR", "退分账金额超限")
            if account in app.short_receivers:
                raise RefusedError("ACQ.REFUND_ROYALTY_BALANCE_NOT_ENOUGH", "余额不足")
            details.append(
                {
                    "operation_type": "transfer_refund",
                    "trans_out": account,
                    "trans_out_type": "userId",
                    "amount": amount,
                    "state": "SUCCESS",
                    "at": self.now(),
                }
            )
        trade.splits[number] = f"2026112200250{self.number():012d}", details

    def _left(self, trade, account):
        left = 0
        for _, details in trade.splits.values():
            for each in details:
                if each.get("trans_in") == account:
                    left += each["amount"]
                elif each.get("trans_out") == account:
                    left -= each["amount"]
        return left
