"""Contract of a certificate design, and the only way from a signed record to paper and pictures.

A design is a folder of ``designs/`` with ``design.toml`` (names, colours, fact words) and four
documents: ``certificate.typ`` (A4, PDF), ``phone.typ`` (1080 x 1920), ``share.typ`` (1080 x 1440)
and ``preview.typ`` (300 x 300). It receives finished words and coordinates; it never computes a
claim. The same credential gives the same bytes.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from diandian.claims import phrases, wording
from diandian.kernel.canonical import canonical_json
from diandian.kernel.folders import plug_in_keys
from diandian.kernel.tokens import spaced_code
from diandian.ui import typst
from diandian.ui.drawing import bloom_points, seal_rows
from diandian.ui.halftones import halftone_points
from diandian.ui.qr import modules
from diandian.verifier.credential import record_of

Record = Mapping[str, Any]
Page = dict[str, Any]
Points = Sequence[tuple[float, float]]

DEFAULT = "indigo"
DOCUMENTS = ("certificate.typ", "phone.typ", "share.typ", "preview.typ")
_FOLDER = Path(__file__).parent / "designs"
_BLOOM_RADIUS = 127.0
_RIDGE = ("ridge", 339.0, 160.5, 4.65)
_SERIALS_SHOWN = 2
_TYPST_LANG = {"zh-Hans": "zh", "en": "en", "nl": "nl"}


@dataclass(frozen=True, slots=True)
class Design:
    """One folder. ``cloth`` and ``paper``: dot colours by category on dark and on white ground."""

    key: str
    folder: Path
    names: dict[str, str]
    languages: tuple[str, ...]
    cloth: dict[str, str]
    paper: dict[str, str]
    words: dict[str, dict[str, str]]


def _load(key: str) -> Design:
    folder = _FOLDER / key
    table = tomllib.loads((folder / "design.toml").read_text(encoding="utf-8"))
    missing = [name for name in DOCUMENTS if not (folder / name).is_file()]
    if missing:
        raise FileNotFoundError(f"design {key} lacks {', '.join(missing)}")
    return Design(
        key=key,
        folder=folder,
        names=table["names"],
        languages=tuple(table["languages"]),
        cloth=table["cloth"],
        paper=table["paper"],
        words=table["words"],
    )


@cache
def designs() -> dict[str, Design]:
    """Return all designs by key; each is a folder of ``certificates/designs``."""
    return {key: _load(key) for key in plug_in_keys("diandian.certificates.designs")}


def design(key: str = DEFAULT) -> Design:
    """Return one design. Raises: KeyError."""
    return designs()[key]


def _rounded(points: Points) -> list[list[float]]:
    return [[round(x, 2), round(y, 2)] for x, y in points]


def _counts(record: Record) -> dict[str, int]:
    """Return dots by category; what has no categories is one plain group."""
    if record["purpose"] == "lump_sum" or not any(record["dots"].values()):
        return {"other": wording.dots(record)}
    return {key: count for key, count in record["dots"].items() if count}


def _flower(record: Record, colours: Mapping[str, str]) -> Page:
    counts = _counts(record)
    order = [*colours, *(key for key in counts if key not in colours)]
    points, diameter = bloom_points(sum(counts.values()), _BLOOM_RADIUS)
    groups, start = [], 0
    for key in sorted(counts, key=order.index):
        part = points[start : start + counts[key]]
        groups.append({"colour": colours.get(key, colours["other"]), "points": _rounded(part)})
        start += counts[key]
    return {"diameter": round(diameter, 2), "groups": groups}


def _key(record: Record, colours: Mapping[str, str], lang: str) -> list[list[str]]:
    counts = _counts(record)
    if set(counts) == {"other"}:
        return []
    largest_first = sorted(counts, key=lambda key: -counts[key])
    return [
        [colours.get(key, colours["other"]), f"{wording.category(key, lang, record)} {counts[key]}"]
        for key in largest_first
    ]


@cache
def _ridge(colour: str) -> str:
    kind, width, height, pitch = _RIDGE
    # Round ends make a dot of a line without length: a tenth of the bytes of a circle.
    dots = "".join(
        f'<path stroke-width="{size:.2f}" d="'
        + "".join(f"M{x:.1f} {y:.1f}h.01" for x, y in points)
        + '"/>'
        for size, points in halftone_points(kind, width, height, pitch)
    )
    box = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    line = f'stroke="{colour}" stroke-linecap="round" fill="none"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {box} {line}>{dots}</svg>'


def _bits(rows: Sequence[Sequence[bool]]) -> list[str]:
    return ["".join("1" if bit else "0" for bit in row) for row in rows]


def _sample_lines(record: Record, lang: str) -> list[str]:
    lines = [wording.sample_line(record, "en"), wording.sample_line(record, lang)]
    return [line for line in dict.fromkeys(lines) if line]


def _address(url: str) -> str:
    return url.split("://", 1)[-1]


def _common(record: Record, lang: str, chosen: Design, colours: Mapping[str, str]) -> Page:
    """Collect what all three documents show."""
    words = chosen.words[lang]
    code, kg = spaced_code(record["code"]), record["kg_per_dot"]
    english = lang == "zh-Hans"
    return {
        "lang": _TYPST_LANG[lang],
        "half": not wording.is_whole(record),
        "brand": wording.brand(record, lang),
        "title": wording.title(record, lang),
        "title_gloss": wording.title(record, "en") if english else "",
        "title_line": words["title"].format(title=wording.title(record, lang), code=code),
        "name": record["beneficiary"]["display_name"] or wording.guest_name(lang),
        "total": str(wording.dots(record)),
        "scale": words["scale"].format(kg=kg),
        "scale_gloss": chosen.words["en"]["scale"].format(kg=kg) if english else "",
        "mass": phrases.exact_mass(wording.standing_g(record), lang),
        "state": wording.state_line(record, lang),
        "flower": _flower(record, colours),
        "key": _key(record, colours, lang),
        "code": code,
        "seal": _bits(seal_rows(record["code"])),
        "sample_lines": _sample_lines(record, lang),
    }


def _project_note(record: Record, lang: str) -> str:
    project = record["project"]
    parts = [
        phrases.pick(project["category_names"], lang) or project["programme"],
        phrases.pick(project["place_names"], lang),
        str(project["vintage_year"]),
    ]
    return " · ".join(part for part in parts if part)


def _tonnes(offset_g: int) -> str:
    return f"{offset_g // 1_000_000}.{offset_g % 1_000_000:06d}".rstrip("0").ljust(5, "0")


def _serial_line(part: Mapping[str, Any]) -> str:
    first, last = part["serial_first"], part["serial_last"]
    start, end = _tonnes(part["offset_first_g"]), _tonnes(part["offset_last_g"])
    if first == last:
        return f"{first} [{start}–{end} t]"
    return f"{first} [{start} t] –\n{last} [{end} t]"


def _serial_lines(record: Record, words: Mapping[str, str]) -> tuple[str, str]:
    """Return the serial ranges as a first line and a note with the rest."""
    lines = [_serial_line(part) for part in wording.standing_parts(record)]
    if not lines:
        return "–", ""
    rest = lines[1:_SERIALS_SHOWN]
    hidden = len(lines) - 1 - len(rest)
    if hidden > 0:
        rest.append(words["more"].format(count=hidden))
    return lines[0], "\n".join(rest)


def _range_fact(record: Record, lang: str, words: Mapping[str, str]) -> list[str]:
    estimate = record["estimate"]
    if estimate is None:
        return [words["amount"], phrases.exact_mass(wording.standing_g(record), lang), ""]
    note = words["method"].format(
        method=estimate["method_version"], factors=estimate["factor_set_id"]
    )
    return [words["range"], wording.estimated_range(record, lang), note]


def _facts(record: Record, lang: str, words: Mapping[str, str]) -> list[list[str]]:
    retired = wording.tense(record) == "retired"
    at = phrases.day(record["retired_at"] if retired else record["retire_by"])
    registry = (record["upstream"] or {}).get("reference") if retired else ""
    project = phrases.pick(record["project"]["names"], lang)
    return [
        [words["project"], project, _project_note(record, lang)],
        [words["retired" if retired else "held"], at or "–", registry or ""],
        _range_fact(record, lang, words),
    ]


def _paid_fact(record: Record, lang: str, words: Mapping[str, str]) -> list[str] | None:
    money = record["money"]
    if money is None:
        return None
    shown = {
        part: phrases.amount(money[f"{part}_minor"], money["currency"], lang)
        for part in ("total", "supplier", "fee")
    }
    return [words["paid"], shown["total"], words["split"].format(**shown)]


def _certificate_page(record: Record, lang: str, chosen: Design, *, ink_saver: bool) -> Page:
    words = chosen.words[lang]
    english = lang == "zh-Hans"
    paid = _paid_fact(record, lang, words)
    foot = [[_TYPST_LANG[lang], words["verify"] + _address(record["verify_url"])]]
    foot.append([_TYPST_LANG[lang], wording.reduce_first(record, lang)])
    if english:
        foot.append(["en", wording.reduce_first(record, "en")])
    foot.append([_TYPST_LANG[lang], words["attached"]])
    return {
        **_common(record, lang, chosen, chosen.paper if ink_saver else chosen.cloth),
        "ink_saver": ink_saver,
        "statement": wording.statement(record, lang),
        "statement_gloss": wording.statement(record, "en") if english else "",
        "claim": wording.claim_line(record, lang),
        "claim_gloss": wording.claim_line(record, "en") if english else "",
        "facts": _facts(record, lang, words),
        "serials": [words["serials"], *_serial_lines(record, words)],
        "paid": paid or ["", "", ""],
        "qr": _bits(modules(record["verify_url"])),
        "qr_alt": words["qr"].format(url=record["verify_url"]),
        "foot": foot,
        "attached": words["attached"],
    }


def render_pdf(
    document: Mapping[str, Any], lang: str, *, ink_saver: bool = False, design_key: str = DEFAULT
) -> bytes:
    """Return the A4 certificate of a signed credential, which is attached as certificate.json.

    ``ink_saver``: white ground for printers. Raises: TypesettingError.
    """
    record, chosen = record_of(document), design(design_key)
    return typst.render_pdf(
        chosen.folder / "certificate.typ",
        _certificate_page(record, lang, chosen, ink_saver=ink_saver),
        created_at=datetime.fromisoformat(record["issued_at"]),
        picture=_ridge("#C5CBE8" if ink_saver else "#7A81B4"),
        attachment=canonical_json(document),
    )


def render_phone_png(record: Record, lang: str, *, design_key: str = DEFAULT) -> bytes:
    """Return the certificate as a picture for a phone, 1080 x 1920. Raises: TypesettingError."""
    chosen = design(design_key)
    words = chosen.words[lang]
    page = {
        **_common(record, lang, chosen, chosen.cloth),
        "equals": words["equals"].format(mass=phrases.exact_mass(wording.standing_g(record), lang)),
        "statement": wording.statement(record, lang),
        "rows": _phone_rows(record, lang, words),
        "scan": words["scan"],
        "reduce_first": wording.reduce_first(record, lang),
        "qr": _bits(modules(record["verify_url"])),
        "qr_alt": words["qr"].format(url=record["verify_url"]),
    }
    return typst.render_png(chosen.folder / "phone.typ", page)


def _phone_rows(record: Record, lang: str, words: Mapping[str, str]) -> list[list[str]]:
    project = phrases.pick(record["project"]["names"], lang)
    rows = [
        ["plain", words["short_project"], project, _project_note(record, lang)],
        [
            "retired" if wording.is_whole(record) else "held",
            words["state"],
            wording.state_line(record, lang),
            "",
        ],
    ]
    estimate = record["estimate"]
    if estimate is not None:
        shown = wording.estimated_range(record, lang)
        note = wording.own_factors_note(lang) if wording.has_own_factors(record) else ""
        rows.append(["plain", words["short_range"], shown, note])
    return rows


def render_share_png(
    record: Record, scene_url: str, lang: str, *, design_key: str = DEFAULT
) -> bytes:
    """Return the picture to share, 1080 x 1440: it names nobody and leads to the scene.

    Raises: TypesettingError.
    """
    chosen = design(design_key)
    words, scene = chosen.words[lang], record["scene"]
    page = {
        **_common(record, lang, chosen, chosen.cloth),
        "name": "",
        "scene": phrases.pick(scene["names"], lang) if scene else "",
        "line": wording.share_line(record, lang).split("|"),
        "question": words["question"],
        "hold": words["hold"],
        "public": words["public"].format(code=spaced_code(record["code"])),
        "qr": _bits(modules(scene_url)),
        "qr_alt": words["qr"].format(url=scene_url),
    }
    return typst.render_png(chosen.folder / "share.typ", page)


def render_preview_png(record: Record, *, design_key: str = DEFAULT) -> bytes:
    """Return the bloom alone, 300 x 300, for the preview of a link. Raises: TypesettingError."""
    chosen = design(design_key)
    page = {
        "lang": "en",
        "half": not wording.is_whole(record),
        "flower": _flower(record, chosen.cloth),
    }
    return typst.render_png(chosen.folder / "preview.typ", page)
