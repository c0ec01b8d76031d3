"""The desk's list of outside retirements begins with what is to be done outside."""

from datetime import date

import pytest
from django.contrib.auth import get_user_model
from django.utils.formats import date_format
from django.utils.translation import override

from diandian.flows import pool
from diandian.kernel.memory import Memory
from diandian.registry import actions
from diandian.registry import queries as registry
from tests.web.public_world import buy
from tests.web.world import open_scene, open_shop

pytestmark = pytest.mark.django_db
PATH = "/admin/registry/upstreamretirement/"


@pytest.fixture
def operator(client, settings, tmp_path):
    settings.SANDBOX_STORE = tmp_path / "bank.sqlite3"
    Memory.forget_everything()
    client.force_login(get_user_model().objects.create_superuser("operator", password="x"))
    return client


@pytest.mark.parametrize(
    ("lang", "head"),
    [
        ("en", "Tonnes to retire at the registry"),
        ("nl", "Tonnen om bij het register af te boeken"),
        ("zh-hans", "待向登记机构注销的吨数"),
    ],
)
def test_open_tonnes_stand_above_the_list(operator, lang, head):
    open_shop()
    project = registry.project_by_code("rooftop-solar")
    for entry in registry.batch_stocks(project):
        actions.freeze(entry.batch, "only the outside tonnes sell in this test")
    actions.issue(
        project=project,
        serial_text="DESK-001~DESK-005",
        vintage_year=2025,
        period_start=date(2025, 1, 1),
        period_end=date(2025, 12, 31),
        custody="external",
        verified_by="Verifier",
        verified_on=date(2026, 1, 31),
        source_ref="desk:test",
    )
    assert head not in operator.get(PATH, headers={"accept-language": lang}).content.decode()
    buy(open_scene("desk-2026"), project="rooftop-solar")
    page = operator.get(PATH, headers={"accept-language": lang}).content.decode()
    assert head in page
    assert "DESK-001" in page
    [due] = pool.tonnes()
    with override(lang):
        assert date_format(due.due) in page
        assert date_format(due.completed_on) in page


@pytest.mark.parametrize("path", ["/admin/ledger/closedday/", "/admin/ledger/salesswitch/"])
def test_closed_days_and_stops_are_read_at_the_desk(operator, path):
    assert operator.get(path).status_code == 200
    assert operator.get(f"{path}add/").status_code == 403
