"""The public log as anyone reaches it: a page in words, files for programs, proofs for holders."""

import json
from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from diandian.kernel.clock import now
from diandian.kernel.memory import Memory
from diandian.transparency import keys, queries
from diandian.transparency.heads import actions as head_actions
from diandian.transparency.heads import trouble
from diandian.transparency.heads.signer import Signer
from diandian.transparency.models import LogHead
from diandian.ui import limits
from diandian.verifier import entries, proof
from diandian.verifier.notes import Checkpoint, open_note
from diandian.verifier.policy import Policy
from diandian.verifier.tiles import decode_entries, entries_path, tile_path
from tests.web.public_world import buy
from tests.web.world import open_scene, open_shop

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh(settings, tmp_path):
    settings.SANDBOX_STORE = tmp_path / "bank.sqlite3"
    settings.DATA_DIR = tmp_path
    settings.KEYS_DIR = tmp_path / "keys"
    settings.LOG_WITNESSES = ""
    Memory.forget_everything()
    limits.misses.forget()


@pytest.fixture
def client():
    return Client(headers={"accept-language": "en"})


@pytest.fixture
def certificate():
    open_shop()
    return buy(open_scene(), name="Lin Wan")


def sign():
    Signer().turn(at=now())
    Memory.forget_everything()


def log_keys():
    return keys.verifiers(queries.keys_of(queries.open_head()))


def test_before_the_first_head_the_page_says_so(client):
    body = client.get("/log").content.decode()
    assert "Nothing is signed yet" in body
    for path in ("checkpoint", "keys.txt", "policy", "tile/0/000"):
        assert client.get(f"/log/{path}").status_code == 404


def test_the_page_says_how_far_it_is_signed_and_that_nobody_witnessed_it(client, certificate):
    sign()
    body = client.get("/log").content.decode()
    head = queries.open_head()
    assert head.origin in body
    assert "not yet witnessed" in body
    assert "Nobody has signed this head yet" in body
    assert queries.last_checkpoint(head).root in body
    assert "Lin Wan" not in body


@pytest.mark.parametrize("lang", ["zh-Hans", "en", "nl"])
def test_the_page_speaks_every_language_and_is_linked(client, certificate, lang):
    sign()
    response = client.get("/log", headers={"accept-language": lang})
    assert response.status_code == 200
    assert f'lang="{lang}"' in response.content.decode()
    for page in ("/register", "/v", f"/c/{certificate.code}"):
        assert 'href="/log"' in client.get(page).content.decode()


def test_files_are_those_of_the_log_and_kept_as_long_as_they_are_final(client, certificate):
    sign()
    head = client.get("/log/checkpoint")
    text, _ = open_note(head.content, log_keys())
    shown = Checkpoint.parse(text)
    assert head["Cache-Control"] == "public, max-age=1"
    bundle = client.get(f"/log/{entries_path(0, shown.size)}")
    found = [entries.decode(data)["type"] for data in decode_entries(bundle.content)]
    assert found[0] == "open"
    assert "retire" in found
    assert len(found) == shown.size
    assert "immutable" not in bundle["Cache-Control"]
    for response in (head, bundle):
        assert response["Access-Control-Allow-Origin"] == "*"
    assert client.get("/log/keys.txt").content.decode().splitlines()[1] == log_keys()[0].vkey()
    policy = Policy.parse(client.get("/log/policy").content.decode())
    assert list(policy.logs) == log_keys()
    assert client.post("/log/checkpoint").status_code == 405


def test_a_full_file_may_be_kept_for_ever(client, certificate, settings):
    sign()
    file = settings.DATA_DIR / "log" / tile_path(0, 5)
    file.write_bytes(b"x" * 8192)
    response = client.get(f"/log/{tile_path(0, 5)}")
    assert response["Cache-Control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize(
    "path",
    [
        "tile/../checkpoint",
        "tile/0/../../checkpoint",
        "tile/0/..%2f..%2fcheckpoint",
        "tile/entries/%2e%2e/%2e%2e/checkpoint",
        "tile/64/000",
        "tile/00/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/../000",
        "tile/0/1",
        "tile/0/x001/x002",
        "tile/0/000/",
        "tile//etc/passwd",
        "tile/0/000%00",
        "tile/0/٠٠٠",
        "tile/0/" + "x000/" * 40 + "000",
        ".checkpoint.1",
        "0/checkpoint",
        "9/checkpoint",
        "99999999999999999999/checkpoint",
    ],
)
def test_nothing_else_is_served(client, certificate, path):
    sign()
    assert client.get(f"/log/{path}").status_code == 404


def test_a_holder_gets_the_proof_that_the_entry_is_in_the_log(client, certificate):
    assert client.get(f"/c/{certificate.code}/proof.tlog").status_code == 404
    sign()
    response = client.get(f"/c/{certificate.code}/proof.tlog")
    assert response.status_code == 200
    assert response["X-Robots-Tag"] == "noindex"
    said = certificate.credential["credentialSubject"]["log"]
    shown = proof.check(response.content.decode(), entries.encode(said["entry"]), log_keys())
    assert (shown.index, shown.checkpoint.origin) == (said["index"], said["origin"])
    page = client.get(f"/c/{certificate.code}").content.decode()
    assert f"entry {said['index']}" in page
    assert "not yet witnessed" in page
    assert f'href="/c/{certificate.code}/proof.tlog"' in page
    answer = json.loads(client.get(f"/api/v1/certificates/{certificate.code}").content)
    assert answer["log_proof"] == response.content.decode()


def test_a_wrong_code_has_no_proof(client, certificate):
    assert client.get("/c/7QK4M2W9PX3A/proof.tlog").status_code == 404


def test_what_stops_the_signer_is_told_on_the_status_page(client, certificate):
    sign()
    assert "not signed" not in client.get("/status").content.decode()
    head_actions.set_refusal(LogHead.objects.get(), trouble.BEHIND_PUBLISHED)
    Memory.forget_everything()
    body = client.get("/status").content.decode()
    assert "not signed" in body
    assert "diandian log recover" in body
    assert json.loads(client.get("/readyz").content)["log_refusal"] == "behind-published"
    assert "Signing has stopped" in client.get("/log").content.decode()


def test_a_log_that_waits_for_its_signer_is_late_on_the_status_page(client, certificate):
    from diandian.web.status import health

    assert not health().log_is_late
    with time_machine.travel(now() + timedelta(minutes=2)):
        Memory.forget_everything()
        assert health().log_is_late
        sign()
        assert not health().log_is_late


@pytest.mark.parametrize("code", sorted(trouble.WORDS))
def test_every_trouble_has_words_and_fits_its_column(code):
    assert trouble.WORDS[code]
    assert len(code) <= LogHead._meta.get_field("refusal").max_length
