"""One desk for each gateway, all alike, for tests of what every gateway promises.

A desk has ``gateway``, ``context``, ``at``, ``request()``, ``begin(number)`` (the guest opens the
way to pay), ``pay(number)``, ``notice(number)`` and, after a refund, ``later_notice(number,
refund_no)``, ``hear(notice)``, ``refund_request(number, amount_minor)``, ``later(seconds=)`` and
``truth(kind)``.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count

from diandian.kernel.money import Money
from diandian.payments.gateways.alipay.gateway import GATEWAY as ALIPAY
from diandian.payments.gateways.sandbox import refunds
from diandian.payments.gateways.sandbox.gateway import GATEWAY as SANDBOX
from diandian.payments.gateways.sandbox.gateway import peer_of
from diandian.payments.gateways.stripe.gateway import GATEWAY as STRIPE
from diandian.payments.messages import MerchantContext, PaymentRequest, RefundRequest
from tests.payments.gateways import alipay_kit, stripe_kit
from tests.peers.wechatpay import desk as wechatpay

NOW = datetime(2026, 11, 28, 4, 0, tzinfo=UTC)
_REFUNDS = count(1)


@dataclass
class Desk:
    """What the desks at the peers of Alipay and Stripe share."""

    shop: object
    currency = "CNY"

    @property
    def context(self):
        return self.shop.context

    @property
    def at(self):
        return self.shop.now

    def later(self, seconds):
        self.shop.levers("clock", advance=seconds)

    def refund_request(self, number, amount_minor):
        return _refund_request(number, amount_minor, self.currency)


class AlipayDesk(Desk):
    gateway = ALIPAY

    def request(self, **changes):
        return self.shop.request(**changes)

    def begin(self, number):
        self.shop.lever("pay", number=number, how="scan")

    def pay(self, number):
        self.shop.lever("pay", number=number)

    def notice(self, number):
        return self.shop.lever("notice", number=number)

    def later_notice(self, number, _refund_no):
        return self.notice(number)

    def hear(self, notice):
        return self.shop.parse(notice["body"].encode())

    def truth(self, kind):
        payments = self.shop.truth()["payments"]
        if kind == "payments":
            return payments
        return [{"amount": amount} for each in payments for _, amount, _ in each["refunds"]]


class StripeDesk(Desk):
    gateway = STRIPE
    currency = "USD"

    def request(self, **changes):
        facts = {
            "payment_no": stripe_kit.number(),
            "amount": Money(804, self.currency),
            "subject": "Diandian 124 kg",
            "expires_at": self.at + stripe_kit.LIFE,
            "return_url": "https://shop.example/o/token",
        }
        return PaymentRequest(**facts | changes)

    def begin(self, number):
        """Their page is open already."""

    def pay(self, number):
        self.shop.lever("decide", number=number, how="pay")

    def notice(self, number):
        return self.shop.lever("notice", type="checkout.session.completed", number=number)

    def later_notice(self, number, _refund_no):
        return self.shop.lever("notice", type="charge.refunded", number=number)

    def hear(self, notice):
        headers, body = notice["headers"], notice["body"].encode()
        return STRIPE.parse_notification(self.context, headers, body, at=self.at)

    def truth(self, kind):
        return self.shop.truth()[{"payments": "pages"}.get(kind, kind)]


@dataclass
class SandboxDesk:
    context: MerchantContext
    at: datetime = NOW
    gateway = SANDBOX

    @property
    def peer(self):
        return peer_of(self.context)

    def request(self, **changes):
        facts = {
            "payment_no": wechatpay.new_no(),
            "amount": Money(804, "CNY"),
            "subject": "Diandian 124 kg",
            "expires_at": self.at + timedelta(minutes=10),
            "return_url": "http://testserver/o/token",
        }
        return PaymentRequest(**facts | changes)

    def begin(self, number):
        """Its page is open already."""

    def pay(self, number):
        self.peer.decide(self.peer.by_no(number).token, "paid", self.at)

    def notice(self, number):
        """Return its own notice of that payment, the same whenever it is sent."""
        trade = self.peer.by_no(number)
        return self.peer.notice(trade, "payment.succeeded", self.at, f"paid-{number}")

    def later_notice(self, number, _refund_no):
        return refunds.notice(self.peer, number, self.at)

    def hear(self, notice):
        return SANDBOX.parse_notification(self.context, notice.headers, notice.body, at=self.at)

    def refund_request(self, number, amount_minor):
        return _refund_request(number, amount_minor, "CNY")

    def later(self, seconds):
        self.at += timedelta(seconds=seconds)

    def truth(self, kind):
        table = {"payments": "trade", "refunds": "refund"}[kind]
        rows = self.peer.run(f"SELECT amount_minor FROM {table}", ())  # noqa: S608 - of two names
        return [{"amount": amount} for (amount,) in rows]


class WechatpayDesk(wechatpay.Desk):
    sent = None

    def pay(self, number):
        self.sent = super().pay(number)["notice"]

    def notice(self, number):
        """Return the notice of the payment as it was sent: a resend is the very same."""
        return self.sent

    def refund_request(self, number, amount_minor):
        return _refund_request(number, amount_minor, "CNY")

    def begin(self, number):
        """The code was shown: to the gateway that is nothing."""

    def later_notice(self, number, refund_no):
        return super().notice(number, out_refund_no=refund_no)


def _refund_request(number, amount_minor, currency):
    return RefundRequest(
        refund_no=f"R{number}-{next(_REFUNDS)}",
        payment_no=number,
        amount=Money(amount_minor, currency),
        total=Money(804, currency),
        reason="withdrawn",
    )


def alipay_desk(folder):
    return AlipayDesk(alipay_kit.Shop(alipay_kit.running(), folder).open())


def stripe_desk(folder):
    return StripeDesk(stripe_kit.Shop(stripe_kit.running(), folder).open(currency="usd"))


def sandbox_desk(folder):
    options = {"store": str(folder / "bank.sqlite3"), "keys_dir": str(folder / "keys")}
    return SandboxDesk(MerchantContext("sandbox", "test", "demo", options=options))


def wechatpay_desk(peer, folder):
    peer.set_clock(wechatpay.NOW)
    return WechatpayDesk(peer, peer.context(folder))
