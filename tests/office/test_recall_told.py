"""Who was told of a recall, at the operator's desk."""

import pytest

from diandian.audit import actions as audit
from diandian.audit.models import OutboxEvent
from diandian.flows import recall_told
from tests.flows import recalls as shared
from tests.flows.conftest import clock, world  # noqa: F401 - fixtures
from tests.office.test_recalls import batch, decide, li, page_of  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db


def test_the_page_says_who_was_told_and_who_waits_and_why(li, batch, settings):  # noqa: F811
    settings.EMAIL_URL = ""
    found = shared.recalled(batch)
    assert "Told: 0" in page_of(li, found)
    for number in range(3):
        audit.publish(
            kind=recall_told.MAIL,
            key=f"{recall_told.keys_of(found)}mail:{number}",
            payload={"person": number, "recall": found.public_id, "language": "en"},
        )
    assert "Wait for the worker or the mail server; tried again: 3" in page_of(li, found)
    first, second, third = audit.claim_events((recall_told.MAIL,), 3)
    audit.finish(first)
    audit.put_off(second, recall_told.NO_SERVER)
    audit.finish_without(third, recall_told.NOBODY)
    page = page_of(li, found)
    for line in (
        "Their people: 3",
        "Told: 1",
        "no mail server is set (DIANDIAN_EMAIL_URL); tried each hour for 30 days: 1",
        "never signed in or were erased: 1",
    ):
        assert line in page
    assert 'value="tell"' not in page
    OutboxEvent.objects.filter(state="pending").update(state="dead")
    page = page_of(li, found)
    assert 'value="tell"' in page
    assert "too long: 1" in page
    assert "tries anew: 1" in decide(li, found, "tell")
    assert "tries anew: 0" in decide(li, found, "tell")
    assert 'value="tell"' not in page_of(li, found)
