"""Many desks at once: ground, verified tonnes and requests are still given out once."""

import pytest

from diandian.audit.models import AuditEntry
from diandian.flows import cancellations, issuance_files, log_check
from diandian.registry import actions, queries
from diandian.registry.errors import (
    NotVerifiedSoMuchError,
    RequestDecidedError,
    SiteOverlapError,
)
from diandian.registry.invariants import check
from diandian.registry.models import CancellationRequest, CreditBatch, ProjectSite
from tests.concurrency.test_registry import together
from tests.registry.builders import TONNE, ground, make_batch, make_project, make_site

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]


def test_of_many_who_enter_one_ground_one_succeeds():
    projects = [make_project() for _ in range(16)]

    def enter(number):
        return make_site(projects[number], boundary=ground(west=102_200 + number))

    results = together(enter, range(16))
    assert sum(isinstance(each, ProjectSite) for each in results) == 1
    assert sum(isinstance(each, SiteOverlapError) for each in results) == 15
    assert ProjectSite.objects.count() == 1


def test_blocks_of_one_report_never_pass_its_tonnes():
    site = make_site()

    def issue(_):
        return make_batch(
            site.project,
            3,
            verified_g=10 * TONNE,
            verification_ref="report 1",
            site_code=site.code,
        )

    results = together(issue, range(16))
    assert sum(isinstance(each, CreditBatch) for each in results) == 3
    assert sum(isinstance(each, NotVerifiedSoMuchError) for each in results) == 13
    assert queries.available_g(site.project_id) == 9 * TONNE
    assert check() == []


def test_a_request_that_two_confirm_is_cancelled_once():
    batch = make_batch()
    asked = actions.ask_cancellation(
        batch=batch, mass_g=400_000, reason="error", actor_ref="operator:li"
    )
    results = together(
        lambda number: cancellations.confirm(asked, actor_ref=f"operator:{number}"), range(16)
    )
    assert sum(isinstance(each, CancellationRequest) for each in results) == 1
    assert sum(isinstance(each, RequestDecidedError) for each in results) == 15
    assert queries.stock(batch.project)["cancelled_g"] == 400_000
    assert check() == []


def test_a_file_entered_at_many_desks_is_entered_once():
    projects = [make_project(), make_project()]
    head = "project,serials,quantity,vintage_year,period_start,period_end,verified_by,verified_on\n"
    lines = [
        f"{project.code},F{at}-1~5,5,2025,2025-01-01,2025-12-31,Sample verifier,2026-02-01\n"
        for at, project in enumerate(projects)
    ]
    files = [(head + "".join(order)).encode() for order in (lines, lines[::-1])]

    def enter(number):
        return issuance_files.enter(files[number % 2], actor_ref=f"operator:{number}")

    results = together(enter, range(16))
    assert [outcome.problems for outcome in results] == [()] * 16
    assert sorted(len(outcome.new) for outcome in results) == [0] * 15 + [2]
    assert CreditBatch.objects.count() == 2
    assert AuditEntry.objects.filter(action="batch.issued").count() == 2
    assert check() == log_check.check() == []
