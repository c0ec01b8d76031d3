"""Sponsors at the desk and by link: opened by the host, bought through the same checkout."""

import re
from urllib.parse import urlsplit

import pytest
from django.test import Client

from diandian.audit.models import AuditEntry
from diandian.certificates.models import Certificate
from diandian.flows.cover import residual_of
from diandian.kernel.memory import Memory
from diandian.orders.models import Order, Quote
from diandian.scenes import actions as scenes
from diandian.scenes.models import Scene
from tests.office.host_world import client_of, draft, member, organisation, person
from tests.web.public_world import take_part
from tests.web.world import open_shop

pytestmark = pytest.mark.django_db
HIDDEN = re.compile(r'<input type="hidden"[^>]*name="([^"]+)" value="([^"]*)"')


@pytest.fixture(autouse=True)
def fresh(settings, tmp_path):
    settings.SANDBOX_STORE = tmp_path / "bank.sqlite3"
    settings.DATA_DIR = tmp_path
    Memory.forget_everything()


@pytest.fixture
def zhou(db):
    open_shop()
    return person("zhou@example.org")


@pytest.fixture
def scene(desk, zhou):
    found = draft(desk, organisation(zhou))
    scenes.submit(found, actor_ref="test")
    return scenes.approve(found, actor_ref="test")


@pytest.fixture
def tang(db):
    return person("tang@example.com")


@pytest.fixture
def company(tang):
    return organisation(tang, legal_name="Tang Works Limited")


def browser():
    return Client(headers={"accept-language": "en"})


def opened(desk, scene, what="both"):
    answer = desk.post(f"/host/{scene.slug}/sponsors", {"sponsoring": what})
    assert answer.status_code == 303, answer.content.decode()
    scene.refresh_from_db()
    return f"/s/{scene.slug}/sponsor/{scene.sponsor_token}"


def path_of(response):
    return urlsplit(response["Location"]).path


def pay(browser, ordered):
    returned = browser.post(path_of(ordered), {"outcome": "paid"})
    return browser.get(path_of(returned))


# --- by link ------------------------------------------------------------------------------------


def press(guest, link, kg="", part="guests", **changes):
    page = guest.get(link, {"kg": kg, "part": part}).content.decode()
    form = dict(HIDDEN.findall(page))
    wish = {"project": "rooftop-solar", "name": "Lin Energy"} | changes
    return guest.post(link, form | wish)


def test_a_company_with_the_link_sponsors_without_signing_in(desk, scene):
    link, mine, guest = opened(desk, scene), take_part(scene), browser()
    assert "Visits of guests, each whole" in guest.get(link).content.decode()
    ordered = press(guest, link)
    assert path_of(ordered).startswith("/sandbox/"), ordered.content.decode()
    order = Order.objects.get()
    assert (order.holder_kind, order.beneficiary_name) == ("sponsor", "Lin Energy")
    assert order.quote.cover["claimed_g"] == mine.mass_g
    pay(guest, ordered)
    code = Certificate.objects.get(order_ref=order.ref).code
    page = guest.get(f"/c/{code}").content.decode()
    assert "Lin Energy" in page
    assert "as a sponsor of" in page
    assert "we did not check it" in page
    Memory.forget_everything()
    shown = browser().get(f"/s/{scene.slug}").content.decode()
    assert "taken over by Lin Energy" in shown
    result = browser().get(f"/s/{scene.slug}/go/{mine.token}").content.decode()
    assert "already covered by Lin Energy" in result
    assert "/pay" not in result


def test_pressing_twice_orders_once(desk, scene):
    link, guest = opened(desk, scene), browser()
    take_part(scene)
    page = guest.get(link, {"kg": "", "part": "guests"}).content.decode()
    form = dict(HIDDEN.findall(page)) | {"project": "rooftop-solar", "name": "Lin Energy"}
    assert guest.post(link, form)["Location"] == guest.post(link, form)["Location"]
    assert Order.objects.count() == 1


@pytest.mark.parametrize(
    ("typed", "status", "says"),
    [("1.5", 422, 'id="kg-error"'), ("0", 422, 'id="kg-error"'), ("1", 422, "taken over whole")],
)
def test_an_amount_that_cannot_be_sponsored_is_refused(desk, scene, typed, status, says):
    link = opened(desk, scene)
    take_part(scene)
    answer = browser().get(link, {"kg": typed, "part": "guests"})
    assert answer.status_code == status
    assert says in answer.content.decode()


def test_a_company_without_a_name_is_asked_for_it(desk, scene):
    link = opened(desk, scene)
    take_part(scene)
    answer = press(browser(), link, name=" ")
    assert answer.status_code == 409
    assert 'id="name-error"' in answer.content.decode()
    assert not Quote.objects.exists()


def test_what_was_taken_meanwhile_is_said_and_nothing_is_charged(desk, scene):
    link, guest = opened(desk, scene), browser()
    take_part(scene)
    page = guest.get(link, {"kg": "", "part": "guests"}).content.decode()
    form = dict(HIDDEN.findall(page)) | {"project": "rooftop-solar", "name": "Lin Energy"}
    first = browser()
    pay(first, press(first, link, name="Tang Works"))
    answer = guest.post(link, form)
    assert answer.status_code == 409
    assert "Nothing was ordered or charged" in answer.content.decode()


def test_another_link_or_a_closed_one_opens_nothing(desk, scene):
    link = opened(desk, scene)
    assert browser().get(f"/s/{scene.slug}/sponsor/{'x' * 22}").status_code == 404
    opened(desk, scene, "closed")
    assert browser().get(link).status_code == 404
    assert browser().get(f"/s/{scene.slug}/sponsor/").status_code == 404


def test_a_part_that_is_not_open_is_never_sold(desk, scene):
    link = opened(desk, scene, "guests")
    take_part(scene)
    press(browser(), link, part="rest")
    assert Order.objects.get().quote.cover["guests_only"] is True


# --- signed in ----------------------------------------------------------------------------------


def form_of(company, **changes):
    return {
        "organisation": company.ref,
        "part": "guests",
        "kg": "",
        "project": "rooftop-solar",
    } | changes


def test_a_signed_in_company_sponsors_in_its_legal_name(desk, scene, tang, company):
    opened(desk, scene)
    mine, buyer = take_part(scene), client_of(tang)
    address = f"/host/sponsor/{scene.slug}"
    assert "Tang Works Limited" in buyer.get(address).content.decode()
    page = buyer.post(address, form_of(company)).content.decode()
    assert "Tang Works Limited" in page
    ordered = buyer.post(address, {"quote": Quote.objects.get().token})
    pay(buyer, ordered)
    order = Order.objects.get()
    assert (order.state, order.holder_kind) == ("completed", "sponsor")
    assert order.beneficiary_name == "Tang Works Limited"
    assert residual_of(scene, for_everyone=True).claimed_by_sponsors_g == mine.mass_g
    entry = AuditEntry.objects.get(action="scene.sponsored")
    assert entry.actor_ref == tang.ref
    listed = desk.get(f"/host/{scene.slug}/sponsors").content.decode()
    assert "Tang Works Limited" in listed
    rest = desk.get(f"/host/{scene.slug}/cover").content.decode()
    assert "by sponsors" in rest
    assert "/c/" not in rest, "a sponsor's certificate is not the host's"


def test_others_cannot_pay_a_companys_quote_or_speak_for_it(desk, scene, tang, company):
    opened(desk, scene)
    take_part(scene)
    address = f"/host/sponsor/{scene.slug}"
    assert desk.post(address, form_of(company)).status_code == 404
    client_of(tang).post(address, form_of(company))
    assert desk.post(address, {"quote": Quote.objects.get().token}).status_code == 404
    looks = client_of(member(tang, company, "he@example.com", "viewer"))
    assert looks.post(address, form_of(company)).status_code == 403
    assert looks.post(address, {"quote": Quote.objects.get().token}).status_code == 403
    assert not Order.objects.exists()


@pytest.mark.parametrize("typed", ["1.5", "-3", "many"])
def test_a_wrong_amount_is_said_beside_its_field(desk, scene, tang, company, typed):
    opened(desk, scene)
    take_part(scene)
    answer = client_of(tang).post(f"/host/sponsor/{scene.slug}", form_of(company, kg=typed))
    assert answer.status_code == 422
    assert 'id="kg-error"' in answer.content.decode()


def test_a_scene_without_sponsors_says_so(scene, tang, company):
    buyer = client_of(tang)
    address = f"/host/sponsor/{scene.slug}"
    assert "not open to sponsors" in buyer.get(address).content.decode()
    assert buyer.post(address, form_of(company)).status_code == 409
    assert "sponsor" not in browser().get(f"/s/{scene.slug}").content.decode()


def test_only_its_own_people_open_a_scene_to_sponsors(desk, scene, tang):
    address = f"/host/{scene.slug}/sponsors"
    assert client_of(tang).post(address, {"sponsoring": "both"}).status_code == 404
    assert desk.post(address, {"sponsoring": "everything"}).status_code == 409
    assert Scene.objects.get(id=scene.id).sponsoring == ""
