"""What the tests of the Stripe gateway share: an account at the peer, and requests."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest

from diandian.kernel.money import Money
from diandian.payments import lines
from diandian.payments.gateways.stripe.gateway import GATEWAY
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
from tests.peers.stripe.fixture import Levers, running

_NUMBERS = count(1)
LIFE = timedelta(minutes=45)


def number(letter="DD"):
    """Return a number that no test used before."""
    return f"{letter}261122{next(_NUMBERS):016d}"


@dataclass
class Shop:
    """One account of ours at the peer, with its keys in files."""

    levers: Levers
    folder: Path
    facts: dict = field(default_factory=dict)
    context: MerchantContext | None = None

    def open(self, **asked):
        self.facts = self.levers("account", **asked)
        self.folder.mkdir(parents=True, exist_ok=True)
        for name, value in (
            ("key", self.facts["keys"][0]),
            ("secret", self.facts["secrets"][0]),
        ):
            (self.folder / name).write_text(value, encoding="utf-8")
        self.context = MerchantContext(
            gateway="stripe",
            mode="live" if asked.get("is_live") else "test",
            merchant=self.facts["account"],
            options={
                "api_key": f"file:{self.folder / 'key'}",
                "webhook_secret": f"file:{self.folder / 'secret'}",
                "base_url": self.levers.url,
                "allow_base_url": "yes",
                "read_seconds": "10",
            },
        )
        return self

    def with_options(self, **options):
        self.context = replace(self.context, options=dict(self.context.options) | options)
        return self

    def elsewhere(self):
        """Return the same shop seen from another process: nothing is remembered."""
        # Another limit of time is another line to the gateway.
        twin = Shop(self.levers, self.folder, self.facts, self.context)
        return twin.with_options(connect_seconds="4")

    @property
    def now(self):
        return self.levers.now()

    def lever(self, command, **asked):
        return self.levers(command, account=self.facts["account"], **asked)

    def fault(self, kind, path="/v1/", **asked):
        # Only what is meant to be waited for in vain: a busy machine answers late as well.
        if kind in {"slow", "drip"} or kind.startswith("timeout"):
            self.with_options(read_seconds="1")
        return self.levers("fault", kind=kind, path=path, key=self.facts["keys"][0], **asked)

    # -- the gateway --------------------------------------------------------------------------

    def create(self, payment_no=None, minor=804, currency="USD", **changes):
        request = PaymentRequest(
            **{
                "payment_no": payment_no or number(),
                "amount": Money(minor, currency),
                "subject": "Diandian 124 kg",
                "expires_at": self.now + LIFE,
                "return_url": "https://shop.example/o/token",
            }
            | changes
        )
        return GATEWAY.create_payment(self.context, request, at=self.now)

    def paid(self, minor=804, currency="USD"):
        """Return the number of a payment that was made."""
        payment_no = number()
        assert isinstance(self.create(payment_no, minor, currency), Done)
        self.lever("decide", number=payment_no, how="pay")
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

    def refund(self, payment_no, refund_no=None, minor=804, currency="USD"):
        request = RefundRequest(
            refund_no=refund_no or f"R{payment_no}",
            payment_no=payment_no,
            amount=Money(minor, currency),
            total=Money(minor, currency),
            reason="decided",
        )
        return GATEWAY.refund(self.context, request, at=self.now)

    def query_refund(self, refund_no):
        return GATEWAY.query_refund(self.context, refund_no, at=self.now)

    def split_request(self, payment_no, *minors, currency="USD", receiver=None):
        legs = tuple(
            SplitLeg(
                f"L{payment_no}-{place}",
                receiver or self.facts["destination"],
                Money(minor, currency),
            )
            for place, minor in enumerate(minors, 1)
        )
        return SplitRequest(f"S{payment_no}", payment_no, "", legs)

    def reversal_request(self, payment_no, leg, minor, reversal_no=None):
        return ReversalRequest(
            reversal_no=reversal_no or f"V{payment_no}",
            split_no=f"S{payment_no}",
            payment_no=payment_no,
            gateway_ref="",
            leg_no=leg.leg_no,
            leg_ref=leg.leg_ref,
            receiver=self.facts["destination"],
            amount=Money(minor, "USD"),
        )

    def hear(self, *, at=None, **asked) -> VerifiedNotice | NoticeRefused:
        """Let the peer write a notice, and parse it."""
        notice = self.lever("notice", **asked)
        return GATEWAY.parse_notification(
            self.context, notice["headers"], notice["body"].encode(), at=at or self.now
        )

    def truth(self):
        return self.levers("truth")[self.facts["account"]]


@pytest.fixture
def shop(tmp_path):
    """An account of its own for every test."""
    yield Shop(running(), tmp_path / "keys").open(currency="usd")
    running()("calm")
