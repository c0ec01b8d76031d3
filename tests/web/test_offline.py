"""The worker's address, the pages it shows instead, and the way to switch all of it off."""

import re

import pytest
from django.contrib.staticfiles.finders import find
from django.test import override_settings

from diandian.kernel.memory import Memory
from tests.web.world import open_scene

WORKER = "/s/worker.js"
SCRIPT = 'ui/offline.js"'


@pytest.fixture
def browser(client):
    Memory.forget_everything()
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def test_the_worker_is_a_script_that_is_asked_for_each_time(browser):
    response = browser.get(WORKER)
    assert response["Content-Type"].startswith("text/javascript")
    assert response["Cache-Control"] == "no-cache"
    assert "worker-src 'self'" in response["Content-Security-Policy"]
    assert "Service-Worker-Allowed" not in response, "it must not see more than what is below /s/"


def test_it_keeps_parts_that_are_there_and_pages_without_secrets(browser):
    text = browser.get(WORKER).content.decode()
    kept = re.match(r'const KEPT = \{"offline":"/offline","parts":\[(.*)\],"payment"', text)
    assert kept, text[:300]
    parts = re.findall(r'"/static/([^"]+)"', kept[1])
    assert len(parts) > 1
    assert all(find(name) for name in parts), parts
    for path in ("/offline", "/offline/payment"):
        assert browser.get(path).status_code == 200


def test_a_switched_off_worker_deletes_and_goes(browser):
    with override_settings(OFFLINE_PAGES=False):
        text = browser.get(WORKER).content.decode()
    assert "unregister()" in text
    assert "caches.delete" in text
    assert '"fetch"' not in text


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/s/tianfu-2026", "/s/tianfu-2026/go"])
def test_pages_ask_for_it_only_where_it_is_switched_on(browser, path):
    open_scene()
    assert SCRIPT in browser.get(path).content.decode()
    Memory.forget_everything()
    with override_settings(OFFLINE_PAGES=False):
        assert SCRIPT not in browser.get(path).content.decode()


def test_at_payment_nothing_has_been_charged(browser):
    page = browser.get("/offline/payment").content.decode()
    assert "Nothing has been charged." in page
    assert '<a class="btn" href="">' in page
    assert "charged" not in browser.get("/offline").content.decode()
