"""What anyone reads of a recall: on the certificate first, on a page of its own, table and feed."""

import csv
import re
from io import StringIO
from xml.etree import ElementTree as ET

import pytest

from diandian.claims.banned import find_banned
from diandian.flows import recall
from diandian.kernel.clock import now
from diandian.kernel.memory import Memory
from diandian.orders import queries as orders
from diandian.registry.models import CreditBatch
from diandian.ui import limits
from tests.web.public_world import buy
from tests.web.world import open_scene, open_shop

pytestmark = pytest.mark.django_db

TEXTS = {
    "zh-Hans": "测量有误 <b>。",
    "en": "The meter was <b>wrong</b> & old.",
    "nl": "De meter was fout.",
}
ATOM = "{http://www.w3.org/2005/Atom}"


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
    def fetch(path, lang="en"):
        Memory.forget_everything()
        return client.get(path, headers={"accept-language": lang})

    return fetch


def started(certificate):
    number = certificate.credential["credentialSubject"]["ranges"][0]["batch"]
    opened = recall.open_recall(
        CreditBatch.objects.get(public_id=number),
        kind="invalid",
        reason="measured-wrongly",
        texts=TEXTS,
        opened_by="operator:Wen",
    )
    return recall.approve(opened, approved_by="operator:Jansen")


def text(response):
    parts = response.streaming_content if response.streaming else [response.content]
    return b"".join(parts).decode()


def test_nothing_recalled_is_said_too(get):
    assert "Nothing has been recalled" in text(get("/recalls"))
    assert "没有任何召回" in text(get("/recalls", "zh-hans"))
    feed = ET.fromstring(text(get("/recalls/feed")))  # noqa: S314 - our own feed
    assert feed.findall(f"{ATOM}entry") == []
    assert get("/recalls/r-1-1-1").status_code == 404
    assert get("/recalls/r-1-1-1.csv").status_code == 404


def test_the_journey_of_a_certificate_through_a_recall(get, certificate):
    page = f"/c/{certificate.code}"
    assert "Recall" not in text(get(page)).replace("/recalls", "")
    found = started(certificate)
    waiting = text(get(page))
    assert "Reductions behind this certificate were recalled" in waiting
    assert waiting.index("were recalled") < waiting.index("<article")
    assert "Recalled" in text(get(f"/v/{certificate.code}"))
    recall.work_all()
    after = text(get(page))
    assert "Recalled, and" in after
    assert f"/recalls/{found.public_id}" in after
    assert after.lower().index("you need do nothing") < after.index("<article")
    verified = text(get(f"/v/{certificate.code}"))
    assert found.public_id in verified
    assert "Failed:" not in verified
    old = text(get(f"/v/{certificate.code}?version=1"))
    assert "A newer one has taken its place" in old
    assert "you need do nothing" not in old.lower()
    answer = get(f"/api/v1/certificates/{certificate.code}").json()
    assert answer["answer"] in {"remedied", "short"}
    assert answer["record"]["recalls"][0]["recall"] == found.public_id
    order = orders.order_of_ref(certificate.order_ref)
    assert get(f"/o/{order.token}").headers["Location"].startswith(page)


@pytest.mark.parametrize("lang", ["en", "nl", "zh-hans"])
def test_a_short_certificate_claims_nothing_in_any_language(get, certificate, lang):
    CreditBatch.objects.exclude(
        public_id=certificate.credential["credentialSubject"]["ranges"][0]["batch"]
    ).update(state="frozen")
    started(certificate)
    recall.work_all()
    response = get(f"/c/{certificate.code}", lang)
    assert response.status_code == 200
    assert "alert" in text(response)
    assert not find_banned(
        text(response).partition("<main")[2].partition("</main>")[0], "contribution"
    )
    assert get(f"/v/{certificate.code}", lang).status_code == 200
    assert get(f"/api/v1/certificates/{certificate.code}").json()["answer"] == "short"


def test_papers_of_a_recalled_certificate_still_come(get, certificate):
    started(certificate)
    recall.work_all()
    for ending in (".pdf", ".png", "-share.png", "-preview.png", ".json"):
        assert get(f"/c/{certificate.code}{ending}").status_code == 200


def test_the_page_of_a_recall_adds_up_and_names_nobody(get, certificate):
    found = started(certificate)
    recall.work_all()
    page = text(get(f"/recalls/{found.public_id}"))
    assert "The meter was &lt;b&gt;wrong&lt;/b&gt; &amp; old." in page
    assert "Lin Wan" not in page
    assert certificate.code not in page
    rows = list(csv.DictReader(StringIO(text(get(f"/recalls/{found.public_id}.csv"))[1:])))
    record = certificate.credential["credentialSubject"]
    assert [row["retirement"] for row in rows] == [record["retirement"]]
    assert int(rows[-1]["affected_g"]) == record["mass_g"]
    assert (
        sum(int(row["remedied_g"]) for row in rows) + int(rows[-1]["short_g"]) == record["mass_g"]
    )
    assert f"/recalls/{found.public_id}" in text(get("/recalls"))
    for path in ("/register", "/status", f"/projects/{record['project']['code']}"):
        assert "/recalls" in text(get(path))
    feed = ET.fromstring(text(get("/recalls/feed")))  # noqa: S314 - our own feed
    [entry] = feed.findall(f"{ATOM}entry")
    assert entry.find(f"{ATOM}id").text.endswith(found.public_id)
    assert entry.find(f"{ATOM}summary").text == TEXTS["en"]


def test_a_recall_that_nobody_approved_is_no_news(get, certificate):
    number = certificate.credential["credentialSubject"]["ranges"][0]["batch"]
    opened = recall.open_recall(
        CreditBatch.objects.get(public_id=number),
        kind="invalid",
        reason="rumour",
        texts=TEXTS,
        opened_by="operator:Wen",
        at=now(),
    )
    assert get(f"/recalls/{opened.public_id}").status_code == 404
    assert "Nothing has been recalled" in text(get("/recalls"))
    assert get(f"/api/v1/certificates/{certificate.code}").json()["answer"] == "valid"


def test_odd_addresses_find_nothing(get, certificate):
    found = started(certificate)
    for query in ("?after=x", "?after=-1", "?after=" + "9" * 30, "?after=²"):
        assert get(f"/recalls/{found.public_id}{query}").status_code == 200
    assert get("/recalls/" + "a" * 300).status_code == 404
    assert re.search("refresh", text(get(f"/recalls/{found.public_id}")))
