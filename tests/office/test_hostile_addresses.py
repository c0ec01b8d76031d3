"""Addresses that nobody writes: what stands for a row's number is a number or nothing."""

import pytest
from django.test import Client

from tests.office.test_credits import text

pytestmark = pytest.mark.django_db
NUMBERS = ("²", "１", "9" * 19, "9" * 5000, "-1", "1e3", "\u202e1")
PAGES = (
    "/admin/settlement/batch/{}/change/",
    "/admin/reconciliation/gatewayday/{}/change/",
    "/admin/registry/creditbatch/{}/change/",
    "/admin/registry/recall/{}/change/",
    "/admin/scenes/scene/{}/change/",
    "/admin/scenes/scene/{}/decide/",
)


@pytest.mark.parametrize("page", PAGES)
def test_a_number_that_is_none_finds_nothing(admin_user, page):
    client = Client(headers={"accept-language": "en"})
    client.force_login(admin_user)
    for number in NUMBERS:
        answer = client.get(page.format(number), follow=True)
        found = answer.status_code == 200 and "doesn’t exist" in text(answer)
        assert found or answer.status_code == 404, number
