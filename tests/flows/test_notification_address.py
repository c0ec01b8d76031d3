"""The address that gateways call: how long a body, which method, which gateway (row 42)."""

from io import BytesIO

import pytest
from django.test import RequestFactory

from diandian.api.notifications import BODY_LIMIT_BYTES, receive
from diandian.flows import payment_events
from diandian.payments.errors import (
    UnknownPaymentError,
)
from diandian.payments.gateways.sandbox.gateway import GATEWAY, SandboxGateway
from diandian.payments.messages import NOT_FOUND, Rejected
from tests.flows.books import (
    assert_completed_once,
)

pytestmark = pytest.mark.django_db


def post(body, headers=(), gateway="sandbox"):
    request = RequestFactory().post(
        f"/api/v1/notifications/{gateway}",
        data=body,
        content_type="application/json",
        headers=dict(headers),
    )
    return receive(request, gateway)


def test_the_address_takes_a_notice_as_it_comes(world):
    order = world.order()
    [notice] = world.choose(world.payment(order))
    response = post(notice.body, notice.headers)
    assert (response.status_code, response.content) == (200, b"ok")
    assert_completed_once(world, order)


def in_chunks(body, headers=()):
    """Post a body whose length nobody names, as the server hands it over."""
    request = RequestFactory().post(
        "/api/v1/notifications/sandbox",
        headers={**dict(headers), "Transfer-Encoding": "chunked"},
        **{"wsgi.input": BytesIO(body), "CONTENT_LENGTH": ""},
    )
    return receive(request, "sandbox")


def test_the_address_takes_a_notice_in_chunks(world):
    order = world.order()
    [notice] = world.choose(world.payment(order))
    response = in_chunks(notice.body, notice.headers)
    assert (response.status_code, response.content) == (200, b"ok")
    assert_completed_once(world, order)


def test_the_address_refuses_chunks_without_end(world):
    assert in_chunks(b"x" * BODY_LIMIT_BYTES).status_code == 401
    assert in_chunks(b"x" * (BODY_LIMIT_BYTES + 1)).status_code == 413


def test_the_address_refuses_what_is_too_long(world):
    assert post(b"x" * BODY_LIMIT_BYTES).status_code == 401
    assert post(b"x" * (BODY_LIMIT_BYTES + 1)).status_code == 413


def test_the_address_of_a_gateway_that_is_not_in_use(world, settings):
    assert post(b"{}", gateway="nowhere").status_code == 404
    settings.TEST_MODE = False
    assert post(b"{}").status_code == 404


def test_the_address_is_not_for_reading(world):
    assert receive(RequestFactory().get("/"), "sandbox").status_code == 405


def test_42_a_parser_that_throws_refuses_and_shows_nothing(world, crash):
    crash(SandboxGateway, "parse_notification", TypeError)
    response = post(b"{}")
    assert (response.status_code, response.content) == (400, b"malformed")


def test_an_unknown_payment_cannot_be_refreshed(world):
    with pytest.raises(UnknownPaymentError):
        payment_events.refresh("DD404", at=world.now)


def test_the_sandbox_says_not_found_for_what_it_never_heard_of(world):
    from diandian.payments.merchants import context_for

    answer = GATEWAY.query_payment(context_for("sandbox"), "DD404", at=world.now)
    assert answer == Rejected(NOT_FOUND)
