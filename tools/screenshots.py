"""Takes pictures of every page of a running site: phone and desktop, light and dark, each language.

    tools/screenshots.py --base http://localhost:8000 --out FOLDER [--only pay,result]

It walks the guest's way once in each language and opens scenes at the organiser's desk, so it
places orders: point it at a demo, never at a site where money moves.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from diandian.jobs.demo_folder import PASSWORD_FILE
from tests.browser.addresses import PUBLIC, linked, walked
from tests.browser.desk_pages import DeskPages, desk_pages
from tests.browser.money_pages import desk_pages_of_money, order_pages
from tests.browser.walk import BROWSER_ARGUMENTS, PHONE, phone
from tests.places import chromium

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from playwright.sync_api import Browser, Page, StorageState

    Show = Callable[[Page], None]

ROOT = Path(__file__).resolve().parent.parent
Theme = Literal["light", "dark"]
LANGUAGES = ("zh-Hans", "en", "nl")
THEMES: tuple[Theme, ...] = ("light", "dark")
SIZES = {
    "phone": PHONE,
    "desktop": {"width": 1280, "height": 900},
    "narrow": {"width": 320, "height": 640},
}
TEXT_SIZE = "pct => { document.documentElement.style.fontSize = `${pct}%` }"
_LOCALES = {"zh-Hans": "zh-CN", "en": "en-GB", "nl": "nl-NL"}


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asked for."""

    base: str
    out: Path
    only: frozenset[str]
    languages: tuple[str, ...]
    themes: tuple[Theme, ...]
    sizes: tuple[str, ...]
    data: Path
    text_pct: int
    on_paper: bool

    def wants(self, name: str) -> bool:
        """Tell whether a page was asked for."""
        return not self.only or any(fnmatch(name, each) for each in self.only)

    def wants_any(self, start: str) -> bool:
        """Tell whether pages were asked for whose names begin so."""
        return not self.only or any(each.startswith((start, "*")) for each in self.only)


def _chosen(text: str, known: Iterable[str]) -> tuple[str, ...]:
    return tuple(each for each in known if not text or each in text.split(","))


def read_options() -> Options:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--base", default="http://localhost:8000", help="address of the site")
    parser.add_argument("--out", type=Path, required=True, help="folder for the pictures")
    parser.add_argument("--only", default="", help="names of pages: pay,host-*; all without")
    parser.add_argument("--languages", default="", help=",".join(LANGUAGES))
    parser.add_argument("--themes", default="", help=",".join(THEMES))
    parser.add_argument("--sizes", default="phone,desktop", help=",".join(SIZES))
    parser.add_argument(
        "--data",
        type=Path,
        default=ROOT / "var" / "demo",
        help="data folder of the demo; its operator lets guests into the organiser's scene",
    )
    parser.add_argument("--text", type=int, default=100, help="size of text in per cent (100)")
    parser.add_argument("--print", action="store_true", help="as printed")
    given = parser.parse_args()
    return Options(
        given.base.rstrip("/"),
        given.out,
        frozenset(filter(None, given.only.split(","))),
        _chosen(given.languages, LANGUAGES),
        tuple(theme for theme in THEMES if theme in _chosen(given.themes, THEMES)),
        _chosen(given.sizes, SIZES),
        given.data,
        given.text,
        vars(given)["print"],
    )


def guest_pages(browser: Browser, base: str, lang: str) -> dict[str, str]:
    """Return every page of guests by name, after a walk in a language."""
    with phone(browser, lang) as context:
        page = context.new_page()
        return PUBLIC | linked(page, base) | walked(page, base)


def signed_in_pages(browser: Browser, options: Options) -> list[DeskPages]:
    """Return the pages of the organiser's desk and of the operator's, as far as asked for."""
    password = options.data / PASSWORD_FILE
    wanted = [
        make
        for start, make in (("host", desk_pages), ("desk", desk_pages_of_money))
        if options.wants_any(start)
    ]
    if wanted and not password.exists():
        print(f"No pages of desks: {password} was not found. See --data.", file=sys.stderr)
        return []
    return [make(browser, options.base, password.read_text().strip()) for make in wanted]


def take(
    browser: Browser,
    options: Options,
    lang: str,
    pages: dict[str, Show],
    session: StorageState | None = None,
) -> int:
    """Take the pictures of one language; return how many. ``session``: of who is signed in."""
    taken = 0
    for size in options.sizes:
        for theme in options.themes:
            width, height = SIZES[size]["width"], SIZES[size]["height"]
            with browser.new_context(
                viewport={"width": width, "height": height},
                device_scale_factor=1 if size == "desktop" else 2,
                locale=_LOCALES[lang],
                color_scheme=theme,
                storage_state=session,
                # Forms and moving dots would make each picture another one.
                reduced_motion="reduce",
            ) as context:
                page = context.new_page()
                for name, show in pages.items():
                    page.set_viewport_size({"width": width, "height": height})
                    page.emulate_media(media="screen")  # paper has no buttons to press
                    show(page)
                    page.emulate_media(media="print" if options.on_paper else "screen")
                    page.evaluate(TEXT_SIZE, options.text_pct)
                    # The whole page at once: else what sticks to the edge stands in its middle.
                    whole = int(page.evaluate("document.documentElement.scrollHeight"))
                    page.set_viewport_size({"width": width, "height": max(whole, height)})
                    target = options.out / f"{name}.{size}.{theme}.{lang}.png"
                    page.screenshot(path=target, full_page=True)
                    taken += 1
    return taken


def _goto(address: str) -> Show:
    def show(page: Page) -> None:
        page.goto(address, wait_until="load")

    return show


def _on_desk(desk: DeskPages, name: str, base: str) -> Show:
    return lambda page: desk.show(name, page, base)


def main() -> int:
    """Take the pictures that were asked for."""
    options = read_options()
    found = chromium()
    if not found:
        print("Chromium was not found on this machine. No picture was taken.", file=sys.stderr)
        return 1
    options.out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=found, args=BROWSER_ARGUMENTS)
        moved = order_pages(browser, options.base) if options.wants_any("order") else {}
        # After money went back: else the desk has no refund and no dispute to show.
        desks = signed_in_pages(browser, options)
        for lang in options.languages:
            seen = guest_pages(browser, options.base, lang)
            public = {name: _goto(options.base + path) for name, path in seen.items()} | moved
            wanted = {name: show for name, show in public.items() if options.wants(name)}
            taken = take(browser, options, lang, wanted)
            for desk in desks:
                shown = {
                    name: _on_desk(desk, name, options.base)
                    for name in desk.names
                    if options.wants(name)
                }
                taken += take(browser, options, lang, shown, desk.session)
            print(f"{lang}: {taken} pictures", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
