"""A hall without network: the questions open, answers wait on the phone, no secret is ever kept."""

from __future__ import annotations

import re
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from diandian import web
from tests.browser.walk import SCENE, Walk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser]

KEPT = """async () => {
  const found = []
  for (const name of await caches.keys()) {
    const kept = await caches.open(name)
    for (const each of await kept.keys()) found.push(new URL(each.url).pathname)
  }
  return found.filter(path => !path.startsWith('/static/'))
}"""
PRESS_WHEN_FORGOTTEN = """() => {
  const remove = Storage.prototype.removeItem
  Storage.prototype.removeItem = function (name) {
    Storage.prototype.removeItem = remove
    remove.call(this, name)
    setTimeout(() => document.querySelector(".foot .btn").click(), 5)
  }
}"""
WAITING = "Object.keys(localStorage).filter(each => each.startsWith('diandian.'))"
ALLOWED = {f"/s/{SCENE}", f"/s/{SCENE}/go", "/offline", "/offline/payment"}


def until(page: Page, script: str, wanted: object) -> None:
    """Wait until a script of the page gives what is wanted."""
    deadline = time.monotonic() + 15
    while page.evaluate(script) != wanted:
        assert time.monotonic() < deadline, page.evaluate(script)
        page.wait_for_timeout(50)


def open_once(walk: Walk) -> None:
    """Open the scene's page once, and wait until the phone keeps what it may keep."""
    walk.page.goto(f"{walk.base}/s/{SCENE}?c=p1", wait_until="load")
    until(walk.page, f"async () => (await ({KEPT})()).sort()", sorted(ALLOWED))
    until(walk.page, "async () => (await navigator.serviceWorker.ready).active.state", "activated")


def test_questions_open_without_network_and_answers_wait_for_one_press(walk):
    page, posts = walk.page, []
    open_once(walk)
    page.on("request", lambda each: posts.append(each.url) if each.method == "POST" else None)
    page.context.set_offline(True)
    page.goto(f"{walk.base}/s/{SCENE}/go?c=p1")
    note = page.locator("#offline")
    assert "You are offline. Your answers stay on this phone" in note.inner_text()
    assert page.evaluate(WAITING) == []
    page.locator("#from").fill("Xi'an")
    walk.tick("mode", "train")
    walk.tick("nights", "2")
    walk.tick("stay", "mid")
    page.locator(".foot .btn").click()
    assert urlsplit(page.url).path == f"/s/{SCENE}/go"
    assert len(page.evaluate(WAITING)) == 1

    page.goto(f"{walk.base}/s/{SCENE}/go")
    assert page.locator("#from").input_value() == "Xi'an", "they outlast the page"
    assert page.locator('input[name="nights"][value="2"]').is_checked()

    posts.clear()
    page.context.set_offline(False)
    page.get_by_text("Answers from this phone were not sent yet").wait_for()
    page.wait_for_timeout(500)
    answers = [each for each in posts if each.endswith("/go")]
    assert answers == [], "nothing is sent by itself"
    page.locator(".foot .btn").dblclick()
    page.wait_for_url(re.compile(rf"/s/{SCENE}/go/[-\w]+$"))
    assert len([each for each in posts if each.endswith("/go")]) == 1
    assert page.evaluate(WAITING) == []
    assert page.locator("h1").is_visible()


def test_a_press_while_the_result_is_opening_sends_nothing_more(walk):
    page, posts = walk.page, []
    open_once(walk)
    page.goto(f"{walk.base}/s/{SCENE}/go")
    page.context.set_offline(True)
    page.locator("#from").fill("Xi'an")
    walk.tick("mode", "train")
    walk.tick("nights", "2")
    walk.tick("stay", "mid")
    page.context.set_offline(False)
    page.on("request", lambda each: posts.append(each.url) if each.method == "POST" else None)
    # The moment that a second press hits seldom: sent, forgotten, and the result is not there yet.
    page.evaluate(PRESS_WHEN_FORGOTTEN)
    page.locator(".foot .btn").click()
    page.wait_for_url(re.compile(rf"/s/{SCENE}/go/[-\w]+$"))
    assert len([each for each in posts if each.endswith("/go")]) == 1


def test_answers_stay_when_sending_fails(walk):
    page = walk.page
    open_once(walk)
    page.context.set_offline(True)
    page.goto(f"{walk.base}/s/{SCENE}/go")
    page.locator("#from").fill("Xi'an")
    for name, value in (("mode", "train"), ("nights", "2"), ("stay", "mid")):
        walk.tick(name, value)
    page.context.set_offline(False)
    page.get_by_text("Answers from this phone were not sent yet").wait_for()
    # A network that answers nobody, and of which the phone thinks well.
    page.route("**/go", lambda route: route.abort())
    page.locator(".foot .btn").click()
    page.get_by_text("You are offline. Your answers stay on this phone").wait_for()
    assert len(page.evaluate(WAITING)) == 1
    page.unroute("**/go")
    page.locator(".foot .btn").click()
    page.wait_for_url(re.compile(rf"/s/{SCENE}/go/[-\w]+$"))
    until(page, WAITING, [])


def test_answers_can_be_thrown_away(walk):
    page = walk.page
    open_once(walk)
    page.context.set_offline(True)
    page.goto(f"{walk.base}/s/{SCENE}/go")
    page.locator("#from").fill("Xi'an")
    walk.tick("mode", "train")
    page.locator("#from").blur()
    assert len(page.evaluate(WAITING)) == 1
    page.locator("#offline button").click()
    assert page.evaluate(WAITING) == []
    assert page.locator("#from").input_value() == ""


def test_answers_that_are_refused_are_shown_with_their_errors(walk):
    page = walk.page
    open_once(walk)
    page.context.set_offline(True)
    page.goto(f"{walk.base}/s/{SCENE}/go")
    page.locator("#from").fill("Xxqian")
    walk.tick("mode", "train")
    page.locator(".foot .btn").click()
    page.context.set_offline(False)
    walk.press()
    assert page.locator("#errors").is_visible()
    assert page.locator("#from").input_value() == "Xxqian"
    assert page.locator("#from_rough").is_visible(), "a rough distance is offered"
    assert page.evaluate(WAITING) == []


def test_at_payment_nothing_is_charged_and_nothing_secret_is_kept(walk):
    page = walk.page
    open_once(walk)
    page.goto(f"{walk.base}/s/{SCENE}/go")
    walk.answer()
    result = page.url
    walk.press()
    page.context.set_offline(True)
    page.locator(".foot .btn").click()
    assert page.url == f"{result}/pay"
    assert "Nothing has been charged." in page.locator("#offline").inner_text()
    page.reload()
    assert "Nothing has been charged." in page.locator("main").inner_text()
    page.goto(result)
    assert "This page needs the network" in page.locator("main").inner_text()
    page.context.set_offline(False)
    page.goto(f"{result}/pay")
    walk.press()
    walk.settle("paid")
    code = walk.code()
    for path in ("/me", f"/v/{code}", "/host", "/admin/"):
        page.goto(walk.base + path)
    page.goto(f"{walk.base}/s/{SCENE}")
    assert set(page.evaluate(KEPT)) == ALLOWED


def test_what_an_older_release_kept_goes(walk):
    page = walk.page
    page.goto(walk.base)
    page.evaluate("caches.open('diandian-old').then(old => old.put('/old', new Response('')))")
    open_once(walk)
    until(page, "async () => (await caches.keys()).includes('diandian-old')", wanted=False)


class Hall(ThreadingHTTPServer):
    """A server whose worker can be exchanged; every other address is a page that asks for it."""

    worker = b""
    page = b"<script>navigator.serviceWorker.register('/s/worker.js')</script>"


class Answer(BaseHTTPRequestHandler):
    server: Hall

    def do_GET(self) -> None:
        script = self.path.endswith("/worker.js")
        self.send_response(200)
        self.send_header("Content-Type", "text/javascript" if script else "text/html")
        self.end_headers()
        self.wfile.write(self.server.worker if script else self.server.page)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def hall() -> Iterator[Hall]:
    with Hall(("127.0.0.1", 0), Answer) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_a_switched_off_worker_takes_everything_with_it(site, hall, new_phone):
    page = new_phone()
    hall.worker = page.request.get(f"{site}/s/worker.js").body()
    page.goto(f"http://localhost:{hall.server_port}/s/x")
    until(page, "async () => (await caches.keys()).length", 1)
    until(page, "async () => (await navigator.serviceWorker.ready).active.state", "activated")
    hall.worker = (Path(web.__path__[0]) / "workers" / "gone.js").read_bytes()
    page.goto(f"http://localhost:{hall.server_port}/s/x/go")
    page.evaluate("async () => (await navigator.serviceWorker.getRegistration())?.update()")
    until(page, "async () => (await caches.keys()).length", 0)
    until(page, "async () => (await navigator.serviceWorker.getRegistrations()).length", 0)
