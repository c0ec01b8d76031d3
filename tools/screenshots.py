"""Takes pictures of every page of a running site: phone and desktop, light and dark, each language.

    tools/screenshots.py --base http://localhost:8000 --out FOLDER [--only pay,result]

It walks the guest's way once in each language, so it places orders: point it at a demo, never at a
site where money moves.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.browser.addresses import PUBLIC, linked, walked
from tests.browser.walk import BROWSER_ARGUMENTS, PHONE, phone
from tests.places import chromium

if TYPE_CHECKING:
    from collections.abc import Iterable

    from playwright.sync_api import Browser

Theme = Literal["light", "dark"]
LANGUAGES = ("zh-Hans", "en", "nl")
THEMES: tuple[Theme, ...] = ("light", "dark")
SIZES = {"phone": PHONE, "desktop": {"width": 1280, "height": 900}}
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


def _chosen(text: str, known: Iterable[str]) -> tuple[str, ...]:
    return tuple(each for each in known if not text or each in text.split(","))


def read_options() -> Options:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--base", default="http://localhost:8000", help="address of the site")
    parser.add_argument("--out", type=Path, required=True, help="folder for the pictures")
    parser.add_argument("--only", default="", help="names of pages, with commas; all without")
    parser.add_argument("--languages", default="", help=",".join(LANGUAGES))
    parser.add_argument("--themes", default="", help=",".join(THEMES))
    parser.add_argument("--sizes", default="", help=",".join(SIZES))
    given = parser.parse_args()
    return Options(
        given.base.rstrip("/"),
        given.out,
        frozenset(filter(None, given.only.split(","))),
        _chosen(given.languages, LANGUAGES),
        tuple(theme for theme in THEMES if theme in _chosen(given.themes, THEMES)),
        _chosen(given.sizes, SIZES),
    )


def addresses(browser: Browser, base: str, lang: str) -> dict[str, str]:
    """Return every page by name, after a walk in a language."""
    with phone(browser, lang) as context:
        page = context.new_page()
        return PUBLIC | linked(page, base) | walked(page, base)


def take(browser: Browser, options: Options, lang: str, pages: dict[str, str]) -> int:
    """Take the pictures of one language; return how many."""
    taken = 0
    for size in options.sizes:
        for theme in options.themes:
            width, height = SIZES[size]["width"], SIZES[size]["height"]
            with browser.new_context(
                viewport={"width": width, "height": height},
                device_scale_factor=2 if size == "phone" else 1,
                locale=_LOCALES[lang],
                color_scheme=theme,
                # Forms and moving dots would make each picture another one.
                reduced_motion="reduce",
            ) as context:
                page = context.new_page()
                for name, path in pages.items():
                    page.set_viewport_size({"width": width, "height": height})
                    page.goto(options.base + path, wait_until="load")
                    # The whole page at once: else what sticks to the edge stands in its middle.
                    whole = int(page.evaluate("document.documentElement.scrollHeight"))
                    page.set_viewport_size({"width": width, "height": max(whole, height)})
                    target = options.out / f"{name}.{size}.{theme}.{lang}.png"
                    page.screenshot(path=target, full_page=True)
                    taken += 1
    return taken


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
        for lang in options.languages:
            pages = addresses(browser, options.base, lang)
            wanted = {
                name: path
                for name, path in pages.items()
                if not options.only or name in options.only
            }
            print(f"{lang}: {take(browser, options, lang, wanted)} pictures", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
