"""An organiser in a browser: from the sign-in by code to the organisation's certificate.

Like the guest's walk it finds things as forms send them, never by their words.
"""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING

from diandian.jobs.demo import OPERATOR
from diandian.kernel.clock import business_day
from tests.browser.walk import Walk

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playwright.sync_api import FilePayload, Page

BILL = b"%PDF-1.7\nbill of the grid"
_SUBMIT = 'main form.card button[type="submit"]'


def file(name: str, data: bytes) -> FilePayload:
    """Return a file as a browser uploads it."""
    return {"name": name, "mimeType": "application/octet-stream", "buffer": data}


def nobody_yet(name: str) -> str:
    """Return an address that has no account on any site: one may be tested again and again."""
    return f"{name}.{secrets.token_hex(4)}@example.org"


class Desk:
    """A walk through the desk. ``address``: of the scene, once there is one."""

    def __init__(self, page: Page, base: str) -> None:
        self.page, self.base = page, base
        self.address = ""

    def look(self, name: str) -> None:
        """Look at the page that is shown; a walk that only has to arrive does not."""

    def press(self, selector: str) -> None:
        """Press a button or a link, and wait for the next page."""
        with self.page.expect_navigation(wait_until="load"):
            self.page.locator(selector).first.click()

    # --- opening a scene --------------------------------------------------------------------

    def sign_in(self, email: str) -> None:
        self.page.goto(f"{self.base}/host")
        self.look("sign in")
        self.page.locator("#email").fill(email)
        self.press(".foot .btn")
        self.look("code")
        self.page.locator("#code").fill(self.page.locator("#sample-code").inner_text())
        self.press(".foot .btn")

    def found(self, legal_name: str) -> None:
        """Found an organisation, on the way to the first scene."""
        self.press('a[href="/host/new"]')
        self.look("organisation")
        self.page.locator("#legal_name").fill(legal_name)
        self.press('main button[type="submit"]')

    def describe(self, name: str, *, kind: str = "conference", **changes: str) -> None:
        """Fill in the form of a scene, of today, and see it in the preview."""
        today = business_day().isoformat()
        page = self.page
        facts = {
            "name_en": name,
            "starts_on": today,
            "ends_on": today,
            "venue": "Jinshui Centre, Hall 3",
            "place": "Chengdu",
        }
        for field, value in (facts | changes).items():
            page.locator(f"#{field}").fill(value)
        page.locator(f'label[for="kind-{kind}"]').click()
        page.locator("#preview h2").get_by_text(name).wait_for()
        # Each kind has a picture of its own there, drawn once its answer has come.
        page.wait_for_load_state("networkidle")
        self.look("new scene")

    def save(self) -> None:
        """Keep the scene as a draft."""
        self.press('button[value="save"]')
        self.address = self.page.url

    def compose(self, activity: str, label: str, usual: str) -> None:
        """Ask guests of a draft one question of one's own, and none of the ready ones."""
        self.press('main a[href$="/questions"]')
        page = self.page
        for ready in page.locator('input[name^="keep."]').all():
            ready.uncheck()
        page.locator('[name="questions.0.activity"]').select_option(activity)
        page.locator('[name="questions.0.name_en"]').fill(label)
        page.locator('[name="questions.0.default"]').fill(usual)
        self.look("questions")
        self.press(_SUBMIT)

    def submit(self) -> str:
        """Ask for approval; return the secret link that shows the scene until then."""
        link = self.page.locator(".fix a").get_attribute("href") or ""
        self.press('button[value="submit"]')
        return link

    def poster(self, label: str) -> str:
        """Add a poster; return the address of its English paper."""
        self.page.goto(self.address)
        self.look("open, nobody yet")
        self.page.locator("#label").fill(label)
        self.press("form:has(#label) button")
        path = self.page.locator('a[href*="poster.pdf?c=p1&lang=en"]').get_attribute("href")
        return f"{self.base}{path}"

    # --- the inventory ----------------------------------------------------------------------

    def inventory(self, page: str = "") -> None:
        """Go to the inventory, or to one of its pages."""
        self.page.goto(f"{self.address}/inventory{page}")

    def enter(self, activity: str, answers: Mapping[str, str], evidence: bytes = b"") -> None:
        """Enter one activity. ``answers``: by field; ``quality`` is ticked, all else typed."""
        page = self.page
        self.inventory(f"/new?activity={activity}")
        for name, value in answers.items():
            if name == "quality":
                page.locator(f'label[for="q-{value}"]').click()
            else:
                page.locator(f"#{name}").fill(value)
        if evidence:
            page.locator("#file").set_input_files(file("bill.pdf", evidence))
        self.press(_SUBMIT)

    def check_table(self, name: str, data: bytes) -> None:
        """Upload a table to be checked; nothing is imported by that."""
        self.inventory("/import")
        self.page.locator("#file").set_input_files(file(name, data))
        self.press('form[enctype] button[type="submit"]')

    def import_checked(self) -> None:
        """Import the table that was just found right."""
        self.press('form:has(input[name="digest"]) button')

    def close_inventory(self) -> str:
        """Close the version; return the mass that was frozen, as the page wrote it."""
        self.inventory()
        self.press('main a[href$="/inventory/close"]')
        self.look("what is frozen")
        mass = self.page.locator("dl.facts dd").first.inner_text()
        self.page.locator("#meant").check()
        self.press('form:has(#meant) button[type="submit"]')
        return mass

    # --- the rest ---------------------------------------------------------------------------

    def rest(self) -> dict[str, tuple[str, str]]:
        """Return what the cover page says: counted, by guests, by us, left; ours, everybody's."""
        self.page.goto(f"{self.address}/cover")
        rows = self.page.locator("main table tbody tr, main table tfoot tr").all()
        cells = [row.locator("td").all_inner_texts() for row in rows]
        names = ("counted", "by_guests", "by_us", "left")
        return {name: (row[1], row[2]) for name, row in zip(names, cells, strict=True)}

    def quote(self, whose: str = "", share: str = "100") -> None:
        """Ask the price of what is left. ``share``: per cent of it."""
        self.page.goto(f"{self.address}/cover")
        self.look("what is left")
        if whose:
            self.page.locator(f'input[name="whose"][value="{whose}"] + label').click()
        self.page.locator("#share_percent").fill(share)
        self.press("#cover button")
        self.look("the price")

    def cover(self, whose: str = "", share: str = "100") -> str:
        """Pay in the sandbox for what is left; return the certificate's code."""
        self.quote(whose, share)
        self.press('main button[type="submit"]')
        Walk(self.page, self.base).settle("paid")
        self.page.wait_for_url(re.compile(r"/c/[0-9A-Z]{12}\b"))
        return self.page.url.partition("/c/")[2][:12]


# --- the operator's desk --------------------------------------------------------------------------


def sign_in_operator(page: Page, password: str, name: str = "") -> None:
    """Sign in where the operator's desk asks for it; without a name as its first operator."""
    page.locator("#id_username").fill(name or OPERATOR)
    page.locator("#id_password").fill(password)
    with page.expect_navigation(wait_until="load"):
        page.locator("#login-form button[type=submit]").click()


def approve(operator: Page, base: str, password: str, slug: str) -> None:
    """Let guests into a scene, as the operator does; signs in where that was not done before."""
    waiting = f"{base}/admin/scenes/scene/?q={slug}"
    operator.goto(waiting)
    if operator.locator("#login-form").count():
        sign_in_operator(operator, password)
        operator.goto(waiting)
    with operator.expect_navigation(wait_until="load"):
        operator.locator("#result_list tbody a").first.click()
    with operator.expect_navigation(wait_until="load"):
        operator.locator('.desk-card button[value="approve"]').click()
