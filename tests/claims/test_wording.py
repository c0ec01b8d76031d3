import itertools
import string

import pytest

from diandian.claims import texts, wording
from diandian.claims.levels import Level, Style
from tests.certificates.documents import held, lump_sum, record

pytestmark = pytest.mark.pure

LANGUAGES = ("zh-Hans", "en", "nl")
STYLES = ("compensation", "contribution")
KINDS = ("conference", "scenic_spot", "supermarket", "restaurant", "hotel", "other", "unheard_of")


def sentences(made, lang):
    return [
        wording.title(made, lang),
        wording.brand(made, lang),
        wording.statement(made, lang),
        wording.claim_line(made, lang),
        wording.state_line(made, lang),
        wording.share_line(made, lang),
        wording.preview_title(made, lang),
        wording.reduce_first(made, lang),
        *wording.what_it_says(made, lang),
    ]


def records():
    for style, kind in itertools.product(STYLES, KINDS):
        yield record(claim__style=style, scene__kind=kind)
        yield held(claim__style=style, scene__kind=kind)
    for style, level in itertools.product(STYLES, ("L2", "L3", "L4")):
        for mass_g in (60_000, 124_000, 150_000, 165_000):
            yield record(claim__style=style, claim__level=level, mass_g=mass_g)
        yield lump_sum(claim__style=style, claim__level=level)
    yield record(claim__audience="event", dots={"venue": 80, "food": 44})
    for style, holder in itertools.product(STYLES, ("host", "company", "sponsor")):
        of_scene = record()["scene"] if holder == "host" else None
        yield lump_sum(claim__style=style, holder_kind=holder, scene=of_scene)
        yield held(claim__style=style, holder_kind=holder, estimate=None, purpose="lump_sum")
    yield record(scene=None)
    yield record(dots={})


ALL = list(records())


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_state_has_whole_sentences(lang):
    for made in ALL:
        for text in sentences(made, lang):
            assert text.strip()
            assert not set(text) & set("{}")
            assert "  " not in text


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_sentence_says_what_its_surface_may_not(lang):
    for made in ALL:
        style = wording.style_of(made)
        for text in sentences(made, lang):
            assert wording.find_banned(text, style) == []


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("place", ["NL", "DE", "", "EU"])
def test_outside_china_the_strict_words_are_used_whatever_was_wished(lang, place):
    made = record(claim__style="compensation", claim__jurisdiction=place)
    assert wording.title(made, lang) == wording.title("contribution", lang)
    for text in sentences(made, lang):
        assert wording.find_banned(text, "contribution") == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_claim_of_every_retired_certificate_says_what_it_does_not_mean(lang):
    denial = {
        "zh-Hans": "并不表示这次出行没有排放",
        "en": "does not mean the trip was emission-free",
    }
    denial["nl"] = "betekent niet dat de reis zonder uitstoot was"
    for level in ("L2", "L3", "L4"):
        assert denial[lang] in wording.claim_line(record(claim__level=level), lang)


def test_retirement_is_told_in_the_past_tense_only_when_it_happened():
    past = {"zh-Hans": "购买并注销", "en": "retired", "nl": "laten afboeken"}
    for lang, words in past.items():
        assert words in wording.statement(record(), lang)
        assert words not in wording.statement(held(), lang).replace("will be retired", "")
        assert "2026-12-01" in wording.statement(held(), lang)
        assert "2026-12-01" in wording.claim_line(held(), lang)


def test_the_comparison_follows_the_grams():
    def compared(mass_g):
        return wording.statement(record(mass_g=mass_g), "en")

    assert "about 48% of the estimated" in compared(60_000)
    assert "equal to the estimated" in compared(124_000)
    assert "more than the estimated" in compared(150_000)
    assert "at least the upper estimate" in compared(165_000)
    assert "estimated" not in wording.statement(lump_sum(), "en")


def test_a_contribution_is_never_compared_with_the_trip():
    for lang in LANGUAGES:
        strict = wording.statement(record(claim__style="contribution"), lang)
        assert "124" in strict
        for word in ("equal", "等量", "gelijk"):
            assert word not in strict


def test_nobody_claims_a_whole_event_in_the_strict_style():
    loose = wording.claim_line(record(claim__level="L4"), "en")
    strict = wording.claim_line(record(claim__level="L4", claim__jurisdiction="NL"), "en")
    assert "2019" in loose
    assert "2019" not in strict


def test_the_share_line_speaks_of_the_whole_trip_only_when_it_is_covered():
    assert "taken care of" in wording.share_line(record(), "en")
    assert "taken care of" not in wording.share_line(record(mass_g=60_000), "en")
    assert "taken care of" not in wording.share_line(held(), "en")
    assert "林晚" not in wording.share_line(record(), "zh-Hans")


def test_amounts_are_exact_when_retired_and_modest_when_estimated():
    line = " ".join(wording.what_it_says(record(mass_g=123_456), "nl"))
    assert "123,456\u202fkg" in line
    assert "90–165\u202fkg" in line


def test_every_label_exists_for_every_style_and_language():
    for key, style, lang in itertools.product(texts.LABELS, STYLES, LANGUAGES):
        assert wording.label(key, style, lang, dots=3, mass="2 t", name="Lin Co")
    for style, lang in itertools.product(STYLES, LANGUAGES):
        for text in (
            wording.cta(style, lang),
            wording.match_button(style, 124, lang),
            wording.voluntary(lang, style),
            wording.board_line(style, 12, lang),
            *itertools.chain(*wording.poster_words(style, lang)["steps"]),
        ):
            assert text
            assert wording.find_banned(text, style) == []
    for key, lang in itertools.product(texts.VERIFY_ANSWERS, LANGUAGES):
        assert wording.verify_answer(key, lang)


def test_the_default_honest_line_suits_every_surface():
    for lang in LANGUAGES:
        assert wording.find_banned(wording.voluntary(lang), "contribution") == []


def test_tables_have_the_same_blanks_in_every_language():
    def blanks(text):
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    def texts_in(value):
        if (
            isinstance(value, dict)
            and set(value) == set(LANGUAGES)
            and isinstance(value["en"], str)
        ):
            yield value
        elif isinstance(value, dict):
            for item in value.values():
                yield from texts_in(item)

    tables = [value for name, value in vars(texts).items() if name.isupper()]
    found = list(texts_in({str(i): table for i, table in enumerate(tables)}))
    assert len(found) > 60
    for text in found:
        assert blanks(text["en"]) == blanks(text["zh-Hans"]) == blanks(text["nl"])


@pytest.mark.parametrize(
    ("text", "style", "found"),
    [
        ("We are carbon neutral", "contribution", ["carbon neutral"]),
        ("CARBON-NEUTRAL shop", "contribution", ["carbon neutral"]),
        ("carbon\u200bneutral", "contribution", ["carbon neutral"]),
        ("\uff43arbon neutral", "contribution", ["carbon neutral"]),
        ("点点碳中和", "contribution", ["中和"]),
        ("点点碳中和", "compensation", []),
        ("CO₂-neutraal deelnemen", "contribution", ["co2 neutraal"]),
        ("a net-zero hall, offset", "compensation", ["net zero", "offset"]),
        ("零排放会议", "compensation", ["零排放"]),
        ("this does not mean the trip was emission-free.", "contribution", []),
        ("the trip was emission-free", "compensation", ["emission free"]),
        ("a contribution to the project", "contribution", []),
        ("设为offset值", "compensation", ["offset"]),
        ("neutrality is a word, offsetter is none of ours", "contribution", ["neutrality"]),
    ],
)
def test_the_linter_finds_banned_words_in_any_dress(text, style, found):
    assert wording.find_banned(text, style) == found


def test_every_banned_word_is_found_where_it_is_banned():
    for style in Style:
        for term in wording.banned_terms(style):
            assert wording.find_banned(f"x {term} y", style) == [term]
    assert set(wording.banned_terms("compensation")) < set(wording.banned_terms("contribution"))


def test_all_levels_have_a_line():
    assert set(texts.CLAIM_LINES) == set(Level)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_an_organisation_speaks_of_itself_and_its_name_is_only_as_stated(lang):
    person, company = lump_sum(), lump_sum(holder_kind="company")
    stated = texts.FACTS["stated_name"][lang]
    assert stated in wording.what_it_says(company, lang)
    assert stated not in wording.what_it_says(person, lang)
    assert wording.share_line(company, lang) != wording.share_line(person, lang)


@pytest.mark.parametrize(
    ("lang", "held_event"), [("zh-Hans", "举办"), ("en", "for holding"), ("nl", "het houden van")]
)
def test_a_host_held_the_event_and_did_not_visit_it(lang, held_event):
    scene = record()["scene"]
    said = wording.statement(lump_sum(holder_kind="host", scene=scene), lang)
    assert held_event in said
    assert held_event not in wording.statement(record(), lang)


def test_a_record_from_before_organisations_is_a_persons():
    old = record()
    old.pop("holder_kind", None)
    assert not wording.is_organisation(old)
