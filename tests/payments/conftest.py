"""A sandbox of its own for every test."""

from datetime import UTC, datetime, timedelta

import pytest

from diandian.kernel.money import Money
from diandian.payments.gateways.sandbox.gateway import GATEWAY, peer_of
from diandian.payments.messages import MerchantContext, PaymentRequest

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


@pytest.fixture
def context(tmp_path):
    return MerchantContext(
        gateway="sandbox",
        mode="test",
        merchant="demo",
        options={"store": str(tmp_path / "bank.sqlite3"), "keys_dir": str(tmp_path / "keys")},
    )


@pytest.fixture
def make_request():
    def make(payment_no="DD261122ABCDEFGH", amount_minor=804, **changes):
        facts = {
            "payment_no": payment_no,
            "amount": Money(amount_minor, "CNY"),
            "subject": "Diandian 124 kg",
            "expires_at": NOW + timedelta(minutes=10),
            "return_url": "http://testserver/o/token",
        }
        return PaymentRequest(**facts | changes)

    return make


@pytest.fixture
def now():
    return NOW


@pytest.fixture
def peer(context):
    peer = peer_of(context)
    yield peer
    peer.hang_up()


@pytest.fixture
def opened(context, make_request, now):
    """The number and the token of an open trade."""
    request = make_request()
    outcome = GATEWAY.create_payment(context, request, at=now)
    return request.payment_no, outcome.value.url.rpartition("/")[2]
