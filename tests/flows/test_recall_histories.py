"""Random histories of sales, recalls, crashes and new stock: no gram is lost, none counted twice.

Certificates are made of the sample record, so that many histories fit; retirements go through the
registry.
"""

import json
from pathlib import Path

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck
from hypothesis import settings as histories
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from diandian.certificates import actions as certificate_actions
from diandian.certificates import queries as certificates
from diandian.certificates.models import Certificate
from diandian.certificates.record import range_of
from diandian.flows import recall, remedy
from diandian.kernel import tokens
from diandian.orders import actions as orders
from diandian.registry import actions as registry
from diandian.registry import queries
from diandian.registry.errors import NotEnoughCreditsError
from diandian.registry.invariants import check
from diandian.registry.models import Allocation, Recall, Remedy, Retirement
from diandian.registry.recalls import marks
from diandian.registry.recalls.errors import RecalledAlreadyError, RecallFactsError
from diandian.registry.recalls.queries import totals_of
from diandian.verifier import certificate as record_check
from tests.registry.builders import AT, TONNE, hold, make_batch, make_project, request

pytestmark = pytest.mark.django_db
TEXTS = {"zh-Hans": "一", "en": "a", "nl": "een"}
SAMPLE = Path(certificate_actions.__file__).parent / "designs" / "sample_record.json"


class CrashError(Exception):
    pass


class Histories(RuleBasedStateMachine):
    """``sold``: the first retirement of each certificate, and its code."""

    def __init__(self):
        super().__init__()
        self.record = json.loads(SAMPLE.read_text())
        self.sold, self.batches, self.spans = {}, [], set()

    @initialize(masses_g=st.lists(st.integers(100_000, 900_000), min_size=3, max_size=5))
    def open_shop(self, masses_g):
        self.projects = [make_project(kind="solar") for _ in range(2)]
        for project in self.projects:
            orders.set_offer(
                project=project,
                currency="CNY",
                price_per_tonne_minor=6001,
                fee_basis_points=700,
                fee_minimum_minor=60,
                position=0,
                at=AT,
            )
        self.issue(0, 0)
        self.issue(0, 300_000)
        for mass_g in masses_g:
            self.sell(0, mass_g)

    @rule(number=st.integers(0, 1), buffer_g=st.sampled_from([0, 300_000]))
    def issue(self, number, buffer_g):
        self.batches.append(make_batch(self.projects[number], buffer_g=buffer_g))

    @rule(number=st.integers(0, 1), mass_g=st.integers(1, 900_000))
    def sell(self, number, mass_g):
        owner = f"guest:{len(self.sold) + 1}"
        try:
            hold(self.projects[number], mass_g, owner)
        except NotEnoughCreditsError:
            return
        [row] = registry.retire_many([request(owner)], at=AT)
        code = tokens.new_code()
        record = self.record | {
            "code": code,
            "verify_url": f"https://x.example/v/{code}",
            "mass_g": mass_g,
            "kg_per_dot": 1,
            "dots": {"goods": -(-mass_g // 1000)},
            "retirement": row.public_id,
            "ranges": [range_of(piece) for piece in queries.ranges_of(row)],
        }
        certificate_actions.issue([certificate_actions.Issue(row, owner, record)], at=AT)
        self.sold[row.id] = code

    @rule(
        number=st.integers(0, 5),
        kind=st.sampled_from(["invalid", "reversal"]),
        span=st.one_of(
            st.none(), st.tuples(st.integers(0, TONNE), st.integers(0, TONNE)).map(sorted)
        ),
    )
    def recall(self, number, kind, span):
        batch = self.batches[number % len(self.batches)]
        try:
            opened = recall.open_recall(
                batch,
                kind=kind,
                reason="test",
                texts=TEXTS,
                opened_by="operator:A",
                grams=tuple(span) if span else None,
                at=AT,
            )
        except (RecalledAlreadyError, RecallFactsError):
            return
        recall.approve(opened, approved_by="operator:B", at=AT)

    @rule(crashes=st.booleans(), limit=st.integers(1, 4))
    def work(self, crashes, limit):
        if crashes:
            self.crash(lambda: recall.work(limit, at=AT))
        recall.work(limit, at=AT)

    def crash(self, act):
        """Let a commit die after everything was written."""
        before = Remedy.objects.count(), Retirement.objects.count()

        def dies(*args, **kwargs):
            raise CrashError

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(remedy.audit_actions, "publish_many", dies)
            try:
                act()
            except CrashError:
                assert (Remedy.objects.count(), Retirement.objects.count()) == before

    @rule()
    def work_off(self):
        recall.work_all(at=AT)
        for each in Recall.objects.filter(state="done"):
            met = {
                use.retirement_id
                for use in Allocation.objects.filter(lane__batch=each.batch, kind="retire")
                if use.start_g < each.end_g and each.start_g < use.end_g
            }
            answered = Remedy.objects.filter(recall=each, step=1)
            assert {row.retirement_id for row in answered} == met
            assert totals_of(each).waiting_g == 0
        assert not Recall.objects.filter(state="running").exists()

    @precondition(lambda self: Recall.objects.filter(state="done").exists())
    @rule()
    def retry(self):
        recall.retry(at=AT)

    @invariant()
    def nothing_is_unretired_and_grams_add_up(self):
        if not hasattr(self, "projects"):
            return
        spans = set(Allocation.objects.values_list("lane", "start_g", "end_g", "kind"))
        assert spans >= self.spans
        self.spans = spans
        assert check() == []
        for each in Recall.objects.exclude(state="opened"):
            totals = totals_of(each)
            parts = totals.buffer_g, totals.replaced_g, totals.short_g, totals.waiting_g
            assert min(parts) >= 0
            assert sum(parts) == totals.affected_g
        ours = [marks.standing_of_project(project).mass_g for project in self.projects]
        assert sum(ours) == marks.all_standing().mass_g

    def teardown(self):
        if not hasattr(self, "projects"):
            return
        self.work_off()
        for root_id, code in self.sold.items():
            [row] = Certificate.objects.filter(retirement_id=root_id, state="current")
            record = certificates.record_of(row)
            assert row.code == code
            assert record_check.check(record) == []
            assert record.get("standing_g", record["mass_g"]) == self.standing(root_id)
        stands_g = sum(self.standing(root_id) for root_id in self.sold)
        assert marks.all_standing() == marks.Standing(len(self.sold), len(self.sold), stands_g)

    def standing(self, root_id):
        """Count what stands of a certificate, from the tables and nothing else."""
        chain = {root_id}
        chain |= set(
            Remedy.objects.filter(root_id=root_id, replacement__isnull=False).values_list(
                "replacement_id", flat=True
            )
        )
        total_g = 0
        for use in Allocation.objects.filter(retirement_id__in=chain).select_related("lane"):
            gone = [
                max(0, min(use.end_g, each.end_g) - max(use.start_g, each.start_g))
                for each in Recall.objects.filter(batch=use.lane.batch_id, state="done")
            ]
            total_g += use.end_g - use.start_g - sum(gone)
        buffers = Remedy.objects.filter(root_id=root_id, outcome="buffer")
        return total_g + sum(row.remedied_g for row in buffers)


@pytest.fixture
def own_keys(settings, tmp_path):
    settings.KEYS_DIR = tmp_path / "keys"


@pytest.mark.usefixtures("own_keys")
def test_random_histories_end_whole():
    class InRoom(Histories):
        """Each history in a savepoint of its own, rolled back at its end."""

        def __init__(self):
            super().__init__()
            self.room = transaction.atomic()
            self.room.__enter__()

        def teardown(self):
            try:
                super().teardown()
                connection.check_constraints()
            finally:
                transaction.set_rollback(True)
                self.room.__exit__(None, None, None)

    run_state_machine_as_test(
        InRoom,
        settings=histories(
            max_examples=12,
            stateful_step_count=14,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=True,
        ),
    )
