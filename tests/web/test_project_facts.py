"""What a buyer may know of a project's ground and batches, on its page."""

from datetime import date

import pytest

from diandian.kernel.memory import Memory
from diandian.registry import actions
from tests.registry.builders import TONNE, make_batch, make_project, make_site

pytestmark = pytest.mark.django_db
DAY = date(2026, 2, 3)


@pytest.fixture(autouse=True)
def fresh():
    Memory.forget_everything()


@pytest.fixture
def page(client):
    def fetch(project, lang="en"):
        answer = client.get(f"/projects/{project.code}", headers={"accept-language": lang})
        assert answer.status_code == 200
        return answer.content.decode().replace("\xa0", " ").replace("\u202f", " ")

    return fetch


def grown(site, **facts):
    facts = {
        "verified_g": 12 * TONNE,
        "verification_ref": "report 7",
        "site_code": site.code,
    } | facts
    return make_batch(site.project, 10, **facts)


@pytest.mark.parametrize("lang", ["en", "zh-Hans", "nl"])
def test_new_forest_is_drawn_with_its_area_and_plans(page, lang):
    site = make_site()
    grown(site)
    shown = page(site.project, lang)
    assert '<polygon points="' in shown
    for fact in ("419 ha", "31.9100, 102.2100", "2019-03-12", "plan 7, 2019", "CCER-14-001-V01"):
        assert fact in shown
    assert "2025-01-01 –" in shown
    assert "2025-12-31" in shown


def test_planned_growth_is_not_shown_as_grown(page):
    site = make_site()
    grown(site, is_ex_ante=True, verified_g=None)
    shown = page(site.project)
    assert "none yet" in shown
    assert "only promised: counts zero and is never sold" in shown


def test_a_withdrawn_site_is_not_shown(page):
    site = make_site()
    actions.withdraw_site(site, "swapped", actor_ref="test")
    assert "polygon" not in page(site.project)


def test_what_is_on_file_is_shown_with_its_proof(page):
    batch = make_batch(
        credit_class="puhui",
        recognition_evidence="notice 12",
        recognised_on=DAY,
        recognition_sha256="ab" * 32,
        adjustment_declaration="committed",
        adjustment_status="completed",
        adjustment_reference="BTR 2",
        adjustment_on=DAY,
        ccp_reference="list of 2026",
        ccp_on=DAY,
        verified_g=TONNE,
        evidence_sha256="cd" * 32,
    )
    shown = page(batch.project)
    for fact in ("carbon-inclusion (puhui) reduction", "notice 12", "ab" * 32, "cd" * 32):
        assert fact in shown
    assert "the host country will make one; completed" in shown
    assert "BTR 2, <span" in shown
    assert "CCP · list of 2026" in shown
    assert "1 t" in shown


def test_what_is_not_on_file_is_not_claimed(page):
    shown = page(make_batch().project)
    assert "CCP" not in shown
    assert "none on file" in shown
    assert "not known" in shown
    assert "Where it grows" not in shown


def test_texts_of_strangers_are_shown_as_text(page):
    batch = make_batch(
        ccp_reference="<script>alert(1)</script>",
        ccp_on=DAY,
        verified_by="<b>",
        project=make_project(),
    )
    shown = page(batch.project)
    assert "<script>alert" not in shown
    assert "&lt;script&gt;alert" in shown
