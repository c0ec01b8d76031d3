"""Taking grams out takes two people."""

import pytest
from django.db import IntegrityError, transaction

from diandian.audit.queries import trail
from diandian.registry import actions
from diandian.registry.errors import NotEnoughCreditsError, OwnRequestError, RequestDecidedError
from diandian.registry.invariants import check
from diandian.registry.models import CancellationRequest
from tests.registry.builders import TONNE, hold, make_batch

pytestmark = pytest.mark.django_db


def ask(batch, mass_g=400_000, actor_ref="operator:li"):
    return actions.ask_cancellation(
        batch=batch, mass_g=mass_g, reason="error", note="typed twice", actor_ref=actor_ref
    )


def test_asking_twice_is_asking_once():
    batch = make_batch()
    assert ask(batch) == ask(batch)
    assert ask(batch, actor_ref="operator:wang") != ask(batch)
    assert len(trail(f"batch:{batch.public_id}")) == 2


def test_nobody_asks_for_what_is_not_free():
    batch = make_batch()
    hold(batch.project, 700_000, "order:1")
    with pytest.raises(NotEnoughCreditsError) as refusal:
        ask(batch)
    assert refusal.value.available_g == 300_000
    assert CancellationRequest.objects.count() == 0


def test_whoever_asked_does_not_confirm():
    asked = ask(make_batch())
    with pytest.raises(OwnRequestError):
        actions.decide_cancellation(asked, confirms=True, actor_ref="operator:li")
    done = actions.decide_cancellation(asked, confirms=True, actor_ref="operator:wang")
    assert (done.state, done.decided_by) == ("done", "operator:wang")


def test_whoever_asked_may_take_it_back():
    asked = ask(make_batch())
    back = actions.decide_cancellation(asked, confirms=False, actor_ref="operator:li")
    assert back.state == "refused"


def test_a_decision_is_one():
    asked = ask(make_batch())
    actions.decide_cancellation(asked, confirms=False, actor_ref="operator:wang")
    with pytest.raises(RequestDecidedError):
        actions.decide_cancellation(asked, confirms=True, actor_ref="operator:wang")


@pytest.mark.parametrize(
    "change",
    [
        {"mass_g": 2 * TONNE},
        {"asked_by": "operator:else"},
        {"state": "done"},
        {"state": "refused", "decided_by": "operator:wang"},
    ],
)
def test_the_database_itself_wants_two(change):
    asked = ask(make_batch())
    with pytest.raises(IntegrityError), transaction.atomic():
        CancellationRequest.objects.filter(id=asked.id).update(**change)


def test_the_database_itself_refuses_one_for_two():
    asked = ask(make_batch())
    with pytest.raises(IntegrityError), transaction.atomic():
        CancellationRequest.objects.filter(id=asked.id).update(
            state="done", decided_by="operator:li", decided_at=asked.asked_at
        )


def test_the_check_sees_a_decision_without_its_grams():
    asked = ask(make_batch())
    actions.decide_cancellation(asked, confirms=False, actor_ref="operator:wang")
    assert check() == []
    other = ask(make_batch())
    actions.decide_cancellation(other, confirms=True, actor_ref="operator:wang")
    assert [(each.rule, each.subject_ref) for each in check()] == [
        ("R6", f"cancellation:{other.id}")
    ]
