"""The register, the projects and the method: what anyone may look up and download."""

import csv
import io
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diandian.emissions.factor_set import factor_sets, newest
from diandian.kernel.memory import Memory
from diandian.registry import queries as registry
from diandian.ui import cells
from diandian.web import register, register_files
from tests.web.public_world import buy
from tests.web.world import open_scene, open_shop

LANGUAGES = ["zh-Hans", "en", "nl"]
database = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh(settings, tmp_path):
    settings.SANDBOX_STORE = tmp_path / "bank.sqlite3"
    settings.DATA_DIR = tmp_path
    Memory.forget_everything()


@pytest.fixture
def get(client):
    def fetch(path, lang="en"):
        return client.get(path, headers={"accept-language": lang})

    return fetch


@pytest.fixture
def two_scenes():
    open_shop()
    first, second = open_scene("one-2026"), open_scene("two-2026")
    return [
        buy(first, name="Lin Wan"),
        buy(first),
        buy(second, project="kitchen-waste"),
    ]


def body(response):
    if response.streaming:
        return b"".join(response.streaming_content).decode()
    return response.content.decode()


def table(response):
    lines = body(response)
    assert lines.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(lines[1:])))


@database
@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 3),
        ("?scene=one-2026", 2),
        ("?project=kitchen-waste", 1),
        ("?project=kitchen-waste&scene=one-2026", 0),
        ("?year=2025", 3),
        ("?year=1999", 0),
        ("?holder=person", 3),
        ("?holder=company", 0),
        ("?project=nothing-like-it", 0),
        ("?year=20a5", 0),
        ("?scene=nowhere", 0),
    ],
)
def test_totals_page_and_downloads_agree(get, two_scenes, query, count):
    page, data = body(get(f"/register{query}")), json.loads(body(get(f"/register.json{query}")))
    rows = table(get(f"/register.csv{query}"))
    assert data["count"] == len(data["retirements"]) == len(rows) == count
    assert data["mass_g"] == sum(row["mass_g"] for row in data["retirements"])
    assert data["mass_g"] == sum(int(row["mass_g"]) for row in rows)
    assert len(re.findall(r"<tr><td", page)) == count
    shown = re.search(r'figure num">([\d,.]+)', page)[1].replace(",", "")
    assert float(shown) == pytest.approx(data["mass_g"] / 1000, abs=1)


@database
def test_nobodys_name_is_in_the_register(get, two_scenes):
    for path in ("/register", "/register.csv", "/register.json"):
        assert "Lin Wan" not in body(get(path))


@database
def test_pages_follow_one_another_without_gap(get, two_scenes, monkeypatch):
    monkeypatch.setattr(register, "PAGE_ROWS", 1)
    seen, path = [], "/register"
    while path:
        page = body(get(path))
        seen += re.findall(r'href="/register/R-([0-9a-f]{32})"', page)
        older = re.search(r'rel="next" href="([^"]+)"', page)
        path = older[1].replace("&amp;", "&") if older else ""
    assert seen == [row.public_id for row in registry.retirements()]


@database
def test_downloads_in_portions_are_whole(get, two_scenes, monkeypatch):
    monkeypatch.setattr(register_files, "_STREAMED_ROWS", 2)
    assert json.loads(body(get("/register.json")))["count"] == 3


@database
def test_the_register_costs_few_queries(get, two_scenes, django_assert_max_num_queries):
    get("/register")
    with django_assert_max_num_queries(7):
        get("/register")


@database
def test_each_programme_is_named_beside_its_tonnes(get, two_scenes):
    page = body(get("/books"))
    codes = [project.programme.code for project in registry.projects()]
    assert all(f'<a href="/register?programme={code}">{code}</a>' in page for code in codes)


@pytest.mark.pure
@given(st.text(), st.sampled_from("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"))
def test_no_cell_becomes_a_formula(text, sign):
    assert cells.safe_cell(sign + text) == f"'{sign}{text}"
    assert cells.safe_cell(f"a{sign}{text}") == f"a{sign}{text}"


@database
@pytest.mark.parametrize("lang", LANGUAGES)
def test_an_empty_register_says_so(get, lang):
    response = get("/register", lang)
    assert response.status_code == 200
    assert 'class="empty"' in body(response)


@database
@pytest.mark.parametrize("lang", LANGUAGES)
def test_projects_show_stock_that_adds_up(get, two_scenes, lang):
    page = body(get("/projects", lang))
    assert page.count('class="card link"') == 2
    project = registry.project_by_code("kitchen-waste")
    page = body(get("/projects/kitchen-waste", lang))
    stock = registry.stock(project)
    assert stock["retired_g"] > 0
    assert registry.batch_stocks(project)[0].serial_first in page
    assert registry.retirements(project=project)[0].public_id in page
    assert get("/projects/nothing-like-it").status_code == 404


@database
def test_the_project_list_without_projects(get):
    assert 'class="empty"' in body(get("/projects"))


# The method, which needs no data of its own ------------------------------------------------------


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("path", ["/method", "/method/m1", "/method/m2", "/method/factors"])
def test_method_pages(get, path, lang):
    page = body(get(path, lang))
    assert page.count("<h1") == 1
    assert f'<html lang="{lang}"' in page


@pytest.mark.parametrize("lang", LANGUAGES)
def test_each_method_is_explained_as_it_is(get, lang):
    old, new, current = (body(get(path, lang)) for path in ("/method/m1", "/method/m2", "/method"))
    assert "2026.1" in old.partition("</h1>")[2].partition("</p>")[0]
    assert "2026.2" in new.partition("</h1>")[2].partition("</p>")[0]
    assert prose(new) == prose(current)
    assert 'class="note"' in old
    assert 'class="note"' not in new
    # m2 has an example; m1 the doubt over which it divides and multiplies.
    assert "125" in prose(new)
    assert "125" not in prose(old)
    assert prose(old).count("60%") > prose(new).count("60%")


def prose(page):
    return "".join(re.findall(r'<div class="prose">(.*?)</div>', page, re.DOTALL))


@pytest.mark.parametrize(
    "path",
    ["/method/m99", "/method/factors/nothing.like.it", "/method/factors?edition=1.1",
     "/method/factors.csv?edition=1.1"],
)  # fmt: skip
def test_what_the_method_does_not_have(get, path):
    assert get(path).status_code == 404


def test_every_source_is_thanked(get):
    page = body(get("/method"))
    assert "Open Government Licence v3.0" in page
    assert "GeoNames" in page


def test_factors_are_found_by_word_and_filter(get):
    page = body(get("/method/factors?q=high_speed&region=CN"))
    assert "transport.rail.high_speed" in page
    only_a = body(get("/method/factors?quality=A"))
    assert "A ±" in only_a
    assert not re.search(r'nb">[BCD] ±', only_a)
    assert 'class="empty"' in body(get("/method/factors?q=zzzzzz"))


def test_every_factor_is_reached_by_paging(get):
    seen, number = 0, 1
    while True:
        page = body(get(f"/method/factors?page={number}"))
        seen += len(re.findall(r"<tr><td", page))
        if 'rel="next"' not in page:
            break
        number += 1
    assert seen == len(newest().rows())


@pytest.mark.parametrize("edition", [edition.id for edition in factor_sets()])
def test_an_edition_is_downloaded_whole(get, edition):
    whole = next(each for each in factor_sets() if each.id == edition)
    data = get(f"/method/factors.json?edition={edition}").json()
    assert data["sha256"] == whole.sha256
    assert [row["id"] for row in data["factors"]] == [row.id for row in whole.rows()]
    assert [row["value"] for row in data["factors"]] == [f"{row.value:f}" for row in whole.rows()]
    rows = table(get(f"/method/factors.csv?edition={edition}"))
    assert len(rows) == len(whole.rows())
    assert all(row["source_org"] and row["licence"] for row in rows)


def test_a_factor_shows_all_regions_and_editions(get):
    page = body(get("/method/factors/accommodation.hotel.room"))
    regions = {row.region for row in newest().rows() if row.id == "accommodation.hotel.room"}
    assert all(f"<span>{region}" in page for region in regions)
    assert all(f"Edition {edition.id}" in page for edition in factor_sets())


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("path", ["/about", "/privacy", "/terms", "/accessibility", "/v"])
def test_pages_of_words(get, path, lang):
    page = body(get(path, lang))
    assert page.count("<h1") == 1
    assert page.count("<main") == 1
