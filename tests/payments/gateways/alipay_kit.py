"""What the tests of the Alipay gateway share: an app at the peer, and requests."""

import urllib.error
import urllib.request
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest

from diandian.kernel.money import Money
from diandian.payments import lines, rules
from diandian.payments.gateways.alipay.gateway import GATEWAY
from diandian.payments.lines import Ask
from diandian.payments.messages import (
    Done,
    MerchantContext,
    NoticeRefused,
    PaymentRequest,
    RefundRequest,
    VerifiedNotice,
)
from diandian.payments.splits import ReversalRequest, SplitLeg, SplitRequest
from tests.peers.alipay.fixture import Levers, running

_NUMBERS = count(1)
LIFE = timedelta(minutes=10)
RECEIVER = "2088000000000777"


def number(letters="DD"):
    """Return a number that no test used before."""
    return f"{letters}261122{next(_NUMBERS):016d}"


@dataclass
class Shop:
    """One app of ours at the peer, with its keys in files."""

    levers: Levers
    folder: Path
    facts: dict = field(default_factory=dict)
    context: MerchantContext | None = None

    def open(self, **asked):
        self.facts = self.levers("app", **asked)
        self.folder.mkdir(parents=True, exist_ok=True)
        kept = {
            "ours": self.facts["private_keys"][0],
            "ours_2": self.facts["private_keys"][1],
            "theirs": self.facts["public_keys"][0],
            "theirs_2": self.facts["public_keys"][1],
            "own": self.facts["own_public_key"],
        }
        for name, value in kept.items():
            (self.folder / name).write_text(value, encoding="utf-8")
        self.context = MerchantContext(
            gateway="alipay",
            mode="test",
            merchant=self.facts["app_id"],
            options={
                "app_private_key": self.key("ours"),
                "alipay_public_key": self.key("theirs"),
                "seller_id": self.facts["seller"],
                "base_url": self.levers.url,
                "read_seconds": "10",
            },
        )
        return self

    def key(self, name):
        return f"file:{self.folder / name}"

    def with_options(self, **options):
        self.context = replace(self.context, options=dict(self.context.options) | options)
        return self

    @property
    def now(self):
        return self.levers.now()

    def lever(self, command, **asked):
        return self.levers(command, app_id=self.facts["app_id"], **asked)

    def fault(self, kind, path="alipay.", **asked):
        # Only what is meant to be waited for in vain: a busy machine answers late as well.
        if kind in {"slow", "drip"} or kind.startswith("timeout"):
            self.with_options(read_seconds="1")
        return self.lever("fault", kind=kind, path=path, **asked)

    # -- the gateway --------------------------------------------------------------------------

    def request(self, payment_no=None, minor=804, flow="precreate", **changes):
        return PaymentRequest(
            **{
                "payment_no": payment_no or number(),
                "amount": Money(minor, changes.pop("currency", "CNY")),
                "subject": "Diandian / 点点 124 kg = 1 & more",
                "expires_at": self.now + LIFE,
                "return_url": "https://shop.example/o/token",
                "notify_url": "https://shop.example/api/v1/notifications/alipay/own",
                "flow": flow,
            }
            | changes
        )

    def create(self, payment_no=None, minor=804, flow="precreate", **changes):
        asked = self.request(payment_no, minor, flow, **changes)
        return GATEWAY.create_payment(self.context, asked, at=self.now)

    def visit(self, url):
        """Follow a way to pay, as a guest's browser does; return status and text."""
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310 - the peer's
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def paid(self, minor=804, **changes):
        """Return the number of a payment that was made."""
        payment_no = number()
        assert isinstance(self.create(payment_no, minor, **changes), Done)
        self.lever("pay", number=payment_no)
        return payment_no

    def query(self, payment_no):
        return GATEWAY.query_payment(self.context, payment_no, at=self.now)

    def query_on_line(self, payment_no, **later):
        """Ask as the house does, over a line that may rest."""
        ask = Ask("query", payment_no, self.now + timedelta(**later))
        line = lines.line(GATEWAY.key, self.context.account, places=1)
        return line.call(ask, lambda: self.query(payment_no))

    def close(self, payment_no):
        return GATEWAY.close_payment(self.context, payment_no, at=self.now)

    def differs(self, payment_no, minor=804, currency="CNY"):
        """Name what an answer differs in, as the product compares it."""
        outcome = self.query(payment_no)
        if not isinstance(outcome, Done):
            return outcome
        return rules.mismatches(
            outcome.value,
            payment_no=payment_no,
            merchant=self.context.account,
            mode="test",
            amount=Money(minor, currency),
        )

    def refund(self, payment_no, refund_no=None, minor=804):
        request = RefundRequest(
            refund_no=refund_no or f"R{payment_no}",
            payment_no=payment_no,
            amount=Money(minor, "CNY"),
            total=Money(804, "CNY"),
            reason="decided",
        )
        return GATEWAY.refund(self.context, request, at=self.now)

    def query_refund(self, refund_no):
        return GATEWAY.query_refund(self.context, refund_no, at=self.now)

    def split_request(self, payment_no, minor=80, receiver=RECEIVER, split_no=None):
        legs = (SplitLeg(f"L{payment_no}-1", receiver, Money(minor, "CNY"), "fee"),)
        return SplitRequest(split_no or f"S{payment_no}", payment_no, "", legs)

    def split(self, request):
        return GATEWAY.split(self.context, request, at=self.now)

    def query_split(self, request):
        return GATEWAY.query_split(self.context, request, at=self.now)

    def reversal_request(self, payment_no, minor=80, reversal_no=None, receiver=RECEIVER):
        return ReversalRequest(
            reversal_no=reversal_no or f"V{payment_no}",
            split_no=f"S{payment_no}",
            payment_no=payment_no,
            gateway_ref="",
            leg_no=f"L{payment_no}-1",
            leg_ref="",
            receiver=receiver,
            amount=Money(minor, "CNY"),
        )

    def reverse(self, request):
        return GATEWAY.reverse_split(self.context, request, at=self.now)

    def query_reversal(self, request):
        return GATEWAY.query_reversal(self.context, request, at=self.now)

    def statement(self, day, kind="trades"):
        return GATEWAY.fetch_statement(self.context, day, kind, at=self.now)

    def hear(self, payment_no, *, at=None, **asked) -> VerifiedNotice | NoticeRefused:
        """Let the peer write a notice, and parse it."""
        notice = self.lever("notice", number=payment_no, **asked)
        return self.parse(notice["body"].encode(), at=at)

    def parse(self, body, *, at=None):
        return GATEWAY.parse_notification(self.context, {}, body, at=at or self.now)

    def truth(self, payment_no=None):
        found = self.levers("truth")[self.facts["app_id"]]
        if payment_no is None:
            return found
        return next(each for each in found["payments"] if each["out_trade_no"] == payment_no)


@pytest.fixture
def shop(tmp_path):
    """An app of its own for every test."""
    yield Shop(running(), tmp_path / "keys").open()
    running()("calm")
