"""Every state of an order whose money moved, and the operator's desks of money, by name."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from tests.browser.desk_pages import DeskPages
from tests.browser.money_desk import (
    BASE,
    MoneyDesk,
    at_bank,
    paid_and_held,
    paid_and_retired,
    payment_no,
)
from tests.browser.walk import Walk, phone

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, Page

_WECHAT = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) MicroMessenger/8.0.61"
# What the bank does after a payment that is held for its guest: the order's page says each.
_AT_BANK = {
    "part-back": ("part",),
    "refunded": ("rest",),
    "disputed": ("dispute",),
    "taken": ("dispute", "lost"),
}
# The same, once its guest withdrew and the bank takes its time.
_AFTER_WITHDRAWAL = {"withdrawn": "", "refund-failed": "failed", "no-way-home": "abnormal"}
_DESKS = {
    "index": "/",
    "lines": "/payments/notification/lines/",
    "statements": "/reconciliation/gatewayday/overview/",
    "bank-payouts": "/reconciliation/gatewaypayout/overview/",
    "settlement": "/settlement/batch/due/",
    "payees": "/settlement/payee/suppliers/",
    "offers": "/orders/offer/",
    "orders": "/orders/order/",
    "payments": "/payments/payment/",
    "refunds": "/payments/refund/",
    "disputes": "/payments/dispute/",
    "requests": "/payments/moneyrequest/",
    "payout-list": "/reconciliation/gatewaypayout/",
    "batches": "/settlement/batch/",
    "owed": "/settlement/line/",
    "credits": "/registry/creditbatch/projects/",
    "credit-batches": "/registry/creditbatch/",
    "recalls": "/registry/recall/",
    "retirements": "/registry/retirement/",
}
# The first row of a list leads to one of a kind.
_FIRST = {
    "offer": "offers",
    "order": "orders",
    "payment": "payments",
    "refund": "refunds",
    "dispute": "disputes",
    "owed-line": "owed",
    "batch": "batches",
    "credit-batch": "credit-batches",
    "recall": "recalls",
    "retirement": "retirements",
}


def order_pages(browser: Browser, base: str) -> dict[str, Callable[[Page], None]]:
    """Bring orders into each state that a bank or a guest can; return what shows each."""
    with phone(browser, "nl") as context:
        walk = Walk(context.new_page(), base)
        shown: dict[str, Callable[[Page], None]] = {
            "order-qr": partial(_goto, address=_by(walk, "qr"))
        }
        for name, actions in _AT_BANK.items():
            paid = paid_and_held(walk)
            at_bank(walk.page, paid, *actions)
            shown[f"order-{name}"] = partial(_goto, address=paid.order)
        for name, action in _AFTER_WITHDRAWAL.items():
            paid = paid_and_held(walk)
            at_bank(walk.page, paid, "think")
            _press(walk.page, paid.order, "withdraw")
            _press(walk.page, "", "withdraw")
            if action:
                at_bank(walk.page, paid, action)
            shown[f"order-{name}"] = partial(_goto, address=paid.order)
        shown["order-withdraw"] = partial(
            _press, address=paid_and_held(walk).order, action="withdraw"
        )
        paid = paid_and_retired(walk)
        at_bank(walk.page, paid, "part")
        shown["order-done-part-back"] = partial(_goto, address=paid.order)
        walk.order_to_pay(city="Lhasa")
        walk.settle("declined")
        _press(walk.page, "", "cancel")
        shown["order-cancelled"] = partial(_goto, address=walk.page.url)
        shown["order-erase"] = partial(_goto, address=f"{walk.page.url}/erase")
    with phone(browser, "zh-Hans") as context:
        context.set_extra_http_headers({"User-Agent": _WECHAT})
        walk = Walk(context.new_page(), base)
        address = _by(walk, "app")
        shown["order-wallet"] = partial(_in_wechat, address=address)
        shown["order-wallet-elsewhere"] = partial(_goto, address=address)
    return shown


def desk_pages_of_money(browser: Browser, base: str, password: str) -> DeskPages:
    """Sign an operator in; return the pages that see to money."""
    with browser.new_context(locale="en-GB") as context:
        page = context.new_page()
        desk = MoneyDesk(page, base)
        desk.sign_in(password)
        paths = {f"desk-{name}": f"/admin{path}" for name, path in _DESKS.items()}
        paths |= {"desk-money-back": f"{BASE}/"}
        for name, listed in _FIRST.items():
            page.goto(base + paths[f"desk-{listed}"])
            first = page.locator("#result_list tbody a[href*='/change/']")
            if first.count():
                paths[f"desk-{name}"] = first.first.get_attribute("href") or ""
        page.goto(base + paths["desk-statements"])
        days = re.findall(r'href="(/admin/[a-z]+/gatewayday/\d+/change/[^"]*)"', page.content())
        if days:
            paths["desk-statement"] = days[0]
        for day in days:
            page.goto(base + day)
            if page.locator("#difference-2").count():
                paths["desk-differences"] = day
                break
        with phone(browser, "nl") as other:
            walk = Walk(other.new_page(), base)
            number = payment_no(walk.page, paid_and_held(walk))
        desk.open(number)
        paths["desk-money-back-order"] = page.url.removeprefix(base)
        return DeskPages(context.storage_state(), paths)


def _by(walk: Walk, flow: str) -> str:
    """Order by a way to pay of the sandbox; return the order's address."""
    walk.begin()
    walk.answer()
    walk.press()
    walk.tick("way", f"sandbox:{flow}")
    walk.press()
    return walk.page.url.partition("?")[0]


def _goto(page: Page, address: str) -> None:
    page.goto(address, wait_until="load")


def _in_wechat(page: Page, address: str) -> None:
    page.set_extra_http_headers({"User-Agent": _WECHAT})
    page.goto(address, wait_until="load")
    page.set_extra_http_headers({})


def _press(page: Page, address: str, action: str) -> None:
    """Press the button of an order that does this, on the page that is shown or another."""
    if address:
        page.goto(address)
    with page.expect_navigation(wait_until="load"):
        page.locator(f'form:has(input[name="action"][value="{action}"]) button').click()
