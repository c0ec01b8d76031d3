"""Events that were given up, at the operator's desk: seen at once, and tried once more."""

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

from diandian.audit import actions as audit
from diandian.audit import queries
from diandian.audit.models import OutboxEvent
from diandian.audit.rules import GIVE_UP_AFTER
from diandian.kernel.clock import now

pytestmark = pytest.mark.django_db
LIST = "/admin/audit/outboxevent/"


def signed_in(*codenames):
    user = get_user_model().objects.create_user("li", "li@example.invalid", "long enough 12")
    user.is_staff = True
    user.save()
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


def given_up(key):
    at = now()
    event = OutboxEvent.objects.create(
        key=key, kind="order.completed", created_at=at, available_at=at, attempts=GIVE_UP_AFTER - 1
    )
    (claimed,) = audit.claim_events(["order.completed"], 1, 60)
    assert claimed == event
    audit.fail(claimed, "ConnectionError: no mail server")
    return event


def press(desk, *events):
    return desk.post(
        LIST, {"action": "try_again", "_selected_action": [event.id for event in events]}
    )


def state_of(event):
    return OutboxEvent.objects.values_list("state", "attempts").get(id=event.id)


def test_the_first_page_says_that_something_was_not_told(client):
    desk = signed_in("view_outboxevent")
    assert "could not be told" not in desk.get("/admin/").content.decode()
    given_up("a")
    page = desk.get("/admin/").content.decode()
    assert "What could not be told" in page
    assert "1 event was given up" in page
    assert "state__exact=dead" in page
    assert "no mail server" in desk.get(f"{LIST}?state__exact=dead").content.decode()


def test_who_may_not_look_is_told_nothing(client):
    given_up("a")
    assert "could not be told" not in signed_in().get("/admin/").content.decode()


def test_what_was_given_up_is_tried_again_and_the_trail_says_by_whom():
    desk = signed_in("view_outboxevent", "change_outboxevent")
    gone, other = given_up("a"), given_up("b")
    press(desk, gone)
    assert (state_of(gone), state_of(other)[0]) == (("pending", 0), "dead")
    assert [(each.action, each.actor_ref) for each in queries.trail("a")] == [
        ("outbox.tried_again", "operator:li")
    ]
    assert "1 event is tried again" in desk.get(LIST).content.decode()
    press(desk, gone)
    assert "Nothing was changed" in desk.get(LIST).content.decode()
    assert len(queries.trail("a")) == 1


def test_who_may_only_look_cannot_press():
    gone = given_up("a")
    press(signed_in("view_outboxevent"), gone)
    assert state_of(gone)[0] == "dead"
    assert not queries.trail("a")
