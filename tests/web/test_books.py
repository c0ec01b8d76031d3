"""The books that anybody may read: equal bars, closed days, tonnes, one retirement, one flow."""

import csv
import hashlib
import io
import json
import re
import threading
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection, connections
from hypothesis import given
from hypothesis import strategies as st

from diandian.config import guards
from diandian.flows import close, log_fill, pool, sales
from diandian.flows.issuance import OutsideRetirement, record_outside
from diandian.kernel.clock import business_day, now
from diandian.kernel.memory import Memory
from diandian.ledger.models import Journal
from diandian.registry import actions
from diandian.registry import queries as registry
from diandian.registry.models import Allocation, Beneficiary
from diandian.ui.drawing import MAX_DOTS
from diandian.ui.format import exact_mass
from diandian.web.equations import Term, equation, step_for
from tests.web.public_world import buy
from tests.web.world import open_scene, open_shop

LANGUAGES = ["zh-Hans", "en", "nl"]
database = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh(settings, tmp_path):
    settings.SANDBOX_STORE = tmp_path / "bank.sqlite3"
    settings.DATA_DIR = tmp_path
    settings.BASE_URL = "https://dots.example"
    Memory.forget_everything()


@pytest.fixture
def get(client):
    def fetch(path, lang="en"):
        Memory.forget_everything()
        return client.get(path, headers={"accept-language": lang})

    return fetch


@pytest.fixture
def sold():
    """Sell grams of tonnes that an outside registry still holds."""
    open_shop()
    project = registry.project_by_code("rooftop-solar")
    for entry in registry.batch_stocks(project):
        actions.freeze(entry.batch, "only the outside tonnes sell in this test")
    batch = actions.issue(
        project=project,
        serial_text="BOOKS-001~BOOKS-005",
        vintage_year=2025,
        period_start=date(2025, 1, 1),
        period_end=date(2025, 12, 31),
        custody="external",
        buffer_g=1_000_000,
        verified_by="Verifier",
        verified_on=date(2026, 1, 31),
        source_ref="books:test",
    )
    log_fill.fill()
    buy(open_scene("books-2026"), name="Lin Wan", project="rooftop-solar")
    return batch


def body(response):
    assert response.status_code == 200, response.status_code
    if response.streaming:
        return b"".join(response.streaming_content).decode()
    return response.content.decode()


def table(response):
    return list(csv.DictReader(io.StringIO(body(response)[1:])))


def retirement():
    return registry.retirements()[0]


# Bars --------------------------------------------------------------------------------------------


@pytest.mark.pure
@given(
    amounts=st.lists(st.integers(0, 10**13), min_size=1, max_size=6).filter(any),
    unit=st.sampled_from([1, 100, 1000]),
)
def test_equal_sides_have_as_many_dots_and_never_too_many(amounts, unit):
    def terms(values):
        return [Term("x", value, str(value), "/") for value in values]

    found = equation("k", "t", terms([sum(amounts)]), terms(amounts), unit=unit)
    left, right = (sum(dots for _, dots, _ in side.groups) for side in (found.left, found.right))
    assert found.holds
    assert 0 < left == right <= 87 < MAX_DOTS
    assert found.step == step_for(sum(amounts), unit)


@pytest.mark.pure
def test_sides_that_differ_say_by_how_much():
    found = equation("k", "t", [Term("a", 30, "30", "/")], [Term("b", 20, "20", "/")], unit=1)
    assert (found.holds, found.difference) == (False, 10)
    assert (found.left.groups, found.right.groups) == ([("", 30, "full")], [("", 20, "full")])


# The page ----------------------------------------------------------------------------------------


@database
@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_books_show_both_equations(get, sold, lang):
    page = body(get("/books", lang))
    assert page.count("<h1") == 1
    assert page.count('class="chip ok"') == 3
    assert "chip bad" not in page
    for path in ("/books/grams.csv", "/books/money.csv", "/books/days.csv", "/register"):
        assert f'href="{path}"' in page
    assert "Lin Wan" not in page


@database
@pytest.mark.parametrize("lang", LANGUAGES)
def test_empty_books_hold(get, lang):
    assert "chip bad" not in body(get("/books", lang))


@pytest.mark.django_db(transaction=True)
def test_sales_that_go_on_while_the_page_is_read_tear_nothing_apart(get, sold, monkeypatch):
    """Whatever is sold between two of its questions, both sides are those of one moment."""
    stock = registry.stock

    def meanwhile(project):
        found = stock(project)
        seller = threading.Thread(target=sell)
        seller.start()
        seller.join(20)
        assert not seller.is_alive(), "a sale waited for the page"
        return found

    def sell():
        try:
            buy(scene, project="rooftop-solar")
        finally:
            connections.close_all()

    scene = open_scene("meanwhile-2026")
    monkeypatch.setattr("diandian.flows.books.registry_queries.stock", meanwhile)
    before = retirement().id
    page = body(get("/books"))
    assert retirement().id > before, "something was sold meanwhile"
    assert "chip bad" not in page


@database
def test_a_difference_shows(get, sold):
    with guards.lifted(), connection.cursor() as cursor:
        cursor.execute("UPDATE orders_order SET mass_g = mass_g + 5000 WHERE state = 'completed'")
    page = body(get("/books"))
    assert "The books do not add up" in page
    assert re.search(r"differs by 5\skg", page)


@database
def test_closed_days_are_listed_and_downloaded(get, sold):
    # Two days: just after midnight the grace of the close counts the day before as not over.
    closed = close.close(actor="platform", at=now() + timedelta(days=2)).closed
    page = body(get("/books"))
    assert closed.sha256[:16] in page
    [row] = table(get("/books/days.csv"))
    assert (row["day"], row["sha256"]) == (closed.day.isoformat(), closed.sha256)
    assert int(row["retired_g"]) == retirement().mass_g
    [told] = get("/books/days.json").json()["days"]
    del told["closed_at"]
    seal = told.pop("sha256")
    canonical = json.dumps(
        {"schema": "diandian/closed-day/1", **told},
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
    )
    assert seal == hashlib.sha256(canonical.encode()).hexdigest() == closed.sha256
    status = body(get("/status"))
    assert f"closed up to {closed.day}" in status
    assert get("/readyz").json()["closed_through"] == closed.day.isoformat()


@database
@pytest.mark.parametrize("lang", LANGUAGES)
def test_paused_sales_are_said_on_every_page_that_matters(get, sold, lang):
    assert get("/readyz").json()["sales_stopped"] is False
    sales.stop(["R6"], actor_ref="platform", at=now())
    for path in ("/books", "/status"):
        assert get(path, lang).status_code == 200
    assert get("/readyz").json()["sales_stopped"] is True
    assert "being checked" in body(get("/books"))


@database
def test_files_add_up_to_the_page(get, sold):
    rows = table(get("/books/grams.csv"))
    for row in rows:
        parts = ("available_g", "blocked_g", "held_g", "retired_g", "cancelled_g", "buffer_g")
        assert int(row["issued_g"]) == sum(int(row[name]) for name in parts)
    assert sum(int(row["retired_g"]) for row in rows) == retirement().mass_g
    money = table(get("/books/money.csv"))
    assert sum(int(row["balance_minor"]) for row in money) == 0
    assert not any("supplier-" in row["account"] for row in money)


@database
def test_the_gauge_never_calls_retired_what_is_held(get, sold):
    page = body(get("/books"))
    assert re.search(r"state=held\">[\d,.]+\skg", page)
    outside = OutsideRetirement(
        first_tonne=1,
        last_tonne=1,
        reference="R-1",
        retired_at=datetime(2026, 11, 2, tzinfo=UTC),
        is_simulated=True,
    )
    record_outside(sold, outside, actor_ref="operator:test")
    [found] = [each for each in pool.by_class() if each.pool.retired_g]
    assert found.pool.retired_g == retirement().mass_g
    assert found.pool.gauge_permille == found.pool.retired_g * 1000 // found.pool.sold_g
    # What the page says is what single ranges add up to.
    spans = Allocation.objects.filter(kind="retire", lane__batch=sold)
    mine_g = sum(row.end_g - row.start_g for row in spans if row.end_g <= 1_000_000)
    assert f">{exact_mass(mine_g, 'en')}</a>" in body(get("/books"))


# One retirement ----------------------------------------------------------------------------------


@database
@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_retirement_has_an_address_that_stays(get, sold, lang):
    row = retirement()
    page = body(get(f"/register/R-{row.public_id}", lang))
    assert page.count("<h1") == 1
    assert row.subject_commit in page
    assert "BOOKS-001" in page
    assert "Lin Wan" not in page
    assert Beneficiary.objects.get(retirement=row).salt not in page
    assert f'/register/R-{row.public_id}"' in body(get("/register", lang))


@database
def test_a_retirement_as_json_says_what_the_register_says(get, sold):
    row = retirement()
    data = json.loads(body(get(f"/register/R-{row.public_id}.json")))
    [listed] = json.loads(body(get("/register.json")))["retirements"]
    assert data["mass_g"] == listed["mass_g"] == row.mass_g
    assert listed["url"] == f"https://dots.example/register/R-{row.public_id}"
    assert data["ranges"][0]["evidence"] == []
    assert data["log"] == {"origin": listed["log_origin"], "index": listed["log_index"]}
    assert f"entry {listed['log_index']} of" in body(get(f"/register/R-{row.public_id}"))
    record_outside(
        sold,
        OutsideRetirement(
            first_tonne=1,
            last_tonne=1,
            reference="R-77",
            retired_at=datetime(2026, 11, 2, tzinfo=UTC),
            registry_url="javascript:alert(1)",
        ),
        actor_ref="operator:test",
    )
    data = json.loads(body(get(f"/register/R-{row.public_id}.json")))
    assert data["ranges"][0]["evidence"][0]["reference"] == "R-77"
    page = body(get(f"/register/R-{row.public_id}"))
    assert "R-77" in page
    assert "javascript:" not in page


@database
@pytest.mark.parametrize(
    "number",
    [
        "R-",
        "R-0",
        "R-" + "f" * 32,
        "..%2f..%2fetc",
        "R-%00",
        "%F0%9F%92%A9",
        "R-'%20OR%201=1",
        "x" * 300,
    ],
)
def test_a_number_that_does_not_exist_is_answered_kindly(get, sold, number):
    for ending in ("", ".json"):
        assert get(f"/register/{number}{ending}").status_code == 404


@database
def test_a_number_is_read_however_it_was_typed(get, sold):
    public_id = retirement().public_id
    for typed in (public_id, f"r-{public_id}", f"R-{public_id.upper()}"):
        assert get(f"/register/{typed}").status_code == 200


# Filters -----------------------------------------------------------------------------------------


@database
@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("?state=held", 1),
        ("?state=retired", 0),
        ("?state=gone", 0),
        ("?retired=this", 0),
        ("?retired=0000", 0),
        ("?retired=9999", 0),
        ("?retired=1999", 0),
        ("?retired=NOW", 1),
        ("?programme=CODE", 1),
        ("?programme=none-such", 0),
        ("?programme=CODE&state=held&retired=NOW&holder=person", 1),
        ("?project=%27%20OR%201%3D1--", 0),
        ("?year=%EF%BC%92%EF%BC%90%EF%BC%92%EF%BC%95", 0),
        ("?scene=" + "x" * 5000, 0),
        ("?before=99999999999999999999", 1),
        ("?holder=%3Cscript%3E", 0),
    ],
)
def test_each_filter_narrows_page_and_files_alike(get, sold, query, count):
    code = retirement().project.programme.code
    query = query.replace("NOW", str(business_day().year)).replace("CODE", code)
    page = body(get(f"/register{query}"))
    assert len(re.findall(r"<tr><td", page)) == count
    assert "<script>" not in page
    data = json.loads(body(get(f"/register.json{query}")))
    assert data["count"] == len(table(get(f"/register.csv{query}"))) == count
    assert data["mass_g"] == sum(row["mass_g"] for row in data["retirements"])


# The flow of a tonne -----------------------------------------------------------------------------


@database
@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_flow_of_a_tonne_adds_up_and_each_step_is_a_link(get, sold, lang):
    page = body(get("/projects/rooftop-solar", lang))
    flow = re.search(r'<ol class="flow">(.*?)</ol>', page, re.DOTALL)[1]
    assert flow.count("<li") == flow.count("<a ")
    assert 'href="/register?project=rooftop-solar&amp;state=held"' in flow
    assert 'href="/register?project=rooftop-solar"' in flow
    assert 'href="#batches"' in flow
    assert 'id="batches"' in page


@database
def test_what_the_platform_completed_is_on_no_certificate(get, sold):
    at = now() + timedelta(days=12)
    assert pool.complete_due(at=at) == 1
    assert Journal.objects.filter(kind="completion").exists()
    page = body(get("/projects/rooftop-solar"))
    assert "on 1 certificate." in page
    assert len(re.findall(r"<tr><td", body(get("/register?holder=platform")))) == 1


# CAD Trust ---------------------------------------------------------------------------------------


@database
def test_the_cad_trust_files_are_one_set_of_records(get, sold):
    whole = json.loads(body(get("/register/cad-trust.json")))
    assert len(whole["notes"]) == 5
    for name in ("projects", "locations", "issuances", "units"):
        rows = table(get(f"/register/cad-trust/{name}.csv"))
        assert len(rows) == len(whole[name]) > 0
        assert list(rows[0]) == list(whole[name][0])
    held = sum(row["unitCount"] for row in whole["units"] if row["unitStatus"] == "Held")
    issued = sum(int(row["issued_g"]) for row in table(get("/books/grams.csv")))
    assert sum(row["unitCount"] for row in whole["units"]) * 1_000_000 == issued
    assert held
    assert get("/register/cad-trust/people.csv").status_code == 404


@database
def test_the_cad_trust_files_without_any_project(get):
    whole = json.loads(body(get("/register/cad-trust.json")))
    assert whole["projects"] == whole["units"] == []
    assert body(get("/register/cad-trust/units.csv")).strip("\ufeff\r\n") == ""
