"""The door poster of a scene: A4 portrait, one question, one code, four steps, as a PDF.

Legible at four metres and in grey; the code is 78 mm wide, and a short address stands below it for
those who will not scan. *Source:* "things to print" of the experience design.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from diandian.claims.levels import allowed_style
from diandian.claims.phrases import pick
from diandian.claims.wording import brand, poster_words
from diandian.ui import typst
from diandian.ui.format import day_range
from diandian.ui.halftones import halftone_points
from diandian.ui.qr import modules

SceneData = Mapping[str, Any]
_DESIGN = Path(__file__).parent / "posters" / "a4.typ"
_ART = (595.28, 186.0, 8.55)
_LANG = {"zh-Hans": "zh", "en": "en", "nl": "nl"}
_SAMPLE = {"zh-Hans": "示例 · SAMPLE", "en": "SAMPLE", "nl": "VOORBEELD · SAMPLE"}
_QR_WORDS = {"zh-Hans": "二维码：{url}", "en": "QR code: {url}", "nl": "QR-code: {url}"}


@cache
def _art(kind: str) -> str:
    width, height, pitch = _ART
    paths = "".join(
        f'<path stroke-width="{size:.2f}" d="'
        + "".join(f"M{x:.1f} {y:.1f}h.01" for x, y in points)
        + '"/>'
        for size, points in halftone_points(kind, width, height, pitch)
    )
    box = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    line = 'stroke="#F4F5FB" stroke-linecap="round" fill="none"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {box} {line}>{paths}</svg>'


def _headline(scene: SceneData, lang: str) -> str:
    name = pick(scene["names"], lang).replace("|", "")
    if not scene["ends_on"]:
        return name
    first, last = (date.fromisoformat(scene[key]) for key in ("starts_on", "ends_on"))
    return f"{name} · {day_range(first, last, lang)}"


def _page(scene: SceneData, url: str, short_url: str, lang: str) -> dict[str, Any]:
    style = allowed_style(scene["claim_style"], scene["country"], scene["audience"])
    words = poster_words(style, lang)
    return {
        "lang": _LANG[lang],
        "headline": _headline(scene, lang),
        "question": words["question"].split("|"),
        "gloss": words["gloss"],
        "gloss_lang": "zh" if lang == "en" else "en",
        "scale": words["scale"].format(kg=scene.get("kg_per_dot", 1)),
        "steps": [list(step) for step in words["steps"]],
        "small_lang": "en" if lang == "zh-Hans" else _LANG[lang],
        "host": words["host"] + pick(scene["host_names"], lang),
        "honest": words["honest"],
        "brand": brand(style, lang),
        "short_url": short_url,
        "qr": ["".join("1" if bit else "0" for bit in row) for row in modules(url)],
        "qr_alt": _QR_WORDS[lang].format(url=url),
        "sample": _SAMPLE[lang] if scene["sample"] else "",
    }


def render_poster(scene: SceneData, url: str, short_url: str, lang: str) -> bytes:
    """Return the poster of a scene as PDF; the same input gives the same bytes.

    ``scene``: names, host_names (by language), starts_on, ends_on (ISO days or None), claim_style,
    country, audience, sample; optionally art (a halftone) and kg_per_dot.
    ``url``: where the code leads; ``short_url``: what is printed below it.
    Raises: TypesettingError.
    """
    day = date.fromisoformat(scene["starts_on"])
    return typst.render_pdf(
        _DESIGN,
        _page(scene, url, short_url, lang),
        created_at=datetime(day.year, day.month, day.day, tzinfo=UTC),
        picture=_art(scene.get("art", "ridge")),
    )
