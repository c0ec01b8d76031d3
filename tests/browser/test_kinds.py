"""Every kind of scene from an empty account to two certificates: the guest's and the organiser's.

The organiser opens the scene and prints its poster, the guest scans that very poster, and what the
guest has matched is not offered to the organiser again.
"""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, Decimal

import pytest

from diandian.emissions.scene_kind import scene_kinds
from tests.browser.desk import BILL, Desk, approve, nobody_yet
from tests.browser.kinds import KINDS
from tests.browser.papers import attached, flat, page_picture, qr_texts
from tests.browser.walk import Walk

pytestmark = [pytest.mark.browser]
HOST = "Jinshui Hosts"


def test_every_kind_is_walked():
    assert {kind.key for kind in KINDS} == {*scene_kinds()} - {"life"}


def kilograms(text: str) -> Decimal:
    """Return a mass that a page wrote in English, in kilograms."""
    number, unit = re.match(r"([\d,.]+)\s(kg|t)\b", text).groups()
    return Decimal(number.replace(",", "")) * (1000 if unit == "t" else 1)


def opened(desk: Desk, kind, operator, password: str) -> str:
    """Open a scene from an empty account; return what a camera reads from its printed poster."""
    desk.sign_in(nobody_yet(kind.key))
    desk.found(f"{HOST} ({kind.key})")
    desk.describe(f"A day for {kind.key.replace('_', ' ')}", kind=kind.key)
    desk.save()
    if kind.composed:
        desk.compose(*kind.composed)
    desk.submit()
    approve(operator, desk.base, password, desk.address.rpartition("/")[2])
    poster = desk.page.request.get(desk.poster("entrance"))
    (address,) = qr_texts(page_picture(poster.body()))
    return address


def bought(walk: Walk, address: str, kind) -> tuple[str, int]:
    """Scan, answer, match and pay; return the certificate's code and the dots of the nights."""
    walk.begin(address)
    assert walk.page.locator("html").get_attribute("lang") == kind.lang
    walk.reply(kind.reply)
    walk.press()
    if "way_km" in kind.reply:
        assert f" {2 * int(kind.reply['way_km'])} " in flat(walk.page.locator(".cats").inner_text())
    dots, nights = walk.page.locator(".big").inner_text(), walk.page.locator(".c-stay b.num")
    rooms = int(nights.inner_text()) if nights.count() else 0
    walk.press()
    walk.press()
    walk.settle("paid")
    code = walk.code()
    assert walk.page.locator(".kilo b").inner_text() == dots
    return code, rooms


def counted(desk: Desk, kind) -> Decimal:
    """Enter an inventory by hand and from a table, close it; return its kilograms."""
    for number, line in enumerate(kind.entered):
        desk.enter(line.activity, line.answers, b"" if number else BILL)
    desk.check_table(*kind.file)
    rows = len(kind.table) - 1
    assert desk.page.locator("main section[role=status] tbody tr").count() == rows
    desk.import_checked()
    lines = desk.page.locator("table.cardy tbody tr")
    assert lines.count() == len(kind.entered) + rows
    assert desk.page.locator('a[href*="/inventory/files/"]').count() == 1, "the meter's bill"
    masses = [kilograms(cell) for cell in lines.locator('[data-label="CO₂e"]').all_inner_texts()]
    assert all(masses), "no line counts as nothing"
    frozen = kilograms(desk.close_inventory())
    assert abs(sum(masses) - frozen) <= len(masses), "each as its row rounds it"
    assert desk.page.locator('button[value="next_version"]').count() == 1
    return frozen


def said_everywhere(desk: Desk, code: str) -> int:
    """Return the kilograms of a certificate, once its page, its paper and the API agree."""
    request = desk.page.request
    document = request.get(f"{desk.base}/c/{code}.json").json()
    record = document["credentialSubject"]
    assert attached(request.get(f"{desk.base}/c/{code}.pdf").body()) == document
    assert request.get(f"{desk.base}/api/v1/certificates/{code}").json()["record"] == record
    shown = flat(desk.page.locator(".kilo").inner_text())
    shown = re.search(r"[\d,.]+ (kg|t) CO", flat(desk.page.locator(".kilo").inner_text()))[0]
    assert kilograms(shown) * 1000 == record["mass_g"]
    assert sum(part["mass_g"] for part in record["ranges"]) == record["mass_g"]
    return record["mass_g"] // 1000


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.key)
def test_from_an_empty_account_to_both_certificates(site, new_phone, operator_password, kind):
    desk = Desk(new_phone(width=1280), site)
    address = opened(desk, kind, new_phone(width=1280), operator_password)
    assert address == f"{site}/s/{desk.address.rpartition('/')[2]}?c=p1"
    guest, rooms = bought(Walk(new_phone(kind.lang), site), address, kind)

    site_kg = counted(desk, kind)
    matched = desk.page.request.get(f"{site}/c/{guest}.json").json()["credentialSubject"]["mass_g"]
    before = desk.rest()
    assert before["left"][0] == before["left"][1], "the guest's own part is not offered again"
    theirs = kilograms(before["by_guests"][1])
    assert abs(theirs * 1000 - matched) <= 1000, "what the guest matched"
    inside = kilograms(before["by_guests"][0])
    if kind.key == "hotel":
        assert rooms
        assert abs(inside - rooms) <= 1, "the guest's nights lie within the house"
    else:
        assert inside == 0

    code = desk.cover("own")
    assert f"{HOST} ({kind.key})" in desk.page.content()
    # The nights are known here as the page rounds them; everything else to the gram.
    wanted = (site_kg - inside).to_integral_value(ROUND_CEILING)
    assert abs(said_everywhere(desk, code) - wanted) <= (1 if inside else 0)
    after = desk.rest()
    assert [kilograms(each) for each in after["left"]] == [0, 0]
    assert after["by_guests"] == before["by_guests"]
