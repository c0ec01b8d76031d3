"""What guests leave open, covered in the organisation's name through the same checkout."""

import json
import re
from urllib.parse import urlsplit

import pytest
from django.test import Client

from diandian.audit.models import AuditEntry
from diandian.flows.cover import residual_of
from diandian.kernel.memory import Memory
from diandian.orders.models import Order, Quote
from diandian.registry.models import Retirement
from diandian.scenes import actions as scenes
from tests.office.host_world import client_of, draft, member, organisation, person
from tests.web.world import open_shop

pytestmark = pytest.mark.django_db
ANSWERS = {"live_here": "0", "from": "西安", "mode": "train", "nights": "2", "stay": "mid"}
NAME = "Chengdu Tianfu Low-Carbon Building and Construction Society"


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
def society(zhou):
    return organisation(zhou, legal_name=NAME)


@pytest.fixture
def scene(desk, society):
    scene = draft(desk, society)
    scenes.submit(scene, actor_ref="test")
    return scenes.approve(scene, actor_ref="test")


def guest_counts(scene):
    guest = Client(headers={"accept-language": "en"})
    answer = guest.post(f"/s/{scene.slug}/go", ANSWERS)
    assert answer.status_code == 303, answer.content.decode()
    return guest, urlsplit(answer["Location"]).path


def quoted(desk, scene, **changes):
    form = {"project": "rooftop-solar", "whose": "everyone", "share_percent": "100"} | changes
    return desk.post(f"/host/{scene.slug}/cover", form)


def token_in(page):
    return re.search(r'name="quote" value="([^"]+)"', page.content.decode())[1]


def paid(desk, order):
    url = order.payment_links.get().payment.instruction["url"]
    return desk.post(urlsplit(url).path, {"outcome": "paid"})


def test_nothing_is_left_where_nobody_counted(desk, scene):
    page = desk.get(f"/host/{scene.slug}/cover")
    assert "Nothing is left" in page.content.decode()
    refused = quoted(desk, scene)
    assert refused.status_code == 409
    assert not Quote.objects.exists()


def test_what_guests_left_is_covered_in_the_organisations_name(desk, zhou, society, scene):
    guest_counts(scene)
    left_g = residual_of(scene, for_everyone=True).residual_g
    page = quoted(desk, scene)
    assert page.status_code == 200, page.content.decode()
    quote = Quote.objects.get()
    assert quote.mass_g == -(-left_g // 1000) * 1000
    answer = desk.post(f"/host/{scene.slug}/cover", {"quote": token_in(page)})
    assert answer.status_code == 303
    assert urlsplit(answer["Location"]).path.startswith("/sandbox/")
    order = Order.objects.get()
    assert (order.holder_kind, order.beneficiary_name, order.on_board) == ("host", NAME, False)
    paid(desk, order)
    done = desk.get(f"/o/{order.token}")
    code = urlsplit(done["Location"]).path.removeprefix("/c/")
    certificate = desk.get(f"/c/{code}").content.decode()
    assert NAME in certificate
    assert "for holding Tianfu Low-Carbon Building Conference" in certificate
    assert "we did not check it" in certificate
    assert Retirement.objects.get().holder_kind == "host"
    record = desk.get(f"/c/{code}.json").json()
    assert '"holder_kind": "host"' in json.dumps(record)
    assert residual_of(scene, for_everyone=True).residual_g == 0
    assert code in desk.get(f"/host/{scene.slug}/cover").content.decode()
    entry = AuditEntry.objects.get(action="scene.cover_ordered")
    assert (entry.actor_ref, entry.details["order"]) == (zhou.ref, order.ref)


def test_the_same_button_twice_is_one_order(desk, scene):
    guest_counts(scene)
    token = token_in(quoted(desk, scene))
    answers = [desk.post(f"/host/{scene.slug}/cover", {"quote": token}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert answers[0]["Location"] == answers[1]["Location"]
    assert Order.objects.count() == 1


def test_a_guest_who_is_faster_shrinks_the_rest_and_the_old_price_is_refused(desk, scene):
    guest, result = guest_counts(scene)
    guest_counts(scene)
    token = token_in(quoted(desk, scene))
    page = guest.get(f"{result}/pay").content.decode()
    form = dict(re.findall(r'<input type="hidden"[^>]*name="([^"]+)" value="([^"]*)"', page))
    assert guest.post(f"{result}/pay", form | {"project": "rooftop-solar"}).status_code == 303
    answer = desk.post(f"/host/{scene.slug}/cover", {"quote": token})
    assert answer.status_code == 409
    assert "ask for a new price" in answer.content.decode()
    assert Order.objects.count() == 1, "the guest's alone"


@pytest.mark.parametrize(
    "changes",
    [
        {"share_percent": "0"},
        {"share_percent": "101"},
        {"share_percent": "-5"},
        {"share_percent": "all"},
        {"share_percent": "٥٠"},
        {"project": "nonsense"},
        {"project": ""},
    ],
)
def test_a_wrong_choice_is_refused_and_nothing_is_priced(desk, scene, changes):
    guest_counts(scene)
    assert quoted(desk, scene, **changes).status_code == 409
    assert not Quote.objects.exists()


def test_viewers_and_strangers_cannot_pay_and_quotes_are_not_shared(desk, zhou, society, scene):
    guest_counts(scene)
    token = token_in(quoted(desk, scene))
    looks = client_of(member(zhou, society, "he@example.org", "viewer"))
    assert looks.get(f"/host/{scene.slug}/cover").status_code == 200
    assert quoted(looks, scene).status_code == 403
    assert looks.post(f"/host/{scene.slug}/cover", {"quote": token}).status_code == 403
    tang = person("tang@example.org")
    theirs = organisation(tang, legal_name="Others")
    other = client_of(tang)
    other_scene = draft(other, theirs, slug="other-scene")
    scenes.submit(other_scene, actor_ref="test")
    scenes.approve(other_scene, actor_ref="test")
    assert other.post(f"/host/{scene.slug}/cover", {"quote": token}).status_code == 404
    assert other.post("/host/other-scene/cover", {"quote": token}).status_code == 404
    assert other.post("/host/other-scene/cover", {"quote": "guess"}).status_code == 404
    assert not Order.objects.exists()


def test_progress_tells_days_and_posters_and_nobody(desk, scene):
    scenes.name_poster(scene, "entrance", actor_ref="test")
    guest = Client(headers={"accept-language": "en"})
    guest.post(f"/s/{scene.slug}/go", ANSWERS | {"c": "p1"})
    _, result = guest_counts(scene)
    page = guest.get(f"{result}/pay").content.decode()
    form = dict(re.findall(r'<input type="hidden"[^>]*name="([^"]+)" value="([^"]*)"', page))
    guest.post(f"{result}/pay", form | {"project": "rooftop-solar", "name": "Lin Wan"})
    paid(guest, Order.objects.get())
    shown = desk.get(f"/host/{scene.slug}").content.decode()
    assert "entrance" in shown
    assert "another way" in shown
    assert "1 guest" in shown
    assert "Lin Wan" not in shown
    assert Order.objects.get().token not in shown
