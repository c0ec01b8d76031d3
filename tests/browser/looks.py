"""How a page is looked at: by axe, by its width, for what is cut off."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import Page

# Best practice of axe beyond WCAG is asked for as well; nothing is switched off.
AXE_OPTIONS = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}
AXE_COLOURS = {"resultTypes": ["violations"], "runOnly": ["color-contrast", "link-in-text-block"]}
OPEN_ALL = "document.querySelectorAll('details').forEach(d => d.open = true)"
# Wider than the window by more than a rounding error.
_SIDEWAYS = """() => {
  const width = document.documentElement.clientWidth
  if (document.documentElement.scrollWidth <= width + 1) return []
  return [...document.querySelectorAll('body *')]
    .filter(e => e.getBoundingClientRect().right > width + 1 && !e.closest('.scroll, svg, .vh'))
    .slice(0, 3).map(e => e.outerHTML.slice(0, 120))
    .concat(`page is ${document.documentElement.scrollWidth} wide`)
}"""
_CUT_OFF = """() => [...document.querySelectorAll('.btn, .chip, .tile, h1, .seg label, .lab')]
  .filter(e => e.scrollWidth > e.clientWidth + 2 && e.clientWidth)
  .slice(0, 3).map(e => 'cut off: ' + e.outerHTML.slice(0, 120))"""
_FONT_SIZE = "size => document.documentElement.style.fontSize = size"
_NARROW = (
    "document.querySelector('main').getBoundingClientRect().width"
    " < document.documentElement.clientWidth / 3"
)
BARS = (".foot", "nav.lang", "footer.site nav", "nav.rail")


def violations(axe: Axe, page: Page, name: str, options: dict[str, object]) -> list[str]:
    """Return what axe finds on a page, each with the page's name; it is loaded once for a page."""
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(axe.axe_script)
    found = page.evaluate("async how => (await axe.run(document, how)).violations", options)
    return [
        f"{name}: {each['id']} {node['target']} {node['html'][:120]}"
        for each in found
        for node in each["nodes"][:2]
    ]


def sideways(page: Page, name: str) -> list[str]:
    """Return what sticks out to the right, each with the page's name."""
    return [f"{name}: {each}" for each in page.evaluate(_SIDEWAYS)]


def at_twice_the_size(page: Page, name: str) -> list[str]:
    """Return what does not fit once all text is twice as large; then it is as it was."""
    page.evaluate(_FONT_SIZE, "200%")
    found = [*sideways(page, name), *(f"{name}: {each}" for each in page.evaluate(_CUT_OFF))]
    page.evaluate(_FONT_SIZE, "")
    return found


def printed_badly(page: Page, name: str) -> list[str]:
    """Return the bars that would be printed, a heading that would not, a page left narrow."""
    bars = [each for each in BARS if page.locator(each).first.is_visible()]
    found = [f"{name}: {each} is printed" for each in bars]
    if not page.locator("h1").is_visible():
        found.append(f"{name}: no heading on paper")
    if page.evaluate(_NARROW):
        found.append(f"{name}: printed in a strip of the paper")
    return found
