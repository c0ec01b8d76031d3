"""What a certificate for a year of life says: the whole, a part, and never a word about a trip."""

import pytest

from diandian.claims import wording
from tests.certificates.documents import held, record

pytestmark = pytest.mark.pure

LANGUAGES = ("zh-Hans", "en", "nl")
LIFE = {
    "purpose": "life",
    "scene": None,
    "claim__style": "contribution",
    "claim__level": "L2",
    "dots": {"stay": 40, "travel": 60, "food": 10, "goods": 10, "local": 4},
}


def sentences(made, lang):
    return [
        wording.statement(made, lang),
        wording.claim_line(made, lang),
        wording.share_line(made, lang),
        wording.preview_title(made, lang),
        wording.reduce_first(made, lang),
        *wording.what_it_says(made, lang),
    ]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("make", [record, held])
def test_whole_sentences_that_name_no_trip(lang, make):
    level = {"claim__level": "L1"} if make is held else {}
    for mass_g in (10_000, 124_000, 165_000):
        made = make(**LIFE | level, mass_g=mass_g)
        for text in sentences(made, lang):
            assert text.strip()
            assert not set(text) & set("{}")
            assert wording.find_banned(text, "contribution") == []
            assert not any(word in text.lower() for word in ("trip", "行程", "这次出行", "reis"))


def test_a_part_is_said_to_be_a_part_and_the_whole_is_not():
    part = wording.what_it_says(record(**LIFE, mass_g=10_000), "en")
    assert "The amount here is about 8% of that estimate; the rest is not part of it." in part
    whole = " ".join(wording.what_it_says(record(**LIFE, mass_g=124_000), "en"))
    assert "of that estimate" not in whole


def test_the_groups_have_their_own_words_and_the_range_is_a_years():
    made = record(**LIFE)
    said = wording.what_it_says(made, "en")
    assert any(
        "home, getting around, food, things and digital and services" in line for line in said
    )
    assert wording.category("stay", "en", made) == "home"
    assert wording.category("stay", "en", record()) == wording.category("stay", "en") == "stay"
    assert wording.estimated_range(made, "en").endswith(" a year")
    assert not wording.estimated_range(record(), "en").endswith(" a year")
    assert wording.estimated_range(record(estimate=None), "en") == ""


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_claim_says_that_the_year_still_emitted(lang):
    words = {
        "zh-Hans": "这一年没有排放",
        "en": "the year was emission-free",
        "nl": "het jaar zonder uitstoot",
    }
    assert words[lang] in wording.claim_line(record(**LIFE), lang)
