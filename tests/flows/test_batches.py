"""Stopping a batch and taking grams out of it, from the desk's side."""

import pytest

from diandian.flows import batches, cancellations
from diandian.registry import queries
from diandian.registry.errors import NotEnoughCreditsError, OwnRequestError
from diandian.registry.invariants import check
from diandian.registry.models import Allocation, CancellationRequest
from tests.registry.builders import TONNE, hold, make_batch

pytestmark = pytest.mark.django_db
LI, WANG = "operator:li", "operator:wang"


def test_a_batch_stops_and_goes_on():
    batch = make_batch()
    for _ in range(2):
        batches.freeze(batch.public_id, reason="documents", note="under review", actor_ref=LI)
        assert queries.available_g(batch.project_id) == 0
    for _ in range(2):
        batches.thaw(batch.public_id, reason="documents", actor_ref=WANG)
        assert queries.available_g(batch.project_id) == TONNE


def test_two_people_cancel_and_the_grams_are_gone():
    batch = make_batch()
    asked = cancellations.ask(batch.public_id, mass_g=400_000, reason="error", actor_ref=LI)
    assert queries.available_g(batch.project_id) == TONNE
    with pytest.raises(OwnRequestError):
        cancellations.confirm(asked, actor_ref=LI)
    cancellations.confirm(asked, actor_ref=WANG)
    assert queries.stock(batch.project)["cancelled_g"] == 400_000
    assert check() == []


def test_grams_that_were_sold_meanwhile_are_not_cancelled_and_the_request_waits_on():
    batch = make_batch()
    asked = cancellations.ask(batch.public_id, mass_g=400_000, reason="error", actor_ref=LI)
    hold(batch.project, 700_000, "order:1")
    with pytest.raises(NotEnoughCreditsError):
        cancellations.confirm(asked, actor_ref=WANG)
    assert CancellationRequest.objects.get().state == "waiting"
    assert not Allocation.objects.filter(kind="cancel").exists()
    cancellations.refuse(asked, actor_ref=WANG)
    assert CancellationRequest.objects.get().state == "refused"
