"""Kept phrases, frame parts and quick numbers say what Django and Babel would say."""

from decimal import ROUND_HALF_UP, Decimal

import pytest
from babel.numbers import format_decimal
from django.template import Context, Template
from django.template.loader import render_to_string
from django.test import RequestFactory, override_settings
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from diandian.ui import format as text

LOCALES = {"zh-Hans": "zh_Hans_CN", "en": "en_GB", "nl": "nl_NL"}


def said(template, lang, **values):
    with translation.override(lang):
        return template.render(Context(values))


def test_one_phrase_in_turn_in_every_language():
    template = Template('{% translate "Projects" %}|{% translate "Projects" as word %}{{ word }}')
    turns = [said(template, lang) for lang in ("en", "zh-hans", "nl", "en", "zh-hans")]
    assert turns[0] == turns[3] == "Projects|Projects"
    assert turns[1] == turns[4] != turns[0]
    assert len({*turns}) == 3


def test_a_sentence_escapes_its_values_and_follows_the_language():
    template = Template(
        "{% blocktranslate with name=who %}Operated by {{ name }}.{% endblocktranslate %}"
    )
    for lang in ("en", "nl", "en", "zh-hans"):
        html = said(template, lang, who="<b>&")
        assert "&lt;b&gt;&amp;" in html
        assert html.startswith("Operated by") is (lang == "en")


def test_a_sentence_counts_and_reads_the_page_s_own_names():
    template = Template(
        "{% blocktranslate count n=how_many with shown=how_many %}{{ shown }} seed{% plural %}"
        "{{ shown }} seeds, {{ other }}{{ missing }}{% endblocktranslate %}"
    )
    assert said(template, "en", how_many=1, other="x") == "1 seed"
    assert said(template, "en", how_many=2, other="x") == "2 seeds, x"


def test_per_cent_signs_survive():
    template = Template(
        '{% translate "100% so" %} {% blocktranslate with n=n %}{{ n }}% so{% endblocktranslate %}'
    )
    assert said(template, "en", n=5) == "100% so 5% so"


def test_the_frame_follows_operator_and_language():
    request = RequestFactory().get("/board")
    with translation.override("en"), override_settings(OPERATOR_NAME="First <Ltd>"):
        assert "First &lt;Ltd&gt;" in render_to_string("ui/404.html", {}, request)
    with translation.override("nl"), override_settings(OPERATOR_NAME="Second", TEST_MODE=False):
        html = render_to_string("ui/404.html", {}, request)
    assert "Second" in html
    assert "First" not in html
    assert 'class="testbar"' not in html
    assert 'href="/board?lang=en"' in html
    assert 'lang="nl" hreflang="nl" rel="nofollow" aria-label="Nederlands" aria-current' in html


@given(st.decimals(-(10**15), 10**15, places=4), st.sampled_from(sorted(LOCALES)))
def test_numbers_are_grouped_as_the_locale_data_say(value, lang):
    whole = value.quantize(Decimal(1), rounding=ROUND_HALF_UP)
    assert text.number(value, lang) == format_decimal(whole, "#,##0", locale=LOCALES[lang])


@pytest.mark.parametrize("lang", sorted(LOCALES))
def test_masses_keep_the_locale_s_decimal_mark(lang):
    shown = format_decimal(Decimal("12.3"), "#,##0.0", locale=LOCALES[lang])
    assert text.mass_number(12_345_678, lang) == (shown, True)
