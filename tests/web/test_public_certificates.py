"""The certificate page, its papers, and the check that anyone can make."""

import json
import re
from io import BytesIO

import pytest
from pypdf import PdfReader

from diandian.certificates import actions as certificates
from diandian.config import guards
from diandian.kernel.clock import now
from diandian.kernel.memory import Memory
from diandian.kernel.tokens import new_code, spaced_code
from diandian.orders.models import Order
from diandian.ui import limits, rendered
from tests.web.public_world import buy
from tests.web.world import open_scene, open_shop

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh(settings, tmp_path):
    settings.SANDBOX_STORE = tmp_path / "bank.sqlite3"
    settings.DATA_DIR = tmp_path
    Memory.forget_everything()
    limits.misses.forget()


@pytest.fixture
def certificate():
    open_shop()
    return buy(open_scene(), name="Lin Wan")


@pytest.fixture
def get(client):
    def fetch(path, lang="en", **headers):
        return client.get(path, headers={"accept-language": lang, **headers})

    return fetch


def text(response):
    return response.content.decode()


def test_the_page_says_what_the_record_says_and_is_not_indexed(get, certificate):
    response = get(f"/c/{certificate.code}")
    record = certificate.credential["credentialSubject"]
    body = text(response)
    assert response.status_code == 200
    assert response["X-Robots-Tag"] == "noindex"
    assert "Lin Wan" in body
    assert spaced_code(certificate.code) in body
    assert "Retired" in body
    assert body.count("<h1") == 1
    assert "sample" in body.lower()
    dots = sum(record["dots"].values())
    assert dots == record["mass_g"] // 1000
    # Each dot of the flower is one move of the pen.
    flower = body.partition('class="up cloth"')[2].partition("</svg>")[0]
    assert flower.count("h0") == dots


@pytest.mark.parametrize("lang", ["zh-Hans", "en", "nl"])
def test_the_page_is_whole_in_every_language(get, certificate, lang):
    response = get(f"/c/{certificate.code}", lang)
    assert response.status_code == 200
    assert f'<html lang="{lang}"' in text(response)


def test_a_code_is_forgiven_how_it_is_written(get, certificate):
    typed = spaced_code(certificate.code).lower().replace("0", "o")
    response = get(f"/c/{typed}?new=1")
    assert response.status_code == 302
    assert response["Location"] == f"/c/{certificate.code}?new=1"


def test_one_code_on_the_page(get, certificate):
    body = text(get(f"/c/{certificate.code}"))
    assert body.count('class="qrcode"') == 1


def rewrite(certificate, **changes):
    """Put another record into the certificate, as if it had been issued so."""
    credential = dict(certificate.credential)
    credential["credentialSubject"] = {**credential["credentialSubject"], **changes}
    with guards.lifted():
        type(certificate).objects.filter(id=certificate.id).update(credential=credential)


def test_held_kilograms_are_half_dots_and_never_called_retired(get, certificate):
    claim = {**certificate.credential["credentialSubject"]["claim"], "level": "L1"}
    rewrite(certificate, state="held", retired_at=None, retire_by="2026-12-01", claim=claim)
    body = text(get(f"/c/{certificate.code}"))
    flower = body.partition('class="up cloth"')[2].partition("</svg>")[0]
    assert 'class="h' in flower
    words = re.sub(r"<[^>]+>", "", body)
    assert "to be retired by 2026-12-01" in words
    assert 'class="chip warn"' in body
    assert 'class="chip ok' not in body
    assert "were retired" not in body


def test_an_amount_without_a_trip_has_neither_scene_nor_range(get, certificate):
    rewrite(certificate, purpose="lump_sum", scene=None, estimate=None, dots={"goods": 72})
    with guards.lifted():
        type(certificate).objects.filter(id=certificate.id).update(order_ref="api:1")
    body = text(get(f"/c/{certificate.code}"))
    assert "Estimated range" not in body
    assert "/board" not in body.partition("<footer")[0]


def test_only_this_device_is_told_its_place_as_its_own(get, client, certificate):
    from django.core import signing

    orders = certificate.order_ref.removeprefix("order:")
    Order.objects.filter(id=orders).update(guest_key="lin")
    assert "Number 1 here" in text(get(f"/c/{certificate.code}"))
    client.cookies["guest"] = signing.get_cookie_signer(salt="guest").sign("lin")
    assert "You are number 1 here" in text(get(f"/c/{certificate.code}"))


def test_the_page_costs_few_queries(get, certificate, django_assert_max_num_queries):
    get(f"/c/{certificate.code}")
    with django_assert_max_num_queries(3):
        get(f"/c/{certificate.code}")


def test_unknown_codes_are_not_found_and_slow_down(get, settings):
    settings.MISSES_PER_MINUTE = 3
    answers = [get(f"/c/{new_code()}").status_code for _ in range(4)]
    assert answers == [404, 404, 404, 429]


def test_a_revoked_certificate_is_struck_and_makes_no_paper(get, certificate):
    certificates.revoke(certificate, reason="Printed with a wrong name")
    body = text(get(f"/c/{certificate.code}"))
    assert 'class="cert struck"' in body
    assert "Printed with a wrong name" in body
    assert get(f"/c/{certificate.code}.pdf").status_code == 410
    assert get(f"/c/{certificate.code}.png").status_code == 410
    assert get(f"/c/{certificate.code}.json").status_code == 200


def test_the_paper_carries_the_signed_record(get, certificate):
    response = get(f"/c/{certificate.code}.pdf")
    assert response["Content-Type"] == "application/pdf"
    reader = PdfReader(BytesIO(response.content))
    attached = json.loads(reader.attachments["certificate.json"][0])
    assert attached == certificate.credential
    assert attached == get(f"/c/{certificate.code}.json").json()


def test_paper_is_made_once_and_asked_again_by_tag(get, certificate, monkeypatch):
    first = get(f"/c/{certificate.code}.pdf?ink=1")

    def never(*_args, **_kwargs):
        raise AssertionError("made twice")

    monkeypatch.setattr("diandian.certificates.design.render_pdf", never)
    assert get(f"/c/{certificate.code}.pdf?ink=1").content == first.content
    again = get(f"/c/{certificate.code}.pdf?ink=1", **{"if-none-match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_paper_follows_the_asked_language_else_the_holders(get, certificate):
    english = get(f"/c/{certificate.code}.pdf", "nl")
    dutch = get(f"/c/{certificate.code}.pdf?lang=nl")
    assert english["ETag"] != dutch["ETag"]
    assert "-en.pdf" in english["ETag"]


@pytest.mark.parametrize(
    ("ending", "size"),
    [(".png", (1080, 1920)), ("-share.png", (1080, 1440)), ("-preview.png", (300, 300))],
)
def test_pictures(get, certificate, ending, size):
    from PIL import Image

    response = get(f"/c/{certificate.code}{ending}")
    assert response["Content-Type"] == "image/png"
    assert response["X-Robots-Tag"] == "noindex"
    assert Image.open(BytesIO(response.content)).size == size


def test_a_name_that_was_erased_leaves_no_paper_behind(get, certificate, tmp_path):
    get(f"/c/{certificate.code}.pdf")
    assert list((tmp_path / "rendered").rglob(f"{certificate.code}-*"))
    rendered.forget(certificate.code)
    assert not list((tmp_path / "rendered").rglob(f"{certificate.code}-*"))


# Checking ------------------------------------------------------------------------------------


def test_a_genuine_certificate_is_valid(get, certificate):
    response = get(f"/v/{certificate.code}")
    body = text(response)
    assert response.status_code == 200
    assert "Valid · 有效" in body.partition("</h1>")[0]
    assert "Lin Wan" in body
    assert "The signature fits" in body
    assert "Failed" not in body
    record = certificate.credential["credentialSubject"]
    assert record["ranges"][0]["serial_first"] in body


def test_the_form_leads_to_the_answer_whatever_is_pasted(get, certificate):
    for typed in (
        spaced_code(certificate.code).lower(),
        f"https://example.org/c/{certificate.code}.pdf?ink=1",
        f"  {certificate.code[:4]} {certificate.code[4:]} ",
    ):
        response = get(f"/v?q={typed}")
        assert response.status_code == 302, typed
        assert response["Location"] == f"/v/{certificate.code}"


def test_a_slip_is_told_from_a_forgery(get, certificate):
    last = "0" if certificate.code[-1] != "0" else "1"
    slip = get(f"/v/{certificate.code[:-1]}{last}")
    forged = get(f"/v/{new_code()}")
    assert "Mistyped" in text(slip).partition("</h1>")[0]
    assert "does not fit" in text(slip)
    assert "Not found · 查无此证" in text(forged).partition("</h1>")[0]
    assert "never issued" in text(forged)
    assert {slip.status_code, forged.status_code} == {404}


def test_guessing_codes_is_slowed_but_slips_are_not(get, settings):
    settings.MISSES_PER_MINUTE = 2
    assert [get("/v/123").status_code for _ in range(4)] == [404] * 4
    assert [get(f"/v/{new_code()}").status_code for _ in range(3)] == [404, 404, 429]
    put_off = get(f"/v/{new_code()}")
    assert (put_off["Retry-After"], put_off["X-Robots-Tag"]) == ("60", "noindex")
    assert "Too many wrong links or codes" in text(put_off)


def test_guesses_of_others_behind_the_same_address_keep_no_certificate_back(
    get, certificate, settings
):
    settings.MISSES_PER_MINUTE = 2
    assert [get(f"/c/{new_code()}").status_code for _ in range(3)] == [404, 404, 429]
    for path in ("/v/{}", "/c/{}", "/c/{}.pdf", "/c/{}.png", "/c/{}.json"):
        assert get(path.format(certificate.code)).status_code == 200, path
    assert get(f"/c/{certificate.code.lower()}").status_code == 302
    assert get(f"/v/{new_code()}").status_code == 429


def test_revoked_and_altered_certificates_are_called_so(get, certificate):
    certificates.revoke(certificate, reason="Printed with a wrong name")
    body = text(get(f"/v/{certificate.code}"))
    assert "Revoked · 已作废" in body.partition("</h1>")[0]
    assert "Printed with a wrong name" in body
    forged = dict(certificate.credential)
    forged["credentialSubject"] = {**forged["credentialSubject"], "mass_g": 999_000}
    with guards.lifted():
        type(certificate).objects.filter(id=certificate.id).update(credential=forged)
    body = text(get(f"/v/{certificate.code}"))
    assert "Altered" in body.partition("</h1>")[0]
    assert "Failed:" in body


def test_names_are_escaped(get):
    open_shop()
    certificate = buy(open_scene(), name="<b>Lin</b>&co")
    for path in (f"/c/{certificate.code}", f"/v/{certificate.code}"):
        assert "&lt;b&gt;Lin&lt;/b&gt;&amp;co" in text(get(path))
        assert "<b>Lin" not in text(get(path))


def test_what_was_typed_is_escaped(get):
    body = text(get("/v?q=<script>alert(1)</script>"))
    assert "<script>alert" not in body


def test_the_poster_is_a_page_with_its_mark(get):
    scene = open_scene()
    plain, marked = get(f"/s/{scene.slug}/poster.pdf"), get(f"/s/{scene.slug}/poster.pdf?c=p1")
    unknown = get(f"/s/{scene.slug}/poster.pdf?c=zz")
    assert plain["Content-Type"] == "application/pdf"
    assert len(PdfReader(BytesIO(marked.content)).pages) == 1
    assert marked["ETag"] != plain["ETag"] == unknown["ETag"]
    assert get("/s/nowhere/poster.pdf").status_code == 404


def test_old_drawings_are_swept(tmp_path):
    import os

    rendered.keep("ABC", "0" * 64, "x.pdf", lambda: b"old")
    old = next((tmp_path / "rendered").rglob("ABC-*"))
    week_ago = now().timestamp() - 8 * 86_400
    os.utime(old, (week_ago, week_ago))
    rendered.keep("ABD", "1" * 64, "x.pdf", lambda: b"new")
    assert rendered.sweep() == 1
    assert not old.exists()
    assert rendered.keep("ABD", "1" * 64, "x.pdf", lambda: b"other") == b"new"
    assert rendered.sweep() == 0


def test_drawings_stay_within_their_size(tmp_path, settings):
    import os

    settings.RENDERED_MEGABYTES = 2
    for age, code in enumerate(("NEW", "MID", "OLD")):
        rendered.keep(code, "0" * 64, "x.png", lambda: bytes(900_000))
        path = next((tmp_path / "rendered").rglob(f"{code}-*"))
        made_at = now().timestamp() - 60 * age
        os.utime(path, (made_at, made_at))
    assert rendered.sweep() == 1
    left = {path.name[:3] for path in (tmp_path / "rendered").rglob("*.png")}
    assert left == {"NEW", "MID"}


def test_sweeping_before_anything_was_drawn_is_no_trouble(tmp_path):
    assert rendered.sweep() == 0


def test_the_worker_sweeps():
    from diandian.jobs.schedule import TASKS

    assert rendered.sweep in [task.run for task in TASKS]
