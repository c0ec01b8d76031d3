"""What anyone reads of a recall: on the certificate first, on a page of its own, table and feed."""

import csv
import json
import re
from io import StringIO
from xml.etree import ElementTree as ET

import pytest

from diandian.claims.banned import find_banned
from diandian.flows import recall
from diandian.kernel.clock import now
from diandian.kernel.memory import Memory
from diandian.orders import queries as orders
from diandian.registry import actions as registry
from diandian.registry.models import CreditBatch
from diandian.registry.recalls import marks
from diandian.scenes.models import Scene
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


def buy_two():
    """Sell two visits of one scene from one batch; return the scene's certificates."""
    open_shop()
    scene = open_scene()
    return [buy(scene, name="Lin Wan") for _ in range(2)]


def read(get, path):
    rows = json.loads(text(get(path)))["retirements"]
    return {row["retirement"]: row for row in rows}


def retired_so_far(get):
    return re.search(r'class="figure">([^<]+)<', text(get("/")))[1]


@pytest.mark.parametrize("lang", ["en", "nl", "zh-hans"])
def test_the_register_marks_what_was_recalled_and_what_replaces_it(get, lang):
    words = {
        "en": ("recalled", "recalled and replaced", "replaces"),
        "nl": ("teruggeroepen", "teruggeroepen en vervangen", "vervangt"),
        "zh-hans": ("已召回", "已召回并替换", "替换"),
    }[lang]
    one, two = buy_two()
    assert not any(row["recall_state"] for row in read(get, "/register.json").values())
    assert "chip" not in text(get("/register", lang)).partition("<table")[2]
    more_stock(one)
    started(one)
    rows = read(get, "/register.json")
    assert {row["recall_state"] for row in rows.values()} == {"recalled"}
    assert f">{words[0]}</span>" in text(get("/register", lang))
    recall.work_all()
    rows = read(get, "/register.json")
    first, second = (each.credential["credentialSubject"]["retirement"] for each in (one, two))
    for number in (first, second):
        mine, [new] = rows[number], [row for row in rows.values() if row["replaces"] == number]
        assert (mine["recall_state"], mine["replaces"]) == ("replaced", "")
        assert mine["recalled_g"] == mine["remedied_g"] == mine["mass_g"] == new["mass_g"]
        assert (new["recall_state"], new["recalled_g"]) == ("", 0)
    page = text(get("/register", lang))
    assert page.count(f">{words[1]}</span>") == 2
    assert page.count(f"{words[2]} <a") == 2
    table = list(csv.DictReader(StringIO(text(get("/register.csv"))[1:])))
    for row in table:
        facts = rows[row["retirement"]]
        names = ("recall_state", "recalled_g", "remedied_g", "replaces")
        assert [row[name] for name in names] == [str(facts[name]) for name in names]
    listed = get("/api/v1/retirements").json()["retirements"]
    assert {row["retirement"]: row["replaces"] for row in listed} == {
        number: row["replaces"] for number, row in rows.items()
    }


def more_stock(certificate):
    record = certificate.credential["credentialSubject"]
    bad = CreditBatch.objects.get(public_id=record["ranges"][0]["batch"])
    registry.issue(
        project=bad.project,
        serial_text="MORE-1~MORE-9",
        vintage_year=bad.vintage_year,
        period_start=bad.period_start,
        period_end=bad.period_end,
        custody="native",
        verified_by="Verifier",
        verified_on=bad.period_end,
        source_ref="test:more",
        is_sample=bad.is_sample,
        at=now(),
    )


def test_public_sums_count_what_stands_once(get):
    one, two = buy_two()
    record = one.credential["credentialSubject"]
    slug = record["scene"]["slug"]
    ref = f"scene:{Scene.objects.get(slug=slug).id}"
    stood_g = record["mass_g"] + two.credential["credentialSubject"]["mass_g"]

    def sums():
        Memory.forget_everything()
        every = marks.all_standing()
        assert every == marks.standing_in(ref)
        assert get(f"/s/{slug}/report").status_code == 200
        return every.count, every.mass_g

    assert sums() == (2, stood_g)
    home = retired_so_far(get)
    more_stock(one)
    started(one)
    # Nothing has an answer yet: nothing stands.
    assert sums() == (2, 0)
    recall.work(1)
    assert sums() == (2, record["mass_g"])
    recall.work_all()
    assert sums() == (2, stood_g)
    assert retired_so_far(get) == home
    # The register itself is the sum of its rows, and both happened.
    register = json.loads(text(get("/register.json")))
    assert register["count"] == 4
    assert register["mass_g"] == sum(row["mass_g"] for row in register["retirements"])
    assert register["mass_g"] == 2 * stood_g


def test_what_is_short_stands_for_nothing(get):
    one, _ = buy_two()
    CreditBatch.objects.exclude(
        public_id=one.credential["credentialSubject"]["ranges"][0]["batch"]
    ).update(state="frozen")
    started(one)
    recall.work_all()
    assert {row["recall_state"] for row in read(get, "/register.json").values()} == {"short"}
    assert ">recalled, short</span>" in text(get("/register"))
    assert marks.all_standing().mass_g == 0


@pytest.mark.parametrize("lang", ["en", "nl", "zh-hans"])
def test_the_page_of_a_retirement_tells_its_recall(get, lang):
    one, _ = buy_two()
    more_stock(one)
    number = one.credential["credentialSubject"]["retirement"]
    found = started(one)
    page = text(get(f"/register/R-{number}", lang))
    assert f'href="/recalls/{found.public_id}"' in page
    recall.work_all()
    page = text(get(f"/register/R-{number}", lang))
    data = json.loads(text(get(f"/register/R-{number}.json")))
    assert data["recalls"] == [found.public_id]
    [new] = data["replaced_by"]
    assert f'href="/recalls/{found.public_id}"' in page
    assert f'href="/register/R-{new}"' in page
    assert '<a href="/log">' in page.partition("<main")[2]
    other = text(get(f"/register/R-{new}", lang))
    assert f'href="/register/R-{number}"' in other
    assert "remedy" not in other.partition("<main")[2].partition("</main>")[0]
    assert json.loads(text(get(f"/register/R-{new}.json")))["replaces"] == number
