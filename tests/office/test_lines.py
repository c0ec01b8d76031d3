"""Whether gateways are well, at the operator's desk: lines that rest, notices that were refused."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

from diandian.flows import payment_events
from diandian.kernel.clock import now
from diandian.payments.breaker import FAILURES_LIMIT
from diandian.payments.gateways.sandbox.gateway import SandboxGateway
from diandian.payments.inbox import actions as inbox
from diandian.payments.inbox import tally
from diandian.payments.messages import Unknown
from diandian.payments.models import Notification
from tests.flows.conftest import world  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db
PAGE = "/admin/payments/notification/lines/"


@pytest.fixture
def desk(db):
    user = get_user_model().objects.create_user("li", "li@example.invalid", "long enough 12")
    user.is_staff = True
    user.save()
    user.user_permissions.set(Permission.objects.filter(codename="view_notification"))
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


def text(answer):
    return answer.content.decode().replace("\xa0", " ").replace("\u202f", " ")


def refuse(reason, count, *, gateway="sandbox", key="demo", at=None):
    inbox.count_refused(
        gateway=gateway, merchant_key=key, reason=reason, count=count, at=at or now()
    )


def test_an_empty_page_says_that_all_is_well(desk, world):  # noqa: F811 - the fixture
    page = text(desk.get(PAGE))
    assert "None was refused" in page
    assert "Nothing. A few refused notices a day are normal" in page
    assert "rests" not in page.partition("</h2>")[2].partition("<tbody>")[2]
    assert "which rest, and whose notices were refused" in text(
        desk.get("/admin/payments/notification/")
    )


def test_who_may_not_look_at_notices_sees_no_lines(client, db):
    assert client.get(PAGE).status_code == 302


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("bad_signature", "The signature is wrong"),
        ("unknown_key", "Signed with a key that we do not know"),
        ("stale", "Too old, or from the future"),
        ("malformed", "Not readable"),
        ("not_ours", "For another account or mode"),
        ("no_such_address", "To an address that is not in use"),
    ],
)
def test_a_few_are_counted_and_many_are_an_alarm(desk, reason, words):
    refuse(reason, 1)
    page = text(desk.get(PAGE))
    assert words in page
    assert "More than chance explains" not in page
    refuse(reason, 50)
    page = text(desk.get(PAGE))
    assert "More than chance explains" in page
    assert f"{words}: 51" in page


def test_old_ones_are_not_shown_and_unknown_addresses_have_no_name(desk):
    refuse("stale", 1000, at=now() - timedelta(days=15))
    refuse("no_such_address", 60, gateway="", key="")
    page = text(desk.get(PAGE))
    assert "1,000" not in page
    assert "none of ours" in page


def test_what_somebody_sent_is_shown_nowhere(desk, world):  # noqa: F811 - the fixture
    marker = b"<script>secret-of-a-sender</script>"
    for _ in range(60):
        payment_events.receive_notice("sandbox", {"X-Signature": "forged"}, marker, at=now())
    tally.write()
    page = text(desk.get(PAGE))
    assert "More than chance explains" in page
    assert "secret-of-a-sender" not in page
    assert "forged" not in page.replace("Either forged", "")


def test_a_line_that_rests_says_so(desk, world, monkeypatch):  # noqa: F811 - the fixture
    payment = world.payment(world.order())
    monkeypatch.setattr(SandboxGateway, "query_payment", lambda *_, **__: Unknown("TimeoutError"))
    for _ in range(FAILURES_LIMIT):
        assert "rests: the gateway does not answer" not in text(desk.get(PAGE))
        payment_events.refresh(payment.payment_no, at=now())
    assert "rests: the gateway does not answer" in text(desk.get(PAGE))


def test_notices_that_were_given_up_are_counted(desk):
    Notification.objects.create(
        gateway="sandbox",
        merchant="demo",
        notice_id="n1",
        kind="payment",
        body_sha256="0" * 64,
        received_at=now(),
        state="dead",
    )
    assert "1 notice was believed and could not be applied" in text(desk.get(PAGE))
