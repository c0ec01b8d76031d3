"""Stripe: the peer is held to what others wrote, so that we do not only agree with ourselves."""

import json
import urllib.error
import urllib.parse
import urllib.request

import pytest
import stripe

from diandian.payments.gateways.stripe import client
from diandian.payments.gateways.stripe.gateway import GATEWAY
from tests.payments.gateways import stripe_kit

pytestmark = pytest.mark.pure
shop = stripe_kit.shop
PINNED = "2026-10-28.endive"


@pytest.fixture
def vendor(shop):
    """The vendor's own client, as anybody would use it."""
    return stripe.StripeClient(
        shop.facts["keys"][0], base_addresses={"api": shop.levers.url}, max_network_retries=0
    )


def test_the_version_is_the_one_that_the_library_knows():
    assert stripe.VERSION == "16.1.0"
    assert stripe.api_version == client.API_VERSION == PINNED


def everything(shop):
    """One object of each sort, as the peer shows it."""
    payment_no = shop.paid(1_000)
    shop.refund(payment_no, minor=100)
    (leg,) = GATEWAY.split(
        shop.context, shop.split_request(payment_no, 800), at=shop.now
    ).value.legs
    back = shop.reversal_request(payment_no, leg, 50)
    GATEWAY.reverse_split(shop.context, back, at=shop.now)
    shop.lever("dispute", number=payment_no, status="needs_response")
    shop.lever("payout", amount=10)
    key = shop.facts["keys"][0]
    transfer = leg.leg_ref

    def first(path):
        found = get(shop, key, f"/v1/{path}")
        return found["data"][0] if found["object"] == "list" else found

    intent = first("charges")["payment_intent"]
    return {
        stripe.checkout.Session: first("checkout/sessions"),
        stripe.PaymentIntent: first(f"payment_intents/{intent}"),
        stripe.Charge: first("charges"),
        stripe.Refund: first("refunds"),
        stripe.Dispute: first("disputes"),
        stripe.Transfer: first("transfers"),
        stripe.TransferReversal: first(f"transfers/{transfer}/reversals"),
        stripe.BalanceTransaction: first("balance_transactions"),
        stripe.Event: first("events"),
        stripe.Account: first("account"),
    }


def get(shop, key, path, **headers):
    request = urllib.request.Request(  # noqa: S310 - the peer's own address
        shop.levers.url + path, headers={"Authorization": f"Bearer {key}", **headers}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - the same
        return json.load(answer)


def test_objects_have_the_fields_that_the_vendors_types_name(shop):
    for kind, seen in everything(shop).items():
        fields = {
            name: str(getattr(hint, "__forward_arg__", hint))
            for name, hint in kind.__annotations__.items()
            if "ClassVar" not in str(hint) and not name.startswith("_")
        }
        unknown = set(seen) - set(fields)
        may_be_null = ("Optional", "NoneType", "None]")
        always = {
            name for name, hint in fields.items() if not any(word in hint for word in may_be_null)
        }
        assert not unknown, (kind, unknown)
        assert not always - set(seen), (kind, always - set(seen))
        assert {name for name in always if seen[name] is None} <= {"balance_transaction"}, kind


def test_the_vendors_typed_client_reads_the_peer(shop, vendor):
    payment_no = shop.paid()
    (charge,) = vendor.v1.charges.list({"transfer_group": payment_no}).data
    assert (charge.amount, charge.metadata["payment_no"]) == (804, payment_no)
    page = vendor.v1.checkout.sessions.list({"status": "complete", "limit": 1}).data[0]
    assert page.client_reference_id == payment_no
    assert vendor.v1.accounts.retrieve_current().id == shop.facts["account"]
    back = vendor.v1.refunds.create({"charge": charge.id, "amount": 4})
    assert (back.status, back.amount) == ("succeeded", 4)
    again = vendor.v1.charges.retrieve(charge.id, {"expand": ["refunds"]})
    assert [each.id for each in again.refunds.data] == [back.id]


def test_the_vendors_client_walks_through_all_pages(shop, vendor):
    numbers = [shop.paid() for _ in range(12)]
    walked = vendor.v1.charges.list({"limit": 5}).auto_paging_iter()
    assert [charge.metadata["payment_no"] for charge in walked] == numbers[::-1]


def test_the_vendors_client_builds_the_peers_notice(shop):
    payment_no = shop.paid()
    notice = shop.lever("notice", type="charge.succeeded", number=payment_no)
    signature = notice["headers"]["Stripe-Signature"]
    stripe.WebhookSignature.verify_header(
        notice["body"], signature, shop.facts["secrets"][0], tolerance=None
    )
    built = stripe.Event.construct_from(json.loads(notice["body"]), "sk_test_none")
    assert (built.type, built.data.object["amount"]) == ("charge.succeeded", 804)


# -- the peer refuses what the gateway refuses -----------------------------------------------------


def post(shop, path, facts, **headers):
    request = urllib.request.Request(  # noqa: S310 - the peer's own address
        shop.levers.url + path,
        urllib.parse.urlencode(facts).encode(),
        {"Authorization": f"Bearer {shop.facts['keys'][0]}", **headers},
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - the same
            return answer.status, json.load(answer), dict(answer.headers)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)["error"], dict(error.headers)


def a_page(shop, **changes):
    now = int(shop.now.timestamp())
    return {
        "mode": "payment",
        "line_items[0][quantity]": 1,
        "line_items[0][price_data][currency]": "usd",
        "line_items[0][price_data][unit_amount]": 804,
        "line_items[0][price_data][product_data][name]": "x",
        "success_url": "https://shop.example/",
        "cancel_url": "https://shop.example/",
        "expires_at": now + 1_800,
    } | changes


PAGES = "/v1/checkout/sessions"


def test_the_peer_replays_an_idempotency_key_for_a_day(shop):
    facts, key = a_page(shop), {"Idempotency-Key": "k1"}
    first = post(shop, PAGES, facts, **key)
    again = post(shop, PAGES, facts, **key)
    assert first[0] == again[0] == 200
    assert first[1] == again[1]
    assert again[2]["Idempotent-Replayed"] == "true"
    other = post(shop, PAGES, facts | {"expires_at": facts["expires_at"] + 1}, **key)
    assert (other[0], other[1]["type"]) == (400, "idempotency_error")
    shop.levers("clock", advance=86_400)
    later = a_page(shop)
    assert post(shop, PAGES, later, **key)[1]["id"] != first[1]["id"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"line_items[0][price_data][unit_amount]": 49}, "amount_too_small"),
        ({"line_items[0][price_data][unit_amount]": 100_000_000}, "amount_too_large"),
        ({"line_items[0][price_data][unit_amount]": "8.04"}, "parameter_invalid_integer"),
        ({"line_items[0][price_data][currency]": "USD"}, "currency_not_supported"),
        ({"payment_method": "card"}, "parameter_unknown"),
        ({"payment_intent_data[nonsense]": "1"}, "parameter_unknown"),
        ({"success_url": "shop.example"}, "url_invalid"),
        ({"expires_at": 1}, "parameter_invalid"),
        ({"client_reference_id": ""}, "parameter_invalid_empty"),
    ],
)
def test_the_peer_refuses_a_page_that_the_gateway_refuses(shop, changes, code):
    status, error, _ = post(shop, PAGES, a_page(shop, **changes))
    assert (status, error["code"]) == (400, code)


def test_the_peer_refuses_other_keys_and_other_versions(shop):
    for key, headers, status in (
        ("sk_test_none", {}, 401),
        ("", {}, 401),
        (shop.facts["keys"][0], {"Stripe-Version": "2020-01-01"}, 400),
    ):
        with pytest.raises(urllib.error.HTTPError) as error:
            get(shop, key, "/v1/account", **headers)
        assert error.value.code == status
        error.value.close()


def test_the_peer_delivers_again_until_it_is_taken(shop):
    payment_no = shop.paid()
    sent = shop.lever(
        "deliver", url=f"{shop.levers.url}/nowhere", tries=3, number=payment_no,
        type="charge.succeeded",
    )  # fmt: skip
    assert sent["statuses"] == [401, 401, 401]


def test_a_guest_can_pay_on_the_peers_page(shop):
    payment_no = stripe_kit.number()
    url = shop.create(payment_no).value.url
    with urllib.request.urlopen(url, timeout=10) as page:  # noqa: S310 - the peer's own address
        assert b"804 usd" in page.read()
    request = urllib.request.Request(url, b"how=pay", method="POST")  # noqa: S310 - the same
    opener = urllib.request.build_opener(_Stay)
    with pytest.raises(urllib.error.HTTPError) as answer:
        opener.open(request, timeout=10)
    assert (answer.value.code, answer.value.headers["Location"]) == (
        303,
        "https://shop.example/o/token",
    )
    answer.value.close()
    assert shop.query(payment_no).value.state == "succeeded"


class _Stay(urllib.request.HTTPRedirectHandler):
    """Shows where a redirect leads, and does not go there."""

    def redirect_request(self, *args):
        return None
