"""A desk for tests of the adapter: one merchant, one clock, and the peer on the other side."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count

from diandian.kernel.money import Money
from diandian.payments import messages, splits
from diandian.payments.gateways.wechatpay.gateway import GATEWAY
from diandian.payments.messages import MerchantContext
from tests.peers.wechatpay.fixture import MERCHANT, Peer

NOW = datetime(2026, 11, 28, 4, 0, tzinfo=UTC)
NOTIFY_URL = "https://shop.example/api/v1/notifications/wechatpay/main"
RETURN_URL = "https://shop.example/o/token?from=pay"
OPENID = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"
_NUMBERS = count(1)


def new_no(prefix="DD"):
    return f"{prefix}261128{next(_NUMBERS):010d}"


@dataclass
class Desk:
    peer: Peer
    context: MerchantContext
    at: datetime = NOW
    gateway = GATEWAY

    def request(self, **changes):
        facts = {
            "payment_no": new_no(),
            "amount": Money(804, "CNY"),
            "subject": "Diandian 124 kg",
            "expires_at": NOW + timedelta(minutes=10),
            "return_url": RETURN_URL,
            "notify_url": NOTIFY_URL,
            "flow": "native",
        }
        return messages.PaymentRequest(**facts | changes)

    def create(self, request):
        return GATEWAY.create_payment(self.context, request, at=self.at)

    def opened(self, **changes):
        """Return the number of an open payment."""
        request = self.request(**changes)
        assert isinstance(self.create(request), messages.Done)
        return request.payment_no

    def paid(self, **changes):
        """Return the number and the gateway's reference of a paid payment."""
        number = self.opened(**changes)
        return number, self.pay(number)["transaction_id"]

    def pay(self, number, **wishes):
        return self.peer.control("pay", mchid=MERCHANT, out_trade_no=number, **wishes)

    def notice(self, number, **wishes):
        return self.peer.control("notice", mchid=MERCHANT, out_trade_no=number, **wishes)

    def hear(self, notice, **changes):
        """Let the adapter verify a notice."""
        headers = notice["headers"] | changes.get("headers", {})
        body = changes.get("body", notice["body"].encode())
        return GATEWAY.parse_notification(self.context, headers, body, at=self.at)

    def query(self, number):
        return GATEWAY.query_payment(self.context, number, at=self.at)

    def close(self, number):
        return GATEWAY.close_payment(self.context, number, at=self.at)

    def refund_request(self, number, amount_minor, *, refund_no="", total_minor=804):
        return messages.RefundRequest(
            refund_no=refund_no or new_no("RF"),
            payment_no=number,
            amount=Money(amount_minor, "CNY"),
            total=Money(total_minor, "CNY"),
            reason="withdrawn",
        )

    def refund(self, number, amount_minor, **changes):
        request = self.refund_request(number, amount_minor, **changes)
        return request.refund_no, GATEWAY.refund(self.context, request, at=self.at)

    def query_refund(self, refund_no):
        return GATEWAY.query_refund(self.context, refund_no, at=self.at)

    def later(self, **length):
        """Let time pass on both sides."""
        self.at += timedelta(**length)
        self.peer.set_clock(self.at)

    def split_request(self, number, reference, *amounts_minor, receivers=(MERCHANT,), **changes):
        legs = tuple(
            splits.SplitLeg(new_no("LG"), receiver, Money(amount, "CNY"), "platform fee")
            for receiver, amount in zip(receivers, amounts_minor, strict=True)
        )
        facts = {"split_no": new_no("SP"), "payment_no": number, "gateway_ref": reference}
        return splits.SplitRequest(**facts | {"legs": legs} | changes)

    def split(self, request):
        return GATEWAY.split(self.context, request, at=self.at)

    def query_split(self, request):
        return GATEWAY.query_split(self.context, request, at=self.at)

    def truth(self, kind):
        return self.peer.control("truth")[kind]


def sit_down(peer, folder, sub_merchant="", **changes):
    """Return a desk with both clocks at the same instant."""
    peer.set_clock(NOW)
    return Desk(peer, peer.context(folder, sub_merchant, **changes))
