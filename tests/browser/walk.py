"""A guest in a browser: from a scene's address to the certificate, in any language.

It finds things as the form sends them (names and values), never by their words, so one walk serves
all languages, with scripts and without.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playwright.sync_api import Browser, BrowserContext, Frame, Page

SCENE = "tianfu26"
PHONE = {"width": 390, "height": 844}
NARROW_PHONE = PHONE | {"width": 320}
BROWSER_ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# The gateway's page belongs to another company: it is not a screen of ours.
_NOT_OURS = "/sandbox/"


def phone(
    browser: Browser, lang: str = "en", *, scripts: bool = True, width: int = 390
) -> BrowserContext:
    """Return a phone of its own, in a language, with scripts or without."""
    context = browser.new_context(
        viewport={"width": width, "height": PHONE["height"]},
        device_scale_factor=2,
        is_mobile=True,
        has_touch=True,
        locale={"zh-Hans": "zh-CN", "en": "en-GB", "nl": "nl-NL"}[lang],
        java_script_enabled=scripts,
    )
    context.set_default_timeout(10_000)
    return context


@dataclass
class Walk:
    """One guest's way. ``screens``: the paths of our own screens, in the order they were shown."""

    page: Page
    base: str
    screens: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Note every screen that is shown."""
        self.page.on("framenavigated", self._note)

    def _note(self, frame: Frame) -> None:
        path = urlsplit(frame.url).path
        if frame is self.page.main_frame and path and not path.startswith(_NOT_OURS):
            self.screens.append(path)

    def begin(self, address: str = "") -> None:
        """Open a scene's address, and go on to its questions."""
        self.page.goto(address or f"{self.base}/s/{SCENE}")
        self.press()

    def press(self) -> None:
        """Press the one main button of the screen, and wait for the next screen."""
        with self.page.expect_navigation(wait_until="load"):
            self.page.locator(".foot .btn").click()

    def tick(self, name: str, value: str) -> None:
        """Tick an answer as a finger does: on its label."""
        box = self.page.locator(f'input[name="{name}"][value="{value}"]')
        beside = self.page.locator(f'label[for="{box.get_attribute("id")}"]')
        (beside if beside.count() else box.locator("xpath=ancestor::label")).click()

    def reply(self, answers: Mapping[str, str]) -> None:
        """Answer questions by name: an option is ticked, anything else is typed."""
        for name, value in answers.items():
            if self.page.locator(f'input[name="{name}"][type="radio"]').count():
                self.tick(name, value)
            else:
                self.page.locator(f'input[name="{name}"]:not([type="checkbox"])').fill(value)

    def answer(
        self, city: str = "Xi'an", mode: str = "train", nights: str = "2", stay: str = "mid"
    ) -> None:
        """Answer the questions of a conference and ask for the result."""
        self.page.locator("#from").fill(city)
        self.tick("mode", mode)
        self.tick("nights", nights)
        if nights != "0":
            self.tick("stay", stay)
        self.press()

    def choose(self, project: str = "", name: str = "", *, on_board: bool = False) -> None:
        """Choose on the payment screen, without pressing its button."""
        if project:
            self.tick("project", project)
        if name:
            self.page.locator("#name").fill(name)
        if on_board:
            self.page.locator('input[name="board"]').check()

    def settle(self, outcome: str) -> None:
        """Let the sandbox gateway do what is wished, and come back to our pages."""
        button = self.page.locator(f'form:has(input[name="outcome"][value="{outcome}"]) button')
        with self.page.expect_navigation(wait_until="load"):
            button.click()

    def order_to_pay(self, **answers: str) -> str:
        """Walk from the scene to the gateway's page; return the path of the payment screen."""
        self.begin()
        self.answer(**answers)
        self.press()
        path = urlsplit(self.page.url).path
        self.press()
        return path

    def buy(self, name: str = "", *, on_board: bool = False, **answers: str) -> str:
        """Walk the whole way with a payment that succeeds; return the certificate's code."""
        self.begin()
        self.answer(**answers)
        self.press()
        self.choose(name=name, on_board=on_board)
        self.press()
        self.settle("paid")
        return self.code()

    def code(self, seconds: int = 20) -> str:
        """Return the code of the certificate that is shown; wait for it, scripts or none."""
        self.page.wait_for_url(re.compile(r"/c/[0-9A-Z]{12}\b"), timeout=seconds * 1000)
        return urlsplit(self.page.url).path.removeprefix("/c/")
