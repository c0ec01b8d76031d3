"""Template tags and the frame, in three languages; the style page in a browser."""

import re
from datetime import date
from pathlib import Path

import pytest
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.template import Context, Template
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.utils import translation
from django_htmx.middleware import HtmxDetails

import diandian.ui
from diandian.kernel.errors import InputError
from diandian.kernel.money import Money
from diandian.ui.htmx import render
from tests.places import chromium

STATIC = Path(diandian.ui.__file__).parent / "static"
LANGUAGES = ("zh-hans", "en", "nl")


class Words(dict):
    """Any word of the style page, long enough to show how lines break."""

    def __missing__(self, key):
        return f"{key} 二氧化碳当量 reisverblijfskosten"


def style_page(lang, path="/style?page=2&q=a%26b"):
    context = {
        "scene": {"chip": "会议 · 成都", "title": "2026 |天府低碳建筑|年会", "place": "Hall 3",
                  "host": "Host", "first": date(2026, 11, 26), "last": date(2026, 11, 27)},
        "words": Words(dot="点"),
        "done_g": 34_000_000,
        "total_g": 92_000_000,
        "dots": {"travel": 43, "stay": 76, "local": 5},
        "modes": [(name, name) for name in ("train", "plane", "car", "coach", "metro", "help")],
        "stays": ["Budget", "Mid", "High", "Friends"],
        "price": Money(744, "CNY"), "fee": Money(60, "CNY"), "sum": Money(804, "CNY"),
        "split": [("primary", 744), ("fee", 60)],
        "board": [{"name": f"Guest {n}", "seed": n * 7919, "count": 9 - n} for n in range(4)],
        "errors": [{"field": "from_city", "text": "We don't know <Xian>."}],
        "page": Paginator(range(50), 10).page(2),
    }  # fmt: skip
    with translation.override(lang):
        return render_to_string("ui/styleguide.html", context, request=RequestFactory().get(path))


def tag(source, **context):
    return Template(source).render(Context(context))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_page_obeys_the_security_policy_and_escapes_what_it_is_given(lang):
    html = style_page(lang)
    assert " style=" not in html
    assert not re.search(r"<script(?![^>]* src=)|\son\w+=", html)
    assert "<Xian>" not in html
    assert "We don&#x27;t know &lt;Xian&gt;." in html


@pytest.mark.parametrize(
    ("lang", "written", "grams"),
    [("zh-hans", "zh-Hans", "34\u202f吨"), ("en", "en", "34\u202ft"), ("nl", "nl", "34\u202ft")],
)
def test_page_speaks_its_language_and_links_the_others(lang, written, grams):
    html = style_page(lang)
    assert f'<html lang="{written}">' in html
    assert grams in html
    links = re.findall(r'href="([^"]*)" lang="([^"]*)" hreflang', html)
    assert [code for _, code in links] == ["zh-Hans", "en", "nl"]
    assert links[1][0] == "/style?page=2&amp;q=a%26b&amp;lang=en"
    assert f'lang="{written}" rel' in html or f'hreflang="{written}"' in html


def test_errors_stand_in_the_title_the_summary_and_beside_the_field():
    html = style_page("en")
    assert re.search(r"<title>Error: ", html)
    assert '<a href="#from_city">' in html
    assert 'aria-invalid="true" aria-describedby="from_city-error"' in html
    assert 'id="from_city-error"' in html


def test_test_mode_is_said_on_the_page(settings):
    settings.TEST_MODE = True
    assert 'class="testbar"' in style_page("en")
    settings.TEST_MODE = False
    assert 'class="testbar"' not in style_page("en")


def test_refusals_are_said_with_their_parameters():
    class TooFarError(InputError):
        message = "%(km)s km is too far."

    error = TooFarError(field="km", km=50_000)
    assert tag("{{ error|said }}", error=error) == "50000 km is too far."
    found = tag("{% error_at errors 'km' %}", errors=[error])
    assert found == "50000 km is too far."
    assert tag("{% invalid errors 'other' %}", errors=[error]) == ""


def test_titles_break_between_words_and_are_escaped():
    assert tag("{% wbr_title t %}", t="2026 |年会|<b>") == "2026 <wbr>年会<wbr>&lt;b&gt;"
    assert tag("{{ t|plain_title }}", t="2026 |年会") == "2026 年会"


def test_qr_keeps_its_quiet_zone_and_says_what_it_is():
    with translation.override("en"):
        html = tag("{% qr url 120 %}", url='https://example.org/v/7K3M?a="b"')
    assert 'role="img"' in html
    assert "&quot;b&quot;" in html
    side = int(re.search(r'viewBox="0 0 (\d+)', html)[1])
    runs = [(int(x), int(y), int(w)) for x, y, w in re.findall(r"M(\d+) (\d+)\.5h(\d+)", html)]
    assert min(x for x, _, _ in runs) == min(y for _, y, _ in runs) == 4
    assert max(x + w for x, _, w in runs) == max(y for _, y, _ in runs) + 1 == side - 4


def test_dots_have_a_twin_in_words():
    with translation.override("en"):
        html = render_to_string("ui/_dots.html", {"dots": {"travel": 43, "stay": 76}, "scale": 1})
    assert html.count("h0") == 2 * (43 + 76)  # each hollow dot is a disc and its ground
    words = re.sub(r"<svg.*</svg>|<[^>]*>", " ", html).split()
    assert words == ["Travel", "43", "Stay", "76", "1", "dot", "=", "1", "kg", "CO₂e"]


@pytest.mark.parametrize(("tone", "role"), [("ok", "status"), ("warn", "status"), ("bad", "alert")])
def test_messages_are_announced(tone, role):
    html = render_to_string("ui/_message.html", {"tone": tone, "title": "T", "text": "<x>"})
    assert f'class="banner {tone}" role="{role}"' in html
    assert "&lt;x&gt;" in html


@pytest.mark.parametrize(("step", "expected"), [(1, "now"), (3, "on on now"), (5, "on on on on")])
def test_step_dots(step, expected):
    html = render_to_string("ui/_top_steps.html", {"step": step, "back_url": "/s/x"})
    assert " ".join(re.findall(r'<i class="(\w+)"', html)) == expected
    assert 'role="img" aria-label="' in html


@pytest.mark.parametrize("name", ["404", "403", "500"])
def test_error_pages_stand_without_context(name):
    assert "<h1>" in render_to_string(f"ui/{name}.html")


def test_error_page_gives_the_reference():
    assert "4F2A" in render_to_string("ui/500.html", {"reference": "4F2A"})


@pytest.mark.parametrize(
    ("headers", "whole"),
    [
        ({}, True),
        ({"HX-Request": "true"}, False),
        ({"HX-Request": "true", "HX-Boosted": "true"}, True),
        ({"HX-Request": "true", "HX-History-Restore-Request": "true"}, True),
    ],
)
def test_fragment_only_when_a_part_is_asked_for(headers, whole):
    request = RequestFactory().get("/", headers=headers)
    request.htmx = HtmxDetails(request)
    response = render(request, "ui/404.html", {"title": "None"}, "ui/_empty.html", status=404)
    assert isinstance(response, HttpResponse)
    assert (b"<!doctype html>" in response.content) is whole
    assert response.status_code == 404
    assert "HX-Request" in response["Vary"]


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as player:
        opened = player.chromium.launch(
            executable_path=chromium(),
            args=["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"],
        )
        yield opened
        opened.close()


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize(
    ("lang", "width", "scheme"),
    [("zh-hans", 390, "light"), ("nl", 320, "light"), ("nl", 1280, "dark")],
)
def test_style_page_in_a_browser(browser, tmp_path, lang, width, scheme):
    from axe_playwright_python.sync_playwright import Axe

    page_file = tmp_path / "style.html"
    page_file.write_text(
        style_page(lang).replace("/static/", f"{STATIC.as_uri()}/"), encoding="utf-8"
    )
    page = browser.new_page(
        viewport={"width": width, "height": 800}, color_scheme=scheme, reduced_motion="reduce"
    )
    page.goto(page_file.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    short = page.evaluate(
        "[...document.querySelectorAll('main a, main button, label.tile, .seg label, .lang a')]"
        ".filter(e => e.getBoundingClientRect().height < 24).map(e => e.outerHTML)"
    )
    assert short == []
    found = [
        (each["id"], each["nodes"][0]["html"]) for each in Axe().run(page).response["violations"]
    ]
    assert found == []
    page.close()
