"""Every page of the organiser's desk by name, as an organiser comes to see them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.browser.desk import BILL, Desk, approve, nobody_yet
from tests.browser.kinds import KINDS
from tests.browser.walk import Walk, phone

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, BrowserContext, Page, StorageState

_WRONG = (
    b"activity,amount,unit,quality,note\r\n"
    b"electricity,1200,kWh,metered,hall\r\n"
    b"waste_landfill,-20,kg,estimated,bins\r\n"
    b"perpetuum,5,kg,estimated,\r\n"
    b'diesel,"1,234",litre,invoiced,\r\n'
    b"coach,10,kg,guessed,shuttle\r\n"
)
_NAMES = ("秋季建筑者会议", "Autumn meeting of builders", "Najaarsbijeenkomst van bouwers")


@dataclass
class DeskPages:
    """Pages of one organiser. ``session``: who is signed in.

    ``paths``: shown by their address. ``acts``: shown once something was pressed.
    """

    session: StorageState
    paths: dict[str, str] = field(default_factory=dict)
    acts: dict[str, Callable[[Page], None]] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        return [*self.paths, *self.acts]

    def show(self, name: str, page: Page, base: str) -> None:
        """Show a page to somebody who has the session."""
        if name in self.paths:
            page.goto(base + self.paths[name], wait_until="load")
        else:
            self.acts[name](page)


def desk_pages(browser: Browser, base: str, password: str) -> DeskPages:
    """Open scenes and fill their inventories; return the pages that show it.

    ``password``: of the operator's desk.
    """
    # No small screen: the preview of a scene stands beside its form.
    with browser.new_context(locale="en-GB") as context:
        desk = Desk(context.new_page(), base)
        desk.sign_in(nobody_yet("pages"))
        desk.found("成都锦水会展有限公司 Jinshui Exhibitions")
        found = DeskPages(context.storage_state(), {"host": "/host", "host-new": "/host/new"})
        found.paths |= _facts(desk)
        found.paths |= _draft(desk)
        found.paths |= _waiting(desk, found.acts)
        found.paths |= _open(desk, context, password, found.acts)
        return found


def _facts(desk: Desk) -> dict[str, str]:
    organisation = desk.page.locator('.rail a[href^="/host/organisation/"]').get_attribute("href")
    return {
        "host-account": "/host/account",
        "host-organisation": organisation or "",
        "host-organisation-new": "/host/organisation",
    }


def _named(desk: Desk, number: int, kind: str) -> None:
    zh, en, nl = (f"{name} {number}" for name in _NAMES)
    desk.page.goto(f"{desk.base}/host/new")
    desk.describe(en, kind=kind, name_zh=zh, name_nl=nl, expected_guests="600")


def _draft(desk: Desk) -> dict[str, str]:
    """Return the pages of a draft with questions of its own."""
    _named(desk, 1, "other")
    desk.save()
    desk.compose("coach", "Kilometres by shuttle bus", "12")
    path = desk.address.removeprefix(desk.base)
    return {"host-draft": path, "host-edit": f"{path}/edit", "host-questions": f"{path}/questions"}


def _waiting(desk: Desk, acts: dict[str, Callable[[Page], None]]) -> dict[str, str]:
    """Return the pages of a scene that waits for approval, with an open inventory."""
    _named(desk, 2, "conference")
    desk.page.locator('label[for="owner-organiser"]').click()
    desk.save()
    desk.submit()
    conference = KINDS[0]
    for number, line in enumerate(conference.entered):
        desk.enter(line.activity, line.answers, b"" if number else BILL)
    desk.check_table(*conference.file)
    desk.import_checked()
    key = desk.page.locator("tr[id]").first.get_attribute("id")
    desk.inventory("/reductions")
    desk.press('button:has-text("We do this")')
    own = Desk(desk.page, desk.base)
    own.address = desk.address
    acts |= _import_acts(desk.address) | {
        "host-entry-wrong": lambda page: _at(page, own).enter("waste_landfill", {"amount": "-20"}),
        "host-close-unmeant": lambda page: _pressed(page, f"{own.address}/inventory/close"),
        "host-source-wrong": lambda page: _pressed(page, f"{own.address}/inventory/source/heat"),
    }
    path = desk.address.removeprefix(desk.base)
    inventory = f"{path}/inventory"
    return {
        "host-waiting": path,
        "host-inventory": inventory,
        "host-inventory-source": f"{inventory}?source=catering",
        "host-entry-pick": f"{inventory}/new",
        "host-entry-new": f"{inventory}/new?activity=diesel&category=fuel_vehicles",
        "host-entry": f"{inventory}/entry/{key}",
        "host-source": f"{inventory}/source/heat",
        "host-import": f"{inventory}/import",
        "host-travel": f"{inventory}/travel",
        "host-measures": f"{inventory}/reductions",
        "host-files": f"{inventory}/files",
        "host-close": f"{inventory}/close",
    }


def _import_acts(address: str) -> dict[str, Callable[[Page], None]]:
    def check(page: Page, name: str, data: bytes) -> None:
        desk = Desk(page, "")
        desk.address = address
        desk.check_table(name, data)

    right = KINDS[1].file
    return {
        "host-import-wrong": lambda page: check(page, "lines.csv", _WRONG),
        "host-import-no-table": lambda page: check(page, "lines.xls", b"\xd0\xcf\x11\xe0old"),
        "host-import-right": lambda page: check(page, *right),
    }


def _at(page: Page, desk: Desk) -> Desk:
    moved = Desk(page, desk.base)
    moved.address = desk.address
    return moved


def _pressed(page: Page, address: str) -> None:
    """Press the button of a form that nobody filled in."""
    page.goto(address)
    with page.expect_navigation(wait_until="load"):
        page.locator('main form button[type="submit"]').last.click()


def _open(
    desk: Desk,
    context: BrowserContext,
    password: str,
    acts: dict[str, Callable[[Page], None]],
) -> dict[str, str]:
    """Return the pages of an open scene: a guest came, the inventory is closed, half covered."""
    _named(desk, 3, "conference")
    desk.save()
    desk.submit()
    path = desk.address.removeprefix(desk.base)
    with context.browser.new_context(locale="en-GB") as other:  # type: ignore[union-attr]
        approve(other.new_page(), desk.base, password, path.rpartition("/")[2])
    desk.poster("entrance")
    with phone(context.browser) as guest:  # type: ignore[arg-type]
        walk = Walk(guest.new_page(), desk.base)
        walk.begin(f"{desk.base}{path.replace('/host', '/s')}?c=p1")
        walk.answer()
        walk.press()
        walk.press()
        walk.settle("paid")
        walk.code()
    desk.enter("electricity", {"amount": "1200", "quality": "metered"}, BILL)
    desk.close_inventory()
    code = desk.cover("own", share="50")
    acts["host-quote"] = lambda page: _at(page, desk).quote("own")
    acts["host-share-wrong"] = lambda page: _at(page, desk).quote("own", share="150")
    public = path.replace("/host", "/s")
    return {
        "host-open": path,
        "host-inventory-closed": f"{path}/inventory",
        "host-cover": f"{path}/cover",
        "host-certificate": f"/c/{code}",
        "host-report": f"{public}/report",
        "host-scene-seen": public,
    }
