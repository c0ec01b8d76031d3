"""Random histories of a small registry, compared after each step with a plain model of it."""

# ruff: noqa: PT017 - a refusal is one of the expected answers here, and its words are checked
from datetime import timedelta

import pytest
from django.db import connection
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from diandian.registry import actions, queries
from diandian.registry.errors import (
    AlreadyRetiredError,
    BatchNotOpenError,
    HoldGoneError,
    HoldMismatchError,
    NotEnoughCreditsError,
)
from diandian.registry.invariants import check
from diandian.registry.models import Allocation
from tests.registry.builders import AT, TONNE, hold, make_batch, make_project, request

OWNERS = [f"order:{number}" for number in range(8)]
owners = st.sampled_from(OWNERS)
# Small and large, and now and then exactly what is left.
masses = st.one_of(
    st.integers(1, 5), st.integers(1, 3 * TONNE), st.sampled_from([TONNE, 500_000, 0])
)


class Registry(RuleBasedStateMachine):
    """``live`` and ``used``: grams held and retired by owner. ``frozen``: stopped batches."""

    def __init__(self):
        super().__init__()
        self.live, self.used = {}, {}
        self.cancelled_g, self.number, self.frozen = 0, 0, set()

    @initialize(
        shapes=st.lists(
            st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(0, 2)),
            min_size=1,
            max_size=3,
        )
    )
    def issue(self, shapes):
        self.project = make_project()
        self.batches = [
            make_batch(
                self.project,
                tonnes=tonnes,
                sale_lanes=lanes,
                buffer_g=100_000 * buffers,
                at=AT - timedelta(days=number),
            )
            for number, (tonnes, lanes, buffers) in enumerate(shapes)
        ]
        self.issued_g = sum(batch.total_g for batch in self.batches)
        self.for_sale_g = sum(batch.total_g - batch.buffer_g for batch in self.batches)

    def free_g(self):
        gone = sum(self.live.values()) + sum(self.used.values()) + self.cancelled_g
        return self.for_sale_g - gone

    @rule(owner=owners, mass_g=masses)
    def hold(self, owner, mass_g):
        available_g = queries.available_g(self.project.id)
        mass_g = mass_g or available_g or 1
        try:
            holdings = hold(self.project, mass_g, owner)
        except AlreadyRetiredError:
            assert owner in self.used
        except HoldMismatchError:
            assert self.live[owner] != mass_g
        except NotEnoughCreditsError as refusal:
            assert refusal.available_g == available_g < mass_g
        else:
            assert owner not in self.used
            assert owner in self.live or mass_g <= available_g
            assert sum(row.mass_g for row in holdings) == mass_g
            self.live[owner] = mass_g

    @rule(owner=owners)
    def release(self, owner):
        assert actions.release(owner) == (owner in self.live)
        self.live.pop(owner, None)

    @rule(owner=owners)
    def commit(self, owner):
        try:
            actions.commit_hold(owner)
        except HoldGoneError:
            assert owner not in self.live
        except AlreadyRetiredError:
            assert owner in self.used
        else:
            assert owner in self.live

    @rule(asked=st.lists(owners, min_size=1, max_size=4, unique=True))
    def retire(self, asked):
        try:
            retirements = actions.retire_many([request(owner) for owner in asked], at=AT)
        except HoldGoneError as refusal:
            assert refusal.params["owner_ref"] not in self.live | self.used
        except BatchNotOpenError as refusal:
            assert refusal.params["batch"] in {batch.public_id for batch in self.frozen}
        else:
            for owner, retirement in zip(asked, retirements, strict=True):
                expected = self.used.get(owner) or self.live.pop(owner)
                assert retirement.mass_g == expected
                self.used[owner] = expected

    @rule(number=st.integers(0, 2), mass_g=st.integers(1, TONNE))
    def cancel(self, number, mass_g):
        batch = self.batches[number % len(self.batches)]
        self.number += 1
        try:
            actions.cancel(
                batch=batch, mass_g=mass_g, reason="test", source_ref=f"cancel:{self.number}"
            )
        except NotEnoughCreditsError as refusal:
            assert refusal.available_g < mass_g
        else:
            self.cancelled_g += mass_g

    @rule(number=st.integers(0, 2))
    def freeze(self, number):
        batch = self.batches[number % len(self.batches)]
        actions.freeze(batch, "test")
        self.frozen.add(batch)

    @precondition(lambda self: self.frozen)
    @rule()
    def thaw(self):
        actions.thaw(self.frozen.pop(), "test")

    @invariant()
    def no_gram_twice_and_none_lost(self):
        if not hasattr(self, "project"):
            return
        stock = queries.stock(self.project)
        assert stock["issued_g"] == self.issued_g
        assert stock["held_g"] == sum(self.live.values())
        assert stock["retired_g"] == sum(self.used.values())
        assert stock["cancelled_g"] == self.cancelled_g
        assert stock["available_g"] + stock["blocked_g"] == self.free_g()
        spans = Allocation.objects.exclude(kind="genesis").values_list(
            "lane__batch_id", "start_g", "end_g"
        )
        last_batch, last_end_g = 0, 0
        for batch, start_g, end_g in sorted(spans):
            assert batch != last_batch or start_g >= last_end_g
            last_batch, last_end_g = batch, end_g
        assert check() == []


@pytest.mark.django_db
def test_random_histories_keep_every_invariant():
    from django.db import transaction

    class InRoom(Registry):
        """Each history in a savepoint of its own, rolled back at its end."""

        def __init__(self):
            super().__init__()
            self.room = transaction.atomic()
            self.room.__enter__()

        def teardown(self):
            # Deferred references are looked at here, as a commit would.
            connection.check_constraints()
            transaction.set_rollback(True)
            self.room.__exit__(None, None, None)

    run_state_machine_as_test(
        InRoom,
        settings=settings(
            max_examples=25,
            stateful_step_count=15,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=True,
        ),
    )
