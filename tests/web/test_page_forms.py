"""Pages that are filled into a form are, letter by letter, the pages that their templates draw."""

import re
from datetime import UTC, datetime

import pytest
from django.template.loader import get_template

from diandian.certificates import verify
from diandian.flows import recall, sales
from diandian.kernel.clock import now
from diandian.kernel.memory import Memory
from diandian.registry.models import AllocationKind, CreditBatch, Lane
from diandian.transparency.shown import Published, Standing, Witnessed
from diandian.ui import limits
from diandian.web import certificate_form, certificates, result_forms, till
from tests.web.test_guest_journey import count, press_pay
from tests.web.world import open_scene, open_shop

pytestmark = pytest.mark.django_db
LANGUAGES = ("zh-Hans", "en", "nl")
# Near and far, with and without a night, one dot and hundreds.
TRIPS = (
    {},
    {"from": "London", "mode": "plane", "nights": "4", "stay": "high"},
    {"from": "成都", "mode": "metro", "nights": "0"},
    {"from": "绵阳", "mode": "car", "occupants": "2", "nights": "0"},
)
AT = datetime(2026, 11, 28, 9, 30, 59, tzinfo=UTC)
WITNESS = Witnessed("witness.example", AT)


def standing(index, *, at=AT, witnessed=(WITNESS,)):
    head = Published(1, "log.example", 2000, "00", "", at, witnessed, 1)
    return Standing(1, "log.example", index, head)


# Where a retirement may stand in the public log.
STANDINGS = (
    None,
    Standing(1, "log.example", 1234, None),
    standing(1235),
    standing(1236, witnessed=(WITNESS, WITNESS)),
    standing(1237, at=AT.replace(minute=31), witnessed=()),
    standing(1238),
)
NONCE = re.compile(rb'name="nonce" value="[^"]+"')


@pytest.fixture(autouse=True)
def world(settings, tmp_path):
    settings.SANDBOX_STORE = tmp_path / "bank.sqlite3"
    settings.DATA_DIR = tmp_path
    Memory.forget_everything()
    limits.misses.forget()
    open_shop()
    open_scene()


def pages(client, address):
    """Return an address in every language, as a guest first gets it."""
    found = {}
    for language in LANGUAGES:
        client.defaults["HTTP_ACCEPT_LANGUAGE"] = language
        response = client.get(address)
        assert response.status_code == 200
        found[language] = NONCE.sub(b"", response.content)
    return found


def test_results(client, monkeypatch):
    addresses = [count(client, **trip) for trip in TRIPS]
    filled = [pages(client, address) for address in addresses]

    def body(page, lang):
        shown = result_forms._shown(page, lang)
        return get_template("web/result/_body.html").render(page | {"shown": shown})

    def drawn(page, _lang):
        return get_template("web/result/page.html").render(page)

    monkeypatch.setattr(result_forms, "body", body)
    monkeypatch.setattr(result_forms, "page", drawn)
    assert filled == [pages(client, address) for address in addresses]
    assert len({str(page) for page in filled}) == len(TRIPS)


def test_projects_and_prices(client, monkeypatch):
    addresses = [f"{count(client, **trip)}/pay" for trip in TRIPS]
    filled = [pages(client, address) for address in addresses]
    monkeypatch.setattr(till.Wish, "is_untouched", property(lambda _wish: False))
    assert filled == [pages(client, address) for address in addresses]
    assert len({str(page) for page in filled}) == len(TRIPS)


def test_projects_that_are_too_small_or_sold_out(client, monkeypatch):
    address = f"{count(client)}/pay"
    for left_g in (30_000, 0):
        Memory.forget_everything()
        for lane in Lane.objects.all():
            Lane.objects.filter(id=lane.id).update(held_g=max(0, lane.hi - lane.cursor - left_g))
        filled = pages(client, address)
        with monkeypatch.context() as patched:
            patched.setattr(till.Wish, "is_untouched", property(lambda _wish: False))
            assert filled == pages(client, address)


def test_projects_while_sales_are_paused(client, monkeypatch):
    address = f"{count(client)}/pay"
    open_pages = pages(client, address)
    sales.stop(["a breach"], actor_ref="close", at=now())
    filled = pages(client, address)
    assert b"Sales are paused" in filled["en"]
    assert b'form="pay">' not in filled["en"]
    monkeypatch.setattr(till.Wish, "is_untouched", property(lambda _wish: False))
    assert filled == pages(client, address)
    sales.reopen("checked", actor_ref="operator:Wen", at=now())
    monkeypatch.undo()
    assert open_pages == pages(client, address)


def test_what_scripts_ask_for_is_still_a_part_and_varies_by_it(client):
    address = f"{count(client)}/pay"
    page = client.get(address)
    part = client.get(address, headers={"HX-Request": "true"})
    assert b"<html" in page.content
    assert b"<html" not in part.content
    assert "HX-Request" in page["Vary"]


def test_certificates(client, monkeypatch):
    codes = []
    for trip, name in zip(TRIPS[:2], ("", 'Zoë & "O’Neil"'), strict=True):
        client.cookies.clear()
        bank = press_pay(client, count(client, **trip), name=name)
        order = client.post(bank["Location"], {"outcome": "paid"})["Location"]
        codes.append(client.get(order)["Location"])
    assert all(code.endswith("?new=1") for code in codes)

    def every_page():
        found = []
        for standing in STANDINGS:
            monkeypatch.setattr(certificates, "standing_of", lambda _record, each=standing: each)
            found += [pages(client, code) for code in codes]
        return found

    filled = every_page()

    def drawn(page, _lang):
        return get_template("web/certificate/page.html").render(dict(page))

    monkeypatch.setattr(certificate_form, "filled", drawn)
    assert filled == every_page()
    assert len({str(page) for page in filled}) == len(filled)
    assert b"Zo\xc3\xab &amp; &quot;" in filled[1]["en"]


def test_a_new_certificate_says_what_a_recall_made_of_it(client):
    bank = press_pay(client, count(client))
    order = client.post(bank["Location"], {"outcome": "paid"})["Location"]
    address = client.get(order)["Location"]
    # Drawn, and its form kept.
    assert b"were recalled" not in pages(client, address)["en"]
    opened = recall.open_recall(
        CreditBatch.objects.get(lanes__allocations__kind=AllocationKind.RETIRE),
        kind="invalid",
        reason="measured-wrongly",
        texts=dict.fromkeys(LANGUAGES, "measured wrongly"),
        opened_by="operator:Wen",
    )
    recall.approve(opened, approved_by="operator:Jansen")
    verify._at_work.forget()
    assert b"were recalled" in pages(client, address)["en"]
    recall.work_all()
    verify._at_work.forget()
    assert f"/recalls/{opened.public_id}".encode() in pages(client, address)["en"]
