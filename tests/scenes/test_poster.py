import io

import pymupdf
import pypdf
import pytest
import zxingcpp
from PIL import Image

from diandian.claims import wording
from diandian.scenes.poster import render_poster
from tests.certificates.documents import record

URL, SHORT = "https://diandian.example/s/tianfu26?c=p1", "diandian.example/s/tianfu26"


def scene(**changes):
    base = {"claim_style": "compensation", "country": "CN", "audience": "guest", "sample": True}
    return {**record()["scene"], **base, **changes}


def words(data):
    (page,) = pypdf.PdfReader(io.BytesIO(data)).pages
    return "".join(page.extract_text().split())


def read(data, *, grey=False, dpi=100):
    png = pymupdf.open(stream=data)[0].get_pixmap(dpi=dpi).tobytes("png")
    image = Image.open(io.BytesIO(png)).convert("L" if grey else "RGB")
    return zxingcpp.read_barcodes(image)


@pytest.mark.parametrize("lang", ["zh-Hans", "en", "nl"])
@pytest.mark.parametrize("country", ["CN", "NL"])
def test_a_poster_asks_shows_and_leads(lang, country):
    data = render_poster(scene(country=country), URL, SHORT, lang)
    style = "compensation" if country == "CN" else "contribution"
    text = words(data)
    said = wording.poster_words(style, lang)
    for part in (
        *said["question"].split("|"),
        SHORT,
        said["honest"],
        *(s[0] for s in said["steps"]),
    ):
        assert "".join(part.split()) in text
    assert wording.find_banned(text, style) == []
    assert [found.text for found in read(data)] == [URL]
    assert [found.text for found in read(data, grey=True)] == [URL]
    assert len(data) < 200_000


def test_the_code_is_seventy_eight_millimetres_wide():
    (found,) = read(render_poster(scene(), URL, SHORT, "zh-Hans"), dpi=254)
    width = found.position.top_right.x - found.position.top_left.x
    assert 770 <= width <= 785


def test_the_same_poster_gives_the_same_bytes():
    assert render_poster(scene(), URL, SHORT, "nl") == render_poster(scene(), URL, SHORT, "nl")


@pytest.mark.parametrize("lang", ["zh-Hans", "en", "nl"])
def test_long_names_and_open_ended_venues_stay_on_the_page(lang):
    long = dict.fromkeys(("zh-Hans", "en", "nl"), "天府低碳建筑与可持续交通年会 Conference " * 4)
    data = render_poster(
        scene(names=long, host_names=long, ends_on=None, sample=False),
        URL,
        "x.example/" + "s" * 60,
        lang,
    )
    page = pymupdf.open(stream=data)[0]
    for word in page.get_text("words"):
        assert page.rect.contains(pymupdf.Rect(word[:4])), word
    assert "SAMPLE" not in words(data)
