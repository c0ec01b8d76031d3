"""The box of the checkout: ticked, the certificate's file computes itself; unticked, as ever."""

import json
import re
from datetime import timedelta
from io import BytesIO, StringIO

import pytest
from django.core.management import CommandError, call_command
from pypdf import PdfReader

from diandian.certificates import queries as certificates
from diandian.certificates.models import Certificate
from diandian.emissions.replay import replay
from diandian.flows import erase, expiry, payment_events
from diandian.kernel.clock import now
from diandian.orders import queries as orders
from diandian.orders.models import Order, Quote
from diandian.payments.gateways.sandbox.gateway import peer_of
from diandian.payments.merchants import context_for
from diandian.verifier import certificate as verifier
from diandian.web.life import answers as said
from tests.web.life.test_contribute import buy, press_pay
from tests.web.life.walk import page

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fresh")]
BOX = re.compile(r'<input type="checkbox" name="keep" value="1"( checked)?>')


def run(*words):
    out = StringIO()
    call_command("replay", *(str(word) for word in words), stdout=out)
    return out.getvalue()


def refusal(*words):
    with pytest.raises(CommandError) as caught:
        run(*words)
    return caught.value.returncode, str(caught.value)


def file_of(record, tmp_path):
    """Return the certificate's file as anybody downloads it."""
    signed = certificates.by_code(record["code"]).credential
    path = tmp_path / "certificate.json"
    path.write_text(json.dumps(signed, ensure_ascii=False), encoding="utf-8")
    return path


def test_the_box_is_not_ticked_and_says_what_it_does(browser, shop, text):
    shown = page(browser, f"/life/pay?a={text}&part=month")
    assert BOX.search(shown)[1] is None
    assert "so that anyone who has the file can compute it again" in shown
    assert BOX.search(page(browser, f"/life/pay?a={text}&part=month&keep=1"))[1]


@pytest.mark.parametrize("language", ["zh-hans", "nl"])
def test_the_box_speaks_every_language(client, shop, text, language):
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = language
    shown = page(client, f"/life/pay?a={text}&part=month")
    assert BOX.search(shown)
    assert "compute it again" not in shown


def test_a_ticked_certificate_is_computed_from_its_file_alone(browser, shop, text, tmp_path):
    record = buy(browser, text, part="year", keep="1")
    year = said.of_text(text).estimate()
    assert record["estimate"]["carried"]["inputs"] == year.inputs
    assert not verifier.check(record)
    told = run(file_of(record, tmp_path))
    assert f"{year.mass_g:,} g  together, edition {year.factor_set_id}" in told
    assert told.count(" g  ") == len(year.lines) + 1
    assert "Everything comes out as stated, to the gram." in told
    assert "With edition 2024.1 it would be" in run(file_of(record, tmp_path), "--with", "2024.1")


def test_its_page_does_not_print_the_answers_and_says_where_they_are(browser, shop, text):
    record = buy(browser, text, keep="1")
    shown = page(browser, f"/c/{record['code']}")
    for word in ("electricity_kwh", "Electricity at home", "gas_m3", "car_km", "kWh"):
        assert word not in shown, word
    assert "the answers are in the certificate&#x27;s file" in shown
    assert "The answers are not in the certificate" not in shown


def test_paper_and_file_hold_them_and_the_paper_prints_none(browser, shop, text):
    record = buy(browser, text, keep="1")
    reader = PdfReader(BytesIO(browser.get(f"/c/{record['code']}.pdf").content))
    attached = json.loads(reader.attachments["certificate.json"][0])
    assert attached["credentialSubject"]["estimate"] == record["estimate"]
    printed = " ".join(page.extract_text() for page in reader.pages)
    assert "getting around" in printed
    for word in ("electricity_kwh", "Electricity at home", "car_km", "kWh"):
        assert word not in printed, word


def test_the_file_that_the_page_offers_holds_them(browser, shop, text):
    record = buy(browser, text, keep="1")
    sent = browser.get(f"/c/{record['code']}.json").json()
    assert sent["credentialSubject"]["estimate"] == record["estimate"]
    assert replay(sent["credentialSubject"]["estimate"]["carried"]).same


def test_an_altered_answer_in_a_ticked_file_is_named(browser, shop, text, tmp_path):
    path = file_of(buy(browser, text, keep="1"), tmp_path)
    document = json.loads(path.read_text(encoding="utf-8"))
    document["credentialSubject"]["estimate"]["carried"]["inputs"]["answers"]["people"] = 1
    path.write_text(json.dumps(document), encoding="utf-8")
    code, why = refusal(path)
    assert code == 1
    assert "mass_g: stated" in why
    assert "carried.lines.0.share: stated 0.5, computed 1" in why


def test_an_unticked_certificate_is_computed_from_the_owners_link_or_file(
    browser, shop, text, tmp_path
):
    path = file_of(buy(browser, text), tmp_path)
    code, why = refusal(path)
    assert (code, "--answers" in why) == (2, True)
    link = f"https://example.org/life/result?{said.of_text(text).query()}"
    assert "to the gram" in run(path, "--answers", link)
    saved = tmp_path / "diandian-life.json"
    saved.write_bytes(browser.get(f"/life/diandian-life.json?a={text}").content)
    assert "to the gram" in run(path, "--answers", saved)
    code, why = refusal(path, "--answers", link.replace("people~2", "people~3"))
    assert (code, "lines.home: stated" in why) == (1, True)


@pytest.mark.parametrize(
    "given", ["https://example.org/?b=1", "/nowhere/life.json", "?a=NL~wings~2"]
)
def test_answers_that_are_none_are_refused(browser, shop, text, tmp_path, given):
    path = file_of(buy(browser, text), tmp_path)
    code, why = refusal(path, "--answers", given)
    assert (code, "Nothing was computed" in why) == (2, True)


def test_answers_beside_another_certificate_are_refused(tmp_path):
    path = tmp_path / "trip.json"
    path.write_text('{"lines": [], "inputs": {"lines": []}}', encoding="utf-8")
    code, why = refusal(path, "--answers", "?a=NL")
    assert (code, "Only a certificate of a year" in why) == (2, True)


def test_ticking_afterwards_is_another_order(browser, shop, text):
    shown = page(browser, f"/life/pay?a={text}&part=month")
    nonce = re.search(r'name="nonce" value="([^"]+)"', shown)[1]
    press_pay(browser, text, nonce=nonce, keep="1")
    press_pay(browser, text, nonce=nonce)
    ticked, plain = Order.objects.order_by("id")
    assert "carried" in ticked.quote.estimate
    assert "carried" not in plain.quote.estimate


def test_a_price_that_is_asked_about_again_keeps_the_tick_and_stores_no_answers(
    browser, shop, text
):
    answer = press_pay(browser, text, "month", part="year", keep="1")
    assert answer.status_code == 409
    assert BOX.search(answer.content.decode())[1]
    assert "carried" not in Quote.objects.get().estimate


def test_an_order_that_nobody_pays_forgets_the_answers(browser, shop, text):
    press_pay(browser, text, keep="1")
    assert "carried" in Quote.objects.get().estimate
    assert expiry.release_expired(at=now() + timedelta(days=2)) == 1
    assert "carried" not in Quote.objects.get().estimate
    assert Quote.objects.get().estimate["mass_g"] == said.of_text(text).estimate().mass_g


def test_an_order_paid_after_all_has_a_certificate_without_answers(browser, shop, text):
    press_pay(browser, text, keep="1")
    order, later = Order.objects.get(), now() + timedelta(days=2)
    assert expiry.release_expired(at=later) == 1
    bank = peer_of(context_for("sandbox"))
    notice = bank.settle_anyway(orders.latest_payment(order).payment_no, later)
    bank.hang_up()
    payment_events.receive_notice("sandbox", notice.headers, notice.body, at=later)
    record = certificates.record_of(Certificate.objects.get(order_ref=order.ref))
    assert "carried" not in record["estimate"]
    assert not verifier.check(record)


def test_erasing_takes_the_answers_from_order_and_certificate(browser, shop, text, tmp_path):
    record = buy(browser, text, name="Marieke", keep="1")
    erase.erase_order(Order.objects.get())
    (left,) = Certificate.objects.filter(code=record["code"])
    again = certificates.record_of(left)
    for held in (left.credential, Quote.objects.get().estimate):
        assert "carried" not in json.dumps(held)
        assert "electricity" not in json.dumps(held)
    assert not verifier.check(again)
    shown = page(browser, f"/c/{record['code']}")
    assert "The answers are not in the certificate" in shown
    assert refusal(file_of(record, tmp_path))[0] == 2
