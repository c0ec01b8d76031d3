"""Stripe: nothing that the other side sends breaks a method, and none of it is believed blindly."""

import json
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from diandian.kernel.clock import business_day
from diandian.payments.gateways.stripe.gateway import GATEWAY
from diandian.payments.messages import NOT_FOUND, Done, Finding, Pending, Rejected, Unknown
from diandian.payments.splits import LegSnapshot
from tests.payments.gateways import stripe_kit

pytestmark = [pytest.mark.pure, pytest.mark.slow]
shop = stripe_kit.shop
METHODS = (
    "create",
    "query",
    "close",
    "refund",
    "query_refund",
    "split",
    "query_split",
    "reverse",
    "query_reversal",
    "statement",
)
OUTCOMES = Done | Pending | Rejected | Unknown
EXAMPLES = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
_PLAIN = st.none() | st.booleans() | st.integers() | st.text(max_size=12) | st.just(10**40)
_JSON = st.recursive(
    _PLAIN,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["id", "object", "data", "has_more", "status", "error", "amount", "url"]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=10,
)
_BODIES = _JSON.map(json.dumps) | st.binary(max_size=60).map(lambda raw: raw.decode("latin-1"))
_STATUSES = st.sampled_from([200, 200, 200, 201, 302, 400, 402, 403, 404, 409, 424, 429, 500, 503])


def calls_of(shop, payment_no):
    """Every method that asks the gateway something."""
    leg = LegSnapshot(f"L{payment_no}-1", "succeeded", 10, "tr_1")
    reversal = shop.reversal_request(payment_no, leg, 10)
    split = shop.split_request(payment_no, 10)
    day, at, context = business_day(shop.now) - timedelta(days=2), shop.now, shop.context
    return {
        "create": lambda: shop.create(stripe_kit.number()),
        "query": lambda: shop.query(payment_no),
        "close": lambda: shop.close(payment_no),
        "refund": lambda: shop.refund(payment_no),
        "query_refund": lambda: shop.query_refund(f"R{payment_no}"),
        "split": lambda: GATEWAY.split(context, split, at=at),
        "query_split": lambda: GATEWAY.query_split(context, split, at=at),
        "reverse": lambda: GATEWAY.reverse_split(context, reversal, at=at),
        "query_reversal": lambda: GATEWAY.query_reversal(context, reversal, at=at),
        "statement": lambda: GATEWAY.fetch_statement(context, day, "funds", at=at),
    }


@pytest.mark.parametrize("method", METHODS)
@EXAMPLES
@given(body=_BODIES, status=_STATUSES)
@example(body="[" * 100_000, status=200)
@example(body='{"object":"list","data":[{}],"has_more":false}', status=200)
@example(body='{"error":[]}', status=400)
@example(body='{"error":{"code":{},"message":7,"type":null}}', status=400)
@example(body="9" * 9_000, status=200)
@example(body="", status=204)
def test_42_any_answer_ends_in_an_outcome(shop, method, body, status):
    payment_no = shop.paid()
    shop.levers("calm")
    shop.fault("raw", "/v1/", body=body, status=status, count=3)
    outcome = calls_of(shop, payment_no)[method]()
    shop.levers("calm")
    # Let the line not rest: an answer in between.
    shop.query(payment_no)
    assert isinstance(outcome, OUTCOMES)
    if method.startswith("query") and isinstance(outcome, Rejected):
        # What was asked about exists or never did; a broken answer says neither.
        assert outcome.retryable or outcome.code == NOT_FOUND


@EXAMPLES
@given(body=_BODIES, status=_STATUSES)
def test_42_the_trial_ends_in_findings(shop, body, status):
    shop.levers("calm")
    shop.fault("raw", "/v1/", body=body, status=status, count=9)
    found = GATEWAY.check(shop.context, notify_url="https://shop.example/n", at=shop.now)
    shop.levers("calm")
    assert found
    assert all(isinstance(each, Finding) for each in found)


_FACTS = st.sampled_from(
    ["id", "amount", "currency", "created", "status", "livemode", "metadata", "captured"]
)


@EXAMPLES
@given(name=_FACTS, value=_JSON)
def test_42_a_charge_with_any_fact_of_any_type_is_no_other_success(shop, name, value):
    payment_no = shop.paid()
    truth = shop.query(payment_no).value
    shop.levers("calm")
    shop.fault("altered", "/v1/charges", facts={name: value})
    outcome = shop.query(payment_no)
    shop.levers("calm")
    shop.query(payment_no)
    assert isinstance(outcome, OUTCOMES)
    if isinstance(outcome, Done) and outcome.value.state == "succeeded":
        facts = outcome.value
        same = (facts.amount_minor, facts.currency, facts.payment_no, facts.mode)
        was = (truth.amount_minor, truth.currency, truth.payment_no, truth.mode)
        # Whatever differs is there to be seen by who compares.
        assert same == was or name in {"amount", "currency", "metadata", "livemode"}
        assert type(facts.amount_minor) is int
        assert 0 <= facts.amount_minor < 10**12


def test_42_a_file_without_end_is_let_go(shop):
    payment_no = shop.paid()
    shop.with_options(read_seconds="15")
    shop.fault("raw", "/v1/charges", body=" ", times=9 * 2**20)
    assert isinstance(shop.query(payment_no), Unknown)
