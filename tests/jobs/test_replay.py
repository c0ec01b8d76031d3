"""The commands that compute a certificate again and compare editions."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from diandian.certificates import queries as certificates
from diandian.flows.erase import erase_order
from diandian.orders.models import Order
from diandian.verifier.certificate import check
from tests.web.public_world import buy
from tests.web.world import open_scene, open_shop


def run(*words):
    out = StringIO()
    call_command(*(str(word) for word in words), stdout=out)
    return out.getvalue()


def refusal(*words):
    with pytest.raises(CommandError) as caught:
        run(*words)
    return caught.value.returncode, str(caught.value)


@pytest.fixture
def certificate(db, settings, tmp_path):
    settings.SANDBOX_STORE = tmp_path / "bank.sqlite3"
    settings.DATA_DIR = tmp_path
    open_shop()
    return buy(open_scene("one-2026"), name="Lin Wan")


@pytest.fixture
def file(certificate, tmp_path):
    path = tmp_path / "certificate.json"
    path.write_text(json.dumps(certificate.credential, ensure_ascii=False), encoding="utf-8")
    return path


def test_a_bought_certificate_comes_out_as_stated(certificate, file):
    said = run("replay", file)
    estimate = certificates.record_of(certificate)["estimate"]
    assert f"{estimate['mass_g']:,} g  together, edition 2026.2, method m2" in said
    assert said.count(" g  ") == len(estimate["lines"]) + 1
    assert "to the gram" in said
    said = run("replay", file, "--with", "2024.1")
    assert "With edition 2024.1 it would be" in said
    code, why = refusal("replay", file, "--with", "1900.1")
    assert (code, "no edition '1900.1'" in why) == (2, True)


def test_a_certificate_of_a_scene_that_opened_with_m1_comes_out_by_m1(certificate, tmp_path):
    newer = certificates.record_of(certificate)["estimate"]
    older = buy(open_scene("old-2026", factor_set="2026.1"), name="Lin Wan")
    estimate = certificates.record_of(older)["estimate"]
    assert (newer["method_version"], estimate["method_version"]) == ("m2", "m1")
    assert estimate["mass_g"] == newer["mass_g"]
    assert estimate["low_g"] < newer["low_g"]
    path = tmp_path / "old.json"
    path.write_text(json.dumps(older.credential), encoding="utf-8")
    said = run("replay", path)
    assert "edition 2026.1, method m1" in said
    assert "to the gram" in said
    for each in (certificate, older):
        assert not [c for c in check(certificates.record_of(each)) if c.key == "estimate"]


def test_an_altered_certificate_is_named(certificate, file):
    document = json.loads(file.read_text(encoding="utf-8"))
    document["credentialSubject"]["estimate"]["lines"][0]["value"] = "0.02519"
    file.write_text(json.dumps(document), encoding="utf-8")
    code, why = refusal("replay", file)
    assert code == 1
    assert "lines.0.value: stated 0.02519, computed 0.02518" in why


def test_an_erased_certificate_says_that_it_cannot(certificate, tmp_path):
    erase_order(
        Order.objects.get(id=int(certificate.order_ref.partition(":")[2])),
        reason="asked by phone",
        actor_ref="operator:Wang",
    )
    newest = certificates.by_code(certificate.code)
    path = tmp_path / "erased.json"
    path.write_text(json.dumps(newest.credential), encoding="utf-8")
    assert "geonames" not in path.read_text(encoding="utf-8")
    code, why = refusal("replay", path)
    assert (code, "erased" in why) == (2, True)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"a": 1, "a": 2}', '{"estimate": null}', "7"])
def test_a_file_that_is_no_certificate(tmp_path, text):
    path = tmp_path / "x.json"
    path.write_text(text, encoding="utf-8")
    code, why = refusal("replay", path)
    assert (code, "Nothing was computed" in why or "cannot" in why) == (2, True)
    assert refusal("replay", tmp_path / "none.json")[0] == 2


def test_two_editions_compared():
    said = run("factors", "diff", "2024.1", "2026.1")
    assert "No certificate and no scene moves" in said
    assert "4,136.264 -> 2,835.868  -31.4%" in said
    assert "0.20011 (DESNZ24, 2024) -> 1,832.170 by" in said
    assert "stays the same" in said
    assert "69 rows differ" in said
    assert "Methods" not in run("factors", "diff", "2024.1", "2026.1")
    said = run("factors", "diff", "2026.1", "2026.2")
    assert "Methods m1 and m2: grams are counted alike, ranges are not." in said
    assert "0 rows differ" in said
    assert "There is no edition '9'" in refusal("factors", "diff", "9", "2026.1")[1]
