"""What the peer knows: merchants, payments and refunds, and everything that it refuses.

Amounts are fen. Instants are seconds since 1970 of the peer's own clock.
"""

import ipaddress
import mmap
import re
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

BEIJING = timezone(timedelta(hours=8))
DAY = 86_400
REFUND_WINDOW = 365 * DAY
REFUND_GAP = 60
MOST_REFUNDS = 50
# An accepted refund or split is carried out this many seconds later.
WORK_SECONDS = 3
PREPAY_SECONDS = 7_200
FEE_PER_MILLE = 6

_NUMBER = re.compile(r"[0-9A-Za-z_\-|*]{6,32}")
_REFUND_NUMBER = re.compile(r"[0-9A-Za-z_\-|*@]{1,64}")
_NOTIFY = re.compile(r"https://[^/?#\s]+(/[^?#\s]*)?")
_NOTIFY_HERE = re.compile(r"http://(127\.0\.0\.1|localhost)(:\d+)?(/[^?#\s]*)?")


class RefusedError(Exception):
    def __init__(self, status, code, message=""):
        super().__init__(code)
        self.status, self.code, self.message = status, code, message or code


@dataclass
class Merchant:
    mchid: str
    keys: dict
    apps: list
    api_key: str
    products: list = field(default_factory=lambda: ["jsapi", "h5", "native", "profitsharing"])
    # sub-merchant -> the largest share, in parts of 10 000, that it may give away
    subs: dict = field(default_factory=dict)
    # None: as much as is asked for
    balance: int | None = None
    receivers: set = field(default_factory=set)


@dataclass
class Trade:
    no: str
    mchid: str
    sub: str
    app: str
    kind: str
    facts: dict
    total: int
    expires: int
    created: int
    notify_url: str
    sharing: bool
    payer: str
    state: str = "NOTPAY"
    transaction_id: str = ""
    paid: int = 0
    coupon: int = 0
    fee: int = 0
    refunds: list = field(default_factory=list)
    splits: list = field(default_factory=list)
    released: bool = False

    @property
    def collector(self):
        return self.sub or self.mchid


@dataclass
class Refund:
    no: str
    id: str
    trade: Trade
    amount: int
    created: int
    reason: str
    decided: str = ""

    def status(self, now):
        if self.decided:
            return self.decided
        return "SUCCESS" if now >= self.created + WORK_SECONDS else "PROCESSING"


class World:
    def __init__(self, *, allow_http_notices=False):
        self.lock = threading.RLock()
        self.fixed = None
        # Another process may write its clock where we read it: 8 bytes, the low ones first.
        self._shared = None
        self.allow_http_notices = allow_http_notices
        self.tells_amount = False
        self.merchants, self.trades, self.by_id, self.refunds = {}, {}, {}, {}
        self.splits, self.reversals = {}, {}
        # receiver -> what it can give back; None: all that it got
        self.receiver_balances = {}
        self.files = {}
        self.counter = 0

    # -- clock and numbers ----------------------------------------------------------------

    def now(self):
        if self._shared is not None:
            return int.from_bytes(self._shared[:8], "little")
        return int(time.time()) if self.fixed is None else self.fixed

    def share_clock(self, path):
        """Read the clock where another process writes it; None: no longer."""
        if path is None:
            self._shared = None
            return
        with Path(path).open("rb") as file:
            self._shared = mmap.mmap(file.fileno(), 8, access=mmap.ACCESS_READ)

    def next_ref(self, prefix):
        self.counter += 1
        return f"{prefix}{datetime.fromtimestamp(self.now(), BEIJING):%Y%m%d}{self.counter:010d}"

    # -- payments -------------------------------------------------------------------------

    def create(self, merchant, kind, facts, *, is_partner):
        app, sub = self._who(merchant, facts, is_partner=is_partner)
        if kind not in merchant.products:
            raise RefusedError(403, "NO_AUTH", "this product is not opened")
        no = _needed(facts, "out_trade_no", str)
        if not _NUMBER.fullmatch(no):
            raise RefusedError(400, "PARAM_ERROR", "out_trade_no")
        total = self._total(facts)
        self._form(facts, kind, is_partner=is_partner)
        earlier = self.trades.get((merchant.mchid, no))
        if earlier is not None:
            return self._again(earlier, kind, facts, total)
        expires = self._expiry(facts)
        settle = facts.get("settle_info") or {}
        trade = Trade(
            no=no,
            mchid=merchant.mchid,
            sub=sub,
            app=app,
            kind=kind,
            facts=facts,
            total=total,
            expires=expires,
            created=self.now(),
            notify_url=facts["notify_url"],
            sharing=settle.get("profit_sharing") is True,
            payer="".join((facts.get("payer") or {}).values()),
        )
        self.trades[merchant.mchid, no] = trade
        return trade

    def _who(self, merchant, facts, *, is_partner):
        app = _needed(facts, "sp_appid" if is_partner else "appid", str)
        if _needed(facts, "sp_mchid" if is_partner else "mchid", str) != merchant.mchid:
            raise RefusedError(400, "MCH_NOT_EXISTS", "the number is not the one that signed")
        sub = _needed(facts, "sub_mchid", str) if is_partner else ""
        if app not in merchant.apps:
            raise RefusedError(400, "APPID_MCHID_NOT_MATCH", "app id and merchant do not match")
        self.check_sub(merchant, sub)
        return app, sub

    @staticmethod
    def check_sub(merchant, sub):
        if sub and sub not in merchant.subs:
            raise RefusedError(403, "NO_AUTH", "not a sub-merchant of this merchant")

    @staticmethod
    def _total(facts):
        money = _needed(facts, "amount", dict)
        total = _needed(money, "total", int)
        if total < 1:
            raise RefusedError(400, "PARAM_ERROR", "amount.total is below 1 fen")
        if money.get("currency", "CNY") != "CNY":
            raise RefusedError(400, "PARAM_ERROR", "amount.currency")
        return total

    def _form(self, facts, kind, *, is_partner):
        description = _needed(facts, "description", str)
        url = _needed(facts, "notify_url", str)
        is_https = _NOTIFY.fullmatch(url) or (
            self.allow_http_notices and _NOTIFY_HERE.fullmatch(url)
        )
        if not 0 < len(description) <= 127 or not is_https:
            raise RefusedError(400, "PARAM_ERROR", "description or notify_url")
        if kind == "jsapi":
            payer = _needed(facts, "payer", dict)
            names = ("sp_openid", "sub_openid") if is_partner else ("openid",)
            if not any(isinstance(payer.get(name), str) and payer[name] for name in names):
                raise RefusedError(400, "PARAM_ERROR", "payer")
        if kind == "h5":
            scene = _needed(facts, "scene_info", dict)
            _needed(_needed(scene, "h5_info", dict), "type", str)
            try:
                ipaddress.ip_address(_needed(scene, "payer_client_ip", str))
            except ValueError as error:
                raise RefusedError(400, "PARAM_ERROR", "payer_client_ip") from error

    def _expiry(self, facts):
        if "time_expire" not in facts:
            return self.now() + 7 * DAY
        try:
            at = datetime.fromisoformat(facts["time_expire"])
        except (TypeError, ValueError) as error:
            raise RefusedError(400, "PARAM_ERROR", "time_expire") from error
        if at.tzinfo is None or at.timestamp() < self.now() + 60:
            raise RefusedError(400, "INVALID_REQUEST", "time_expire is less than a minute ahead")
        return int(at.timestamp())

    def _again(self, trade, kind, facts, total):
        if trade.state == "CLOSED":
            raise RefusedError(400, "ORDER_CLOSED")
        if trade.state != "NOTPAY":
            raise RefusedError(400, "ORDERPAID")
        same = ("description", "notify_url", "time_expire")
        is_same = all(trade.facts.get(name) == facts.get(name) for name in same)
        if not is_same or (trade.total, trade.kind) != (total, kind):
            raise RefusedError(400, "INVALID_REQUEST", "other facts than at the first time")
        return trade

    def trade_of(self, merchant, no, sub=""):
        trade = self.trades.get((merchant.mchid, no))
        if trade is None or trade.sub != sub:
            raise RefusedError(404, "ORDER_NOT_EXIST")
        return trade

    def trade_by_id(self, merchant, transaction_id, sub=""):
        trade = self.by_id.get(transaction_id)
        if trade is None or (trade.mchid, trade.sub) != (merchant.mchid, sub):
            raise RefusedError(404, "ORDER_NOT_EXIST")
        return trade

    def close(self, merchant, no, sub):
        trade = self.trade_of(merchant, no, sub)
        if trade.state in {"SUCCESS", "REFUND"}:
            raise RefusedError(400, "ORDERPAID")
        if trade.state == "CLOSED":
            raise RefusedError(400, "ORDER_CLOSED")
        trade.state = "CLOSED"

    def pay(self, trade, *, coupon=0, even_if_closed=False):
        """A guest pays. Past the deadline and once closed it does not go, unless it must."""
        if trade.state in {"SUCCESS", "REFUND"}:
            raise RefusedError(409, "ORDERPAID")
        is_over = trade.state == "CLOSED" or self.now() >= trade.expires
        if is_over and not even_if_closed:
            raise RefusedError(409, "ORDER_CLOSED")
        trade.state, trade.paid, trade.coupon = "SUCCESS", self.now(), coupon
        trade.transaction_id = self.next_ref("42000")
        trade.fee = (trade.total * FEE_PER_MILLE + 500) // 1000
        self.by_id[trade.transaction_id] = trade

    # -- refunds --------------------------------------------------------------------------

    def refund(self, merchant, facts):
        sub = facts.get("sub_mchid", "")
        if "transaction_id" in facts:
            trade = self._payment(self.trade_by_id, merchant, facts["transaction_id"], sub)
        else:
            trade = self._payment(self.trade_of, merchant, _needed(facts, "out_trade_no", str), sub)
        no = _needed(facts, "out_refund_no", str)
        money = _needed(facts, "amount", dict)
        amount, total = _needed(money, "refund", int), _needed(money, "total", int)
        if not _REFUND_NUMBER.fullmatch(no) or money.get("currency") != "CNY" or amount < 1:
            raise RefusedError(400, "PARAM_ERROR")
        earlier = self.refunds.get((merchant.mchid, no))
        if earlier is not None:
            if (earlier.trade, earlier.amount) != (trade, amount):
                raise RefusedError(400, "INVALID_REQUEST", "other facts than at the first time")
            return earlier
        self._refundable(merchant, trade, amount, total)
        refund = Refund(
            no, self.next_ref("50000"), trade, amount, self.now(), facts.get("reason", "")
        )
        if merchant.balance is not None:
            merchant.balance -= amount
        trade.refunds.append(refund)
        trade.state = "REFUND"
        self.refunds[merchant.mchid, no] = refund
        return refund

    @staticmethod
    def _payment(find, merchant, number, sub):
        try:
            return find(merchant, number, sub)
        except RefusedError as error:
            raise RefusedError(404, "RESOURCE_NOT_EXISTS") from error

    def _refundable(self, merchant, trade, amount, total):
        now = self.now()
        living = [each for each in trade.refunds if each.status(now) != "CLOSED"]
        if trade.state not in {"SUCCESS", "REFUND"} or now > trade.paid + REFUND_WINDOW:
            raise RefusedError(400, "INVALID_REQUEST", "not paid, or paid too long ago")
        if total != trade.total or amount + sum(each.amount for each in living) > trade.total:
            raise RefusedError(400, "INVALID_REQUEST", "more than was paid, or another total")
        if len(living) >= MOST_REFUNDS:
            raise RefusedError(403, "REQUEST_BLOCKED", "fifty refunds of one payment")
        if living and now < living[-1].created + REFUND_GAP:
            raise RefusedError(429, "FREQUENCY_LIMITED")
        if trade.sharing and not trade.released:
            shared = sum(split.shared() for split in trade.splits)
            if amount > trade.total - shared - sum(each.amount for each in living):
                raise RefusedError(403, "RULE_LIMIT", "the rest is not released yet")
        if merchant.balance is not None and merchant.balance < amount:
            raise RefusedError(403, "NOT_ENOUGH")

    def refund_of(self, merchant, no, sub):
        refund = self.refunds.get((merchant.mchid, no))
        if refund is None or refund.trade.sub != sub:
            raise RefusedError(404, "RESOURCE_NOT_EXISTS")
        return refund


def _needed(facts, name, kind):
    value = facts.get(name) if isinstance(facts, dict) else None
    if type(value) is not kind or value == "":
        raise RefusedError(400, "PARAM_ERROR", f"{name} is missing or of another type")
    return value


needed = _needed


def rfc3339(seconds):
    return datetime.fromtimestamp(seconds, UTC).astimezone(BEIJING).isoformat()
