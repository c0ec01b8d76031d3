"""From what amount on a project can be bought, as guests meet it and as the desk is told why."""

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

from diandian.kernel.memory import Memory
from tests.flows.conftest import make_project, world  # noqa: F401 - a fixture
from tests.flows.settling import supplier_collects

pytestmark = pytest.mark.django_db


@pytest.fixture
def collects(world, settings, tmp_path):  # noqa: F811 - the fixture
    """Let the supplier collect: the gateway divides at most 30 per cent off to us."""
    supplier_collects(tmp_path, settings)
    Memory.forget_everything()
    return world


def desk():
    user = get_user_model().objects.create_user("li", "li@example.invalid", "long enough 12")
    user.is_staff = True
    user.save()
    user.user_permissions.set(Permission.objects.filter(codename="view_offer"))
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


def shown(client, path, **query):
    answer = client.get(path, query, headers={"accept-language": "en"})
    return answer.content.decode().replace("\xa0", " ").replace("\u202f", " ")


def test_what_cannot_be_paid_says_why_and_has_no_button(client, collects):
    page = shown(client, "/retire", kg="23")
    assert "our fee would be too large a share" in page
    assert 'name="agreed_minor"' not in page
    assert "sold out" not in page
    assert 'name="agreed_minor"' in shown(client, "/retire", kg="24")


def test_a_project_that_can_be_paid_goes_before_one_that_cannot(client, collects):
    make_project("other-solar")
    Memory.forget_everything()
    page = shown(client, "/retire", kg="23")
    assert "the fee would be too large a share of so small an amount" in page
    assert 'value="sample-solar"' not in page
    assert 'value="other-solar" checked' in page
    assert 'name="agreed_minor"' in page


def test_the_desk_is_told_from_what_amount_on_and_why(collects):
    page = shown(desk(), "/admin/orders/offer/")
    assert "24 kg · ¥2.04" in page
    assert "our fee would be a larger share than the gateway divides off" in page


def test_a_project_without_a_bound_can_be_bought_by_the_kilogram(world):  # noqa: F811
    page = shown(desk(), "/admin/orders/offer/")
    assert "1 kg · ¥0.66" in page
    assert "our fee would be a larger share" not in page


def test_a_project_that_no_gateway_serves_is_named(world, settings):  # noqa: F811
    settings.GATEWAYS = []
    assert "No gateway serves this supplier" in shown(desk(), "/admin/orders/offer/")
