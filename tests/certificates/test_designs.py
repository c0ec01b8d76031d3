"""The contract of a certificate design, kept by every folder of ``certificates/designs``."""

import hashlib
import io
import itertools
import json
import struct
import subprocess
import sys

import pymupdf
import pypdf
import pytest
import zxingcpp
from PIL import Image

from diandian.certificates import design
from diandian.claims import wording
from diandian.kernel.canonical import canonical_json
from diandian.kernel.tokens import spaced_code
from diandian.verifier import credential
from tests.certificates.documents import KEY, held, lump_sum, record, sign

LANGUAGES = ("zh-Hans", "en", "nl")
NAMES = (
    "林晚",
    "",
    "𠮷野家 龘",
    "Zoë Ĳsbrand van 't Hof",
    "林" * 24,
    "W" * 24,
    "Nguyễn Thị Minh Khai",
    # Legal names of organisations.
    "Chengdu Tianfu Low-Carbon Building and Construction Society",
    "天府低碳建筑与可持续交通联合学会" * 3 + "成都市武侯区分会筹备组",
    "W" * 60,
)
LONG = {
    "zh-Hans": "第二十八届中国西部低碳建筑、绿色园区与可持续交通联合年会暨青年论坛" * 2,
    "en": "The Twenty-Eighth Joint Conference on Low-Carbon Building, Parks and Transport " * 2,
    "nl": "Achtentwintigste gezamenlijke conferentie over koolstofarm bouwen en vervoer " * 2,
}
SCENE_URL = "https://diandian.example/s/tianfu26"
PDF_LIMIT, PNG_LIMIT = 200_000, 300_000

pytestmark = pytest.mark.parametrize("key", sorted(design.designs()))


def pdf(made, lang, key, **options):
    return design.render_pdf(sign(made), lang, design_key=key, **options)


def words(data):
    text = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data)).pages)
    return squeezed(text)


def squeezed(text):
    """Return a text without white space and places where a line may break."""
    return "".join(text.replace("\u200b", "").split())


def picture(data):
    return Image.open(io.BytesIO(data)).convert("RGB")


def page_picture(data, dpi=110):
    pixels = pymupdf.open(stream=data)[0].get_pixmap(dpi=dpi)
    return picture(pixels.tobytes("png"))


def codes(image):
    return [found.text for found in zxingcpp.read_barcodes(image)]


def size(png):
    return struct.unpack(">II", png[16:24])


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("made", [record(), held(), lump_sum(), record(claim__jurisdiction="NL")])
def test_the_paper_says_what_the_record_says(key, made, lang):
    data = pdf(made, lang, key)
    text = words(data)
    for said in (
        wording.title(made, lang),
        wording.statement(made, lang),
        wording.claim_line(made, lang),
        made["beneficiary"]["display_name"],
        spaced_code(made["code"]),
        made["ranges"][0]["serial_first"],
        "SAMPLE DATA",
    ):
        assert squeezed(said) in text
    assert wording.find_banned(text, wording.style_of(made)) == []
    assert len(data) < PDF_LIMIT


@pytest.mark.parametrize("ink_saver", [False, True])
def test_the_paper_is_one_tagged_page_with_its_credential_and_its_code(key, ink_saver):
    document = sign(record())
    data = design.render_pdf(document, "zh-Hans", ink_saver=ink_saver, design_key=key)
    reader = pypdf.PdfReader(io.BytesIO(data))
    assert len(reader.pages) == 1
    assert [round(float(side)) for side in reader.pages[0].mediabox[2:]] == [842, 595]
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert reader.trailer["/Root"]["/Lang"].startswith("zh")
    metadata = reader.xmp_metadata.stream.get_data()
    assert b"pdfaid:part>3<" in metadata
    assert b"pdfuaid:part>1<" in metadata
    (attached,) = reader.attachments["certificate.json"]
    assert attached == canonical_json(document)
    assert credential.verify(json.loads(attached), KEY.public_key()) == []
    assert codes(page_picture(data)) == [document["id"]]


def test_the_code_on_paper_is_wide_enough(key):
    page = page_picture(pdf(record(), "en", key), dpi=254)  # ten pixels a millimetre
    (found,) = zxingcpp.read_barcodes(page)
    assert found.position.top_right.x - found.position.top_left.x >= 239


def test_all_text_is_large_enough_to_read(key):
    for lang, made in itertools.product(LANGUAGES, (record(), record(scene__names=LONG))):
        blocks = pymupdf.open(stream=pdf(made, lang, key))[0].get_text("dict")["blocks"]
        spans = [s for b in blocks for line in b.get("lines", []) for s in line["spans"]]
        small = {s["text"] for s in spans if s["text"].strip() and round(s["size"], 2) < 8.5}
        assert small == set()


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", NAMES)
def test_hard_names_stand_whole_on_paper_and_picture(key, name, lang):
    made = record(beneficiary__display_name=name, scene__names=LONG)
    data = pdf(made, lang, key)
    shown = name or wording.guest_name(lang)
    assert squeezed(shown) in words(data)
    page = pymupdf.open(stream=data)[0]
    assert page.rect.contains(pymupdf.Rect(page.get_text("words")[0][:4]))
    for word in page.get_text("words"):
        assert page.rect.contains(pymupdf.Rect(word[:4])), word
    assert codes(page_picture(data)) == [made["verify_url"]]
    png = design.render_phone_png(made, lang, design_key=key)
    assert codes(picture(png)) == [made["verify_url"]]


def test_text_blocks_do_not_run_into_the_code(key):
    for lang in LANGUAGES:
        made = record(scene__names=LONG, project__names=LONG, beneficiary__display_name="W" * 60)
        page = pymupdf.open(stream=pdf(made, lang, key))[0]
        lines = [
            pymupdf.Rect(line["bbox"])
            for block in page.get_text("dict")["blocks"]
            for line in block.get("lines", [])
        ]
        for one, two in itertools.combinations(lines, 2):
            common = one & two
            assert common.is_empty or common.height < 4 or common.width < 1, (lang, one, two)


def test_a_name_cannot_give_orders_to_the_typesetter(key):
    name = '#panic("x") $a$ *b* @c'
    assert squeezed(name) in words(pdf(record(beneficiary__display_name=name), "en", key))


def test_unprintable_letters_of_old_records_never_stop_a_certificate(key):
    made = record(beneficiary__display_name="محمد 😀", project__names={"en": "Sun ☀️ ไทย"})
    assert "□□□□" in words(pdf(made, "en", key))


def test_pictures_have_their_size_and_a_code_to_follow(key):
    for lang, made in itertools.product(LANGUAGES, (record(), held(), lump_sum())):
        phone = design.render_phone_png(made, lang, design_key=key)
        assert size(phone) == (1080, 1920)
        assert len(phone) < PNG_LIMIT
        assert codes(picture(phone)) == [made["verify_url"]]
        share = design.render_share_png(made, SCENE_URL, lang, design_key=key)
        assert size(share) == (1080, 1440)
        assert len(share) < PNG_LIMIT
        assert codes(picture(share)) == [SCENE_URL]


@pytest.mark.parametrize("dots", [60, 200, 254, 280, 332, 400])
def test_a_full_picture_stays_small_while_it_is_held(key, dots):
    shares = {"travel": dots // 3, "stay": dots // 3, "local": dots - 2 * (dots // 3)}
    made = held(dots=shares, mass_g=dots * 1000, beneficiary__display_name="青年委员" * 5)
    for lang in LANGUAGES:
        phone = design.render_phone_png(made, lang, design_key=key)
        assert len(phone) <= PNG_LIMIT, (lang, len(phone))


def test_the_shared_picture_names_nobody(key):
    one = design.render_share_png(record(), SCENE_URL, "en", design_key=key)
    two = record(beneficiary__display_name="Somebody Else")
    assert design.render_share_png(two, SCENE_URL, "en", design_key=key) == one


@pytest.mark.parametrize("dots", [1, 2, 124, 400])
def test_a_bloom_has_exactly_its_dots(key, dots):
    made = record(dots={"travel": dots}, mass_g=dots * 1000)
    page = pymupdf.open(stream=pdf(made, "en", key))[0]
    drawn = [
        drawing
        for drawing in page.get_drawings()
        if drawing["type"] == "f" and drawing["rect"].y1 < 300 and drawing["rect"].x1 < 339
        and abs(drawing["rect"].width - drawing["rect"].height) < 0.1
    ]  # fmt: skip
    assert len(drawn) == dots
    assert str(dots) in words(pdf(made, "en", key))


def test_held_and_retired_look_different(key):
    assert pdf(held(), "en", key) != pdf(record(), "en", key)
    one, two = (
        design.render_phone_png(made, "en", design_key=key)
        for made in (record(), record(state="held"))
    )
    assert picture(one).crop((0, 0, 1080, 700)).tobytes() != (
        picture(two).crop((0, 0, 1080, 700)).tobytes()
    )


def test_the_same_record_gives_the_same_bytes_in_any_process(key):
    made, lang = record(), "zh-Hans"
    here = hashlib.sha256(pdf(made, lang, key)).hexdigest()
    assert hashlib.sha256(pdf(made, lang, key)).hexdigest() == here
    program = (
        "import hashlib;"
        "from diandian.certificates import design;"
        "from tests.certificates.documents import record, sign;"
        f"print(hashlib.sha256(design.render_pdf(sign(record()), {lang!r},"
        f" design_key={key!r})).hexdigest())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == here


def test_many_ranges_are_counted_and_the_first_are_shown(key):
    made = record()
    piece = made["ranges"][0]
    made["ranges"] = [
        {**piece, "serial_first": f"CD-S-{n:06d}", "serial_last": f"CD-S-{n + 1:06d}"}
        for n in range(1, 10, 2)
    ]
    text = words(pdf(made, "en", key))
    assert "CD-S-000001" in text
    assert "CD-S-000003" in text
    assert "3more" in text


def test_without_flags_nothing_calls_it_a_sample(key):
    made = record(sample=False, simulated_registry=False, no_money_moved=False)
    assert "SAMPLEDATA" not in words(pdf(made, "en", key)).replace("CD-SAMPLE", "")
    one_flag = record(sample=False, no_money_moved=False)
    assert "simulatedregistry" in words(pdf(one_flag, "en", key))


def test_a_design_speaks_all_languages(key):
    chosen = design.design(key)
    assert set(chosen.words) == set(chosen.languages) == set(chosen.names) == set(LANGUAGES)
    names = {lang: set(chosen.words[lang]) for lang in LANGUAGES}
    assert names["zh-Hans"] == names["en"] == names["nl"]
    assert set(chosen.cloth) == set(chosen.paper)
