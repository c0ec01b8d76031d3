"""A certificate of an estimate with the caller's own factors says so, and compares nothing."""

import pytest

from diandian.certificates import design
from diandian.certificates import queries as certificates
from diandian.certificates.record import level_of
from diandian.claims import wording
from diandian.flows.erase import erase_order, order_named
from diandian.verifier import certificate as record_check
from tests.certificates.test_designs import squeezed, words

OWN = {"value": "0.5", "unit": "kg", "source": "Our own supplier, 2026"}
LINES = [
    {"own_factor": OWN, "amount": "100", "unit": "kg"},
    {"factor": "transport.rail.high_speed", "region": "CN-SC", "amount": "1000"},
]


@pytest.fixture
def code(api, pay):
    quote = api.quote(mass_g=None, lines=LINES)
    order = api.order(quote=quote["id"], beneficiary={"display_name": "林晚"})
    pay(order)
    done = api.get(f"/orders/{order['id']}").json()
    return done["certificate"]["code"]


def test_record_page_and_paper_name_the_requesters_factors(api, code):
    answer = api.get(f"/certificates/{code}").json()
    record = answer["record"]
    assert (answer["answer"], answer["version"]) == ("valid", 1)
    assert record["own_factors"]["lines"] == 1
    assert record["claim"]["level"] == "L2"
    certificate = certificates.by_code(code)
    for lang in wording.LANGUAGES:
        note = wording.own_factors_note(lang)
        assert record["own_factors"]["says"][lang] == note
        assert note in wording.claim_line(record, lang)
        page = api.client.get(f"/c/{code}", headers={"accept-language": lang})
        assert note in page.content.decode()
        paper = design.render_pdf(certificate.credential, lang)
        assert squeezed(note) in words(paper)
    assert "estimated emissions of" not in wording.statement(record, "en")
    assert record_check.check(record) == []


def test_hiding_the_requesters_factors_is_found(api, code):
    record = api.get(f"/certificates/{code}").json()["record"]
    for hidden in (None, {"lines": 0}, {"lines": 2}):
        found = record_check.check({**record, "own_factors": hidden})
        assert [check.key for check in found] == ["own_factors"]


def test_no_covered_claim_rests_on_factors_that_nobody_checked(api, code):
    record = api.get(f"/certificates/{code}").json()["record"]
    claim = {**record["claim"], "level": "L3"}
    better = {**record, "claim": claim, "recognition_evidence": "A", "mass_g": 10**9}
    assert level_of(better) == "L2"
    assert "claim" in [check.key for check in record_check.check(better)]


def test_the_senders_words_are_erased_with_the_person(api, code):
    erase_order(order_named(code))
    answer = api.get(f"/certificates/{code}").json()
    assert "Our own supplier" not in str(answer)
    assert answer["record"]["own_factors"]["lines"] == 1
    assert answer["answer"] == "valid"


def test_an_estimate_with_our_factors_says_nothing_of_it(api, pay):
    order = api.order(quote=api.quote(mass_g=None, lines=LINES[1:])["id"])
    pay(order)
    code = api.get(f"/orders/{order['id']}").json()["certificate"]["code"]
    record = api.get(f"/certificates/{code}").json()["record"]
    assert record["own_factors"] is None
    assert wording.own_factors_note("en") not in wording.claim_line(record, "en")


def test_an_unknown_version_is_not_found(api, code):
    assert api.get(f"/certificates/{code}", version=1).status_code == 200
    assert api.get(f"/certificates/{code}", version=2).status_code == 404
    assert api.get(f"/certificates/{code}", version="x").status_code == 422
