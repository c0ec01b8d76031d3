"""Erasing one order: by its link or its device, never by the code alone; what stays is said."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from diandian.audit.models import AuditEntry
from diandian.certificates import queries as certificates
from diandian.certificates.verify import verify_code
from diandian.flows.erase import erase_order, hide_board_name
from diandian.leaderboards import actions as board_actions
from diandian.leaderboards import queries as boards
from diandian.leaderboards.models import Lighting, Standing
from diandian.orders.models import Order
from diandian.registry.models import Beneficiary, Retirement
from tests.web.public_world import buy, order
from tests.web.test_public_boards import browser, fresh, scene, text
from tests.web.world import open_scene

pytestmark = pytest.mark.django_db
__all__ = ["fresh", "scene"]
KEY = "device-of-lin"


def order_of(certificate):
    return Order.objects.get(id=int(certificate.order_ref.partition(":")[2]))


@pytest.fixture
def certificate(scene):
    return buy(scene, name="Lin Wan", on_board=True, guest_key=KEY)


def newest(certificate):
    return certificates.by_code(certificate.code)


@pytest.mark.parametrize("lang", ["zh-Hans", "en", "nl"])
def test_the_link_of_the_order_erases_after_asking(certificate, lang):
    address = reverse("order_erase", args=[order_of(certificate).token])
    page = browser(lang=lang).get(address)
    assert page.status_code == 200
    assert page["Cache-Control"] == "no-store"
    assert 'method="post"' in text(page)
    assert certificates.record_of(newest(certificate))["beneficiary"]["display_name"] == "Lin Wan"

    answer = browser(lang=lang).post(address)
    assert (answer.status_code, answer["Location"]) == (303, address)
    done = text(browser(lang=lang).get(address))
    assert 'method="post"' not in done
    record = certificates.record_of(newest(certificate))
    assert record["beneficiary"]["display_name"] == ""
    assert (record["version"], record["mass_g"]) == (2, certificate.retirement.mass_g)
    assert "Lin Wan" not in text(browser().get(f"/c/{certificate.code}"))
    assert "Lin Wan" not in text(browser().get(f"/v/{certificate.code}"))
    assert verify_code(certificate.code).answer == "valid"
    found = order_of(certificate)
    assert (found.beneficiary_name, found.guest_key, found.idempotency_key) == ("", "", None)
    assert found.footprint.answers == {}
    assert Beneficiary.objects.get().subject is None
    assert Retirement.objects.count() == 1
    assert boards.people() == []


def test_erasing_twice_changes_nothing_more(certificate):
    found = order_of(certificate)
    assert erase_order(found) == certificate.code
    assert erase_order(found) == certificate.code
    assert newest(certificate).version == 2
    assert AuditEntry.objects.filter(action="person.erased").count() == 1


def test_the_code_alone_erases_nothing(certificate):
    address = reverse("certificate_erase", args=[certificate.code])
    stranger = browser()
    assert certificate.code not in order_of(certificate).token
    assert text(stranger.get(address)).count('name="link"') == 1
    for typed in ("", certificate.code, "https://x.example/o/not-the-token"):
        answer = stranger.post(address, {"link": typed})
        assert answer.status_code == 422
        assert "Nothing was erased" in text(answer)
    assert newest(certificate).version == 1


def test_the_link_typed_on_the_certificates_page_leads_on(certificate):
    token = order_of(certificate).token
    address = reverse("certificate_erase", args=[certificate.code])
    for typed in (token, f"http://testserver/o/{token}", f" http://testserver/o/{token}/?x=1 "):
        answer = browser().post(address, {"link": typed})
        assert answer.status_code == 303
        assert answer["Location"] == reverse("order_erase", args=[token])
    assert newest(certificate).version == 1


def test_the_device_that_ordered_needs_no_link(certificate):
    address = reverse("certificate_erase", args=[certificate.code])
    answer = browser(KEY).get(address)
    assert answer["Location"] == reverse("order_erase", args=[order_of(certificate).token])
    assert browser("another-device").get(address).status_code == 200


def test_pages_offer_to_erase(certificate, scene):
    assert f"/c/{certificate.code}/erase" in text(browser().get(f"/c/{certificate.code}"))
    waiting = order(scene, name="Li")
    assert f"/o/{waiting.token}/erase" in text(browser().get(f"/o/{waiting.token}"))


def test_unknown_links_and_codes_are_not_found(certificate):
    assert browser().get("/o/nothing/erase").status_code == 404
    assert browser().post("/o/nothing/erase").status_code == 404
    assert browser().get("/c/7K3M9QXD2B45/erase").status_code == 404


def test_another_sites_page_cannot_erase(certificate):
    address = reverse("order_erase", args=[order_of(certificate).token])
    answer = browser().post(address, headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 403
    assert newest(certificate).version == 1


def test_an_unpaid_order_forgets_its_name_and_makes_a_nameless_certificate(scene):
    waiting = order(scene, name="Lin Wan", on_board=True, guest_key=KEY)
    assert browser().post(reverse("order_erase", args=[waiting.token])).status_code == 303
    assert Order.objects.get(id=waiting.id).beneficiary_name == ""


def test_only_what_the_erased_order_showed_leaves_the_boards(certificate, scene):
    other = buy(open_scene("second"), name="Wan", on_board=True, guest_key=KEY)
    assert {row.scenes_lit for row in Standing.objects.all()} == {2}
    erase_order(order_of(certificate))
    assert {(row.scenes_lit, row.display_name) for row in Standing.objects.all()} == {(1, "Wan")}
    assert Lighting.objects.get().source_ref == other.order_ref
    erase_order(order_of(other))
    assert not Standing.objects.exists()


def test_the_operator_erases_by_code_number_or_link(certificate):
    found = order_of(certificate)
    for named in (certificate.code, str(found.id), f"https://x.example/o/{found.token}"):
        said = StringIO()
        call_command("erase", named, "--as", "Wen", "--reason", "asked by mail", stdout=said)
        assert f"Order {found.id}, completed" in said.getvalue()
        assert "Nothing was changed" in said.getvalue()
        assert "Lin Wan" not in said.getvalue()
    assert newest(certificate).version == 1
    asked = ["erase", certificate.code, "--as", "Wen", "--reason", "asked by mail", "--yes"]
    call_command(*asked, stdout=StringIO())
    assert newest(certificate).version == 2
    entry = AuditEntry.objects.get(action="person.erased")
    assert (entry.actor_ref, entry.details) == ("Wen", {"reason": "asked by mail"})
    said = StringIO()
    call_command(*asked, stdout=said)
    assert "erased before" in said.getvalue()


@pytest.mark.parametrize("named", ["99", "order:99", "7K3M9QXD2B45", "nonsense", "", "/"])
def test_an_unknown_order_is_refused(scene, named):
    with pytest.raises(CommandError, match="Nothing was erased"):
        call_command("erase", named, "--as", "Wen", "--reason", "x", "--yes", stdout=StringIO())


def test_a_name_taken_off_the_boards_stays_off(certificate, scene):
    said = StringIO()
    call_command("hide_name", "lin", stdout=said)
    row = Standing.objects.get(board="people:all")
    assert f"{row.id}\tpeople:all" in said.getvalue()
    asked = ["hide_name", str(row.id), "--as", "Wen", "--reason", "insults somebody"]
    call_command(*asked, stdout=StringIO())
    assert boards.people()[0].name == "Lin Wan"
    call_command(*asked, "--yes", stdout=StringIO())
    board_actions.rename(KEY, "Lin again")
    buy(open_scene("second"), name="Lin once more", on_board=True, guest_key=KEY)
    for rows in (boards.people("year"), boards.people("all"), boards.scene_people(scene)):
        assert [(each.name, each.scenes_lit) for each in rows] == [("", 2)]
    assert boards.own_row(KEY).row.name == ""
    entry = AuditEntry.objects.get(action="board.name_hidden")
    assert (entry.actor_ref, entry.details) == ("Wen", {"reason": "insults somebody"})
    assert "Lin" not in entry.subject_ref
    assert not hide_board_name(row, reason="again", actor_ref="Wen")


def test_hiding_needs_a_row_a_name_and_a_reason(certificate):
    row = str(Standing.objects.first().id)
    for asked in (["lin", "--as", "W", "--reason", "r"], [row, "--as", "W"], [row], ["nobody"]):
        with pytest.raises(CommandError, match="Nothing was changed"):
            call_command("hide_name", *asked, "--yes", stdout=StringIO())
    assert boards.people()[0].name == "Lin Wan"
