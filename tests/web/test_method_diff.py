"""The page that compares two editions of the factors."""

import re

import pytest

from diandian.emissions.factor_diff import changed_factors
from diandian.emissions.factor_set import factor_set
from diandian.emissions.known_trips import TRIPS


@pytest.fixture
def page(client):
    def fetch(query="", lang="en"):
        answer = client.get(f"/method/diff{query}", headers={"accept-language": lang})
        assert answer.status_code == 200
        return answer.content.decode()

    return fetch


@pytest.mark.parametrize("lang", ["zh-Hans", "en", "nl"])
def test_it_shows_trips_reasons_and_rows(page, lang):
    text = page("?from=2024.1&to=2026.1", lang)
    assert text.count("<h1") == 1
    assert f'<html lang="{lang}"' in text
    rows = changed_factors(factor_set("2024.1"), factor_set("2026.1"))
    assert len(re.findall(r"<tr><td", text)) == len(TRIPS) + len(rows)
    assert "0.20011" in text
    assert "\N{MINUS SIGN}31.4%" in text
    assert len(text.encode()) < 100_000


def test_by_default_the_oldest_and_the_newest(page):
    for query in ("", "?from=&to="):
        assert "Factors 2024.1 and 2026.2 compared</h1>" in page(query)


@pytest.mark.parametrize("lang", ["zh-Hans", "en", "nl"])
def test_another_method_is_said_where_there_is_one(page, lang):
    text = page("?from=2026.1&to=2026.2", lang)
    assert len(re.findall(r"<tr><td", text)) == len(TRIPS)
    [note] = re.findall(r'<p class="note">(.*?)</p>', text)
    assert all(word in note for word in ("2026.1", "m1", "2026.2", "m2"))
    assert 'class="note"' not in page("?from=2024.1&to=2026.1", lang)


def test_one_edition_does_not_differ_from_itself(page):
    text = page("?from=2026.1&to=2026.1")
    assert "transport.air" not in text
    assert len(re.findall(r"<tr><td", text)) == len(TRIPS)


@pytest.mark.parametrize("query", ["?from=1.1", "?to=DESNZ25", "?from=%00&to=2026.1"])
def test_unknown_editions_are_not_found(client, query):
    assert client.get(f"/method/diff{query}").status_code in {400, 404}


def test_the_method_leads_there(client):
    assert 'href="/method/diff"' in client.get("/method").content.decode()
