"""Money on its way back, in browsers: the guest who paid, the sandbox's bank, two operators.

Like the guest's walk it finds things as forms send them, never by their words.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from tests.browser.addresses import LIFE
from tests.browser.desk import sign_in_operator

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.walk import Walk

BASE = "/admin/payments/refund/money-back"
COLLEAGUES_PASSWORD = "correct horse 4711"


@dataclass
class Paid:
    """A paid order: the address of its own page, and of the bank's desk for its payment."""

    order: str
    bank: str


def paid_and_held(walk: Walk) -> Paid:
    """Pay for a month of a life in the Netherlands: nothing is retired while one may withdraw."""
    walk.page.goto(walk.base + LIFE["life-pay-nl"])
    walk.press()
    return _paid(walk)


def paid_and_retired(walk: Walk) -> Paid:
    """Pay for a visit; its certificate follows at once."""
    walk.order_to_pay()
    bank = _bank(walk.page)
    walk.settle("paid")
    walk.code()
    # The way back from the bank leads through the order's page without a stop.
    walk.page.goto(walk.base + bank.removesuffix("/desk"))
    order = walk.page.locator('a[href*="/o/"]').first.get_attribute("href") or ""
    return Paid(urljoin(walk.base, order), walk.base + bank)


def _paid(walk: Walk) -> Paid:
    bank = _bank(walk.page)
    walk.settle("paid")
    return Paid(walk.page.url.partition("?")[0], walk.base + bank)


def _bank(page: Page) -> str:
    return f"{urlsplit(page.url).path}/desk"


def at_bank(page: Page, paid: Paid, *actions: str) -> None:
    """Let the bank do one thing after the other."""
    page.goto(paid.bank)
    for action in actions:
        with page.expect_navigation(wait_until="load"):
            page.locator(f'button[name="action"][value="{action}"]').last.click()


def payment_no(page: Page, paid: Paid) -> str:
    """Return the number of a payment, as its bank's desk shows it."""
    page.goto(paid.bank)
    return re.search(r"\bDD[0-9A-Z]{10,}\b", page.content())[0]  # type: ignore[index]


class MoneyDesk:
    """An operator at the desk "Money back"."""

    def __init__(self, page: Page, base: str) -> None:
        self.page, self.base = page, base

    def sign_in(self, password: str, name: str = "") -> None:
        self.page.goto(f"{self.base}/admin/")
        sign_in_operator(self.page, password, name)

    def colleague(self) -> str:
        """Give somebody else an account with every right; return its name."""
        name = f"colleague-{secrets.token_hex(4)}"
        self.page.goto(f"{self.base}/admin/auth/user/add/")
        self.page.locator("#id_username").fill(name)
        for field in ("#id_password1", "#id_password2"):
            self.page.locator(field).fill(COLLEAGUES_PASSWORD)
        self._press('button[name="_save"]')
        for field in ("#id_is_staff", "#id_is_superuser"):
            self.page.locator(field).check()
        self._press('button[name="_save"]')
        return name

    def overview(self) -> None:
        self.page.goto(f"{self.base}{BASE}/")

    def open(self, number: str) -> None:
        """Open the page of the order that a payment of this number is for."""
        self.page.goto(f"{self.base}/admin/orders/order/?q={number}")
        order = self.page.locator("#result_list tbody a").first.inner_text().strip()
        self.overview()
        self.page.locator("#order").fill(order)
        self._press("section[aria-labelledby=find] button")

    def whole(self, action: str) -> None:
        """Ask what a decision about the whole order would do."""
        self.page.locator("#what").select_option(action)
        self.page.locator("#whole-reason").fill("asked by mail")
        self._press("section[aria-labelledby=whole] button")

    def part(self, amount: str) -> None:
        self.page.locator("#part-amount").fill(amount)
        self.page.locator("#part-reason").fill("a difference in price")
        self._press("section[aria-labelledby=part] button")

    def sure(self) -> None:
        """Do what was shown."""
        self._press("section[aria-labelledby=preview] button")

    def goodwill(self, amount: str) -> None:
        self.page.locator("#goodwill-amount").fill(amount)
        self.page.locator("#goodwill-reason").fill("the hall was cold")
        self._press("section[aria-labelledby=goodwill] button")

    def otherwise(self) -> None:
        """Say that the oldest abnormal refund was paid by other means."""
        self.overview()
        form = self.page.locator("section[aria-labelledby=abnormal] form:has([name=evidence])").last
        form.locator("[name=reason]").fill("closed card")
        form.locator("[name=evidence]").fill("bank transfer 4711")
        with self.page.expect_navigation(wait_until="load"):
            form.locator("button").click()

    def seen(self) -> None:
        """Say that the newest refund by hand was looked into."""
        self.overview()
        form = self.page.locator("section[aria-labelledby=external] form").last
        form.locator("[name=reason]").fill("a colleague, by phone")
        with self.page.expect_navigation(wait_until="load"):
            form.locator("button").click()

    def confirm(self) -> None:
        """Confirm the newest request of somebody else."""
        self.overview()
        buttons = self.page.locator('section[aria-labelledby=waiting] button[value="confirm"]')
        with self.page.expect_navigation(wait_until="load"):
            buttons.last.click()

    def may_confirm(self) -> int:
        """Return how many requests this operator could confirm."""
        self.overview()
        return self.page.locator('section[aria-labelledby=waiting] button[value="confirm"]').count()

    def card(self, name: str) -> str:
        """Return what a part of the page says, nothing where there is none."""
        found = self.page.locator(f"section[aria-labelledby={name}]")
        return found.inner_text() if found.count() else ""

    def _press(self, selector: str) -> None:
        with self.page.expect_navigation(wait_until="load"):
            self.page.locator(selector).first.click()
