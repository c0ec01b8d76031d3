"""The one style sheet: small, self-contained, readable."""

import re
from pathlib import Path

import brotli
import pytest

import diandian
import diandian.ui

pytestmark = pytest.mark.pure

CSS = Path(diandian.ui.__file__).parent / "static/ui/diandian.css"
TEXT = CSS.read_text(encoding="utf-8")
INKS = ("ink", "ink-2", "ink-3")
KINDS = ("travel", "stay", "local", "food", "venue", "goods")
PAIRS = [
    # text needs 4.5
    *((name, ground, 4.5) for name in INKS for ground in ("bg", "surface", "sunk")),
    *((name, ground, 4.5) for name in ("primary", "you") for ground in ("bg", "surface")),
    ("primary", "tint", 4.5),
    ("on-primary", "primary", 4.5),
    ("on-primary", "primary-hover", 4.5),
    ("ink", "tint", 4.5),
    ("you", "you-tint", 4.5),
    ("ink", "you-tint", 4.5),
    *((name, f"{name}-tint", 4.5) for name in ("ok", "warn", "bad")),
    *((name, "surface", 4.5) for name in ("ok", "bad", "seal")),
    ("on-cloth", "cloth", 4.5),
    ("on-cloth-2", "cloth", 4.5),
    # shapes need 3
    *((name, ground, 3) for name in ("edge", *KINDS) for ground in ("bg", "surface")),
    *((f"cloth-{name}", "cloth", 3) for name in KINDS),
]


def colours(block):
    return dict(re.findall(r"--([\w-]+): ?(#[0-9a-f]{6});", block))


def themes():
    light, media, switch = re.findall(
        r":root(?:, \.cert|:not\(\[data-theme=light\]\)|\[data-theme=dark\]) \{(.*?)\}",
        TEXT,
        re.DOTALL,
    )
    return {"light": colours(light), "dark": colours(light) | colours(media)}, colours(switch)


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("front", "ground", "needed"), PAIRS)
def test_contrast(theme, front, ground, needed):
    values = themes()[0][theme]
    assert contrast(values[front], values[ground]) >= needed


def test_contrast_formula_knows_its_ends():
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#777777") == 1


def test_dark_is_the_same_by_system_and_by_switch():
    both, switch = themes()
    assert both["dark"] == both["light"] | switch


def test_the_dark_theme_changes_colours_and_nothing_else():
    """In browsers only what depends on colours is then looked at in both themes."""
    dark = re.search(r"prefers-color-scheme: dark\) \{\s*:root[^{]*\{(.*?)\}", TEXT, re.DOTALL)[1]
    changed = [each.strip() for each in dark.split(";") if each.strip()]
    assert len(changed) > 20
    colour = re.compile(r"--[\w-]+: ?#[0-9a-f]{6}|--raise: 0 0 0 1px #[0-9a-f]{6}")
    assert [each for each in changed if not colour.fullmatch(each)] == []
    rooms = Path(diandian.__file__).parent
    sheets = {path.name: path.read_text(encoding="utf-8") for path in rooms.rglob("*.css")}
    asked = {name: text.count("prefers-color-scheme") for name, text in sheets.items()}
    assert {name: times for name, times in asked.items() if times} == {CSS.name: 1}


def test_every_colour_that_is_used_is_defined():
    defined = set(re.findall(r"--([\w-]+):", TEXT))
    assert set(re.findall(r"var\(--([\w-]+)", TEXT)) <= defined


def test_size_on_the_wire():
    assert len(brotli.compress(CSS.read_bytes())) <= 12 * 1024


def test_nothing_is_loaded_from_elsewhere():
    assert not re.search(r"url\(|@import|@font-face", TEXT)


def test_old_browsers_are_not_left_out():
    assert not re.search(
        r":has\(|light-dark\(|oklch\(|@container|color-mix\(|^\s*&", TEXT, re.MULTILINE
    )


def test_braces_balance():
    plain = re.sub(r"/\*.*?\*/", "", TEXT, flags=re.DOTALL)
    assert plain.count("{") == plain.count("}")
