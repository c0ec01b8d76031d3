"""One certificate, said seven times: page, check page, PDF, attachment, pictures, record, API."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import pytest

from diandian.claims import phrases
from diandian.kernel.tokens import spaced_code
from tests.browser.papers import attached, flat, page_picture, pdf_text, png, qr_texts, tight
from tests.browser.walk import SCENE, Walk

pytestmark = [pytest.mark.browser]


@dataclass(frozen=True)
class Bought:
    """A certificate, and the page that shows it."""

    walk: Walk
    lang: str
    code: str
    record: dict[str, Any]
    document: dict[str, Any]

    def bytes_of(self, path: str) -> bytes:
        answer = self.walk.page.request.get(self.walk.base + path)
        assert answer.ok, f"{answer.status} {path}"
        return answer.body()

    def shown(self, path: str) -> str:
        self.walk.page.goto(self.walk.base + path)
        return flat(self.walk.page.locator("main").inner_text())

    @property
    def facts(self) -> dict[str, str]:
        """Return what every form must say: kilograms, project, first and last serial, code."""
        serials = self.record["ranges"]
        return {
            "mass": phrases.exact_mass(self.record["mass_g"], self.lang),
            "project": phrases.pick(self.record["project"]["names"], self.lang).replace("|", ""),
            "first": serials[0]["serial_first"],
            "last": serials[-1]["serial_last"],
            "code": spaced_code(self.code),
        }


@pytest.fixture(scope="module", params=["zh-Hans", "en"])
def bought(request, site, browser) -> Bought:
    from tests.browser.walk import phone

    lang = request.param
    with phone(browser, lang) as context:
        walk = Walk(context.new_page(), site)
        code = walk.buy(name="林晚", mode="plane", nights="3")
        document = context.request.get(f"{site}/c/{code}.json").json()
        yield Bought(walk, lang, code, document["credentialSubject"], document)


def missing(facts: dict[str, str], text: str) -> list[str]:
    return [name for name, fact in facts.items() if tight(fact) not in tight(text)]


def test_record_adds_up(bought):
    record = bought.record
    assert sum(part["mass_g"] for part in record["ranges"]) == record["mass_g"]
    assert sum(record["dots"].values()) * record["kg_per_dot"] * 1000 == record["mass_g"]
    assert record["code"] == bought.code
    assert record["scene"]["slug"] == SCENE


def test_pages_say_it(bought):
    assert missing(bought.facts, bought.shown(f"/c/{bought.code}")) == []
    assert missing(bought.facts, bought.shown(f"/v/{bought.code}")) == []


def test_the_picture_is_drawn_for_those_who_ask_for_it(bought):
    page, asked = bought.walk.page, []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{bought.walk.base}/c/{bought.code}")
    page.mouse.wheel(0, 20_000)
    page.wait_for_load_state("networkidle")
    assert not [url for url in asked if ".png" in url]
    page.locator("main details summary").first.click()
    page.locator("main details img").first.evaluate("image => image.decode()")
    assert [url for url in asked if ".png" in url] == [f"{bought.walk.base}/c/{bought.code}.png"]


def test_paper_says_it_and_carries_the_record(bought):
    pdf = bought.bytes_of(f"/c/{bought.code}.pdf")
    assert missing(bought.facts, pdf_text(pdf)) == []
    assert attached(pdf) == bought.document
    assert len(pdf) < 200_000
    ink = bought.bytes_of(f"/c/{bought.code}.pdf?ink=1")
    assert missing(bought.facts, pdf_text(ink)) == []


def test_every_code_to_scan_leads_to_the_check(bought):
    check = f"{bought.walk.base}/v/{bought.code}"
    pdf = bought.bytes_of(f"/c/{bought.code}.pdf")
    assert qr_texts(page_picture(pdf)) == [check]
    assert qr_texts(png(bought.bytes_of(f"/c/{bought.code}.png"))) == [check]
    page = bought.walk.page
    page.goto(f"{bought.walk.base}/c/{bought.code}")
    assert qr_texts(png(page.locator(".verify .qr").screenshot())) == [check]
    share = qr_texts(png(bought.bytes_of(f"/c/{bought.code}-share.png")))
    assert share == [f"{bought.walk.base}/s/{SCENE}"]
    page.goto(check)
    assert page.locator(".banner.ok").is_visible()


def test_api_says_it(bought):
    answer = bought.walk.page.request.get(f"{bought.walk.base}/api/v1/certificates/{bought.code}")
    assert answer.ok, answer.status
    said = answer.json()
    assert said["code"] == bought.code
    assert said["answer"] == "valid"
    assert said["record"] == bought.record


def test_verifier_program_agrees(bought, tmp_path):
    shown = bought.shown(f"/v/{bought.code}")
    bought.walk.page.locator("details.how").last.evaluate("d => d.open = true")
    key = re.search(r"\b[0-9a-f]{64}\b", bought.walk.page.content())
    assert key, shown
    file = tmp_path / "certificate.json"
    command = [sys.executable, "-m", "diandian.verifier", str(file), "--key", key[0]]
    file.write_bytes(bought.bytes_of(f"/c/{bought.code}.json"))
    good = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert good.returncode == 0, good.stdout + good.stderr
    forged = file.read_text().replace(f'"mass_g":{bought.record["mass_g"]}', '"mass_g":1')
    file.write_text(forged)
    bad = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert bad.returncode == 1, bad.stdout


def test_register_lists_it(bought):
    slug = f"/register.json?scene={SCENE}"
    listed = bought.walk.page.request.get(bought.walk.base + slug).json()
    assert listed["mass_g"] == sum(each["mass_g"] for each in listed["retirements"])
    newest = bought.record["ranges"][0]["serial_first"]
    assert newest in str(listed["retirements"][:5])
