"""The certificate page as guests first see it: a form with blanks for what is their own.

A hall's certificates differ in names, numbers and drawings; the rest of the page is drawn once.
"""

from collections.abc import Mapping
from typing import Any

from diandian.transparency.shown import Standing
from diandian.ui import format as write
from diandian.ui.kept import Form, blank
from diandian.ui.templatetags import dd

_FORM = Form("web/certificate/page.html")
# Words that are only printed.
_WORDS = ("title", "name", "statement", "claim", "mass", "project", "project_note")
Page = Mapping[str, Any]


def filled(page: Page, lang: str) -> str:
    """Return the page of a certificate that stands."""
    return _FORM.fill(_key(page), lambda: _blanked(page), _texts(page, lang))


def _key(page: Page) -> tuple[object, ...]:
    """Return what the page's look depends on."""
    words, record, place = page["words"], page["record"], page["place"]
    return (
        page["is_revoked"],
        words["is_retired"],
        words["is_exact"],
        words["dots"] == 1,
        words["sample"],
        record["kg_per_dot"],
        bool(words["range"]),
        len(page["says"]),
        tuple(part["serial_first"] == part["serial_last"] for part in record["ranges"]),
        bool(page["lever"]),
        place and place.is_own,
        _standing(page["logged"]),
    )


def _standing(logged: Standing | None) -> tuple[object, ...] | None:
    """Return what is said of an entry of the log, but for its number."""
    if logged is None:
        return None
    if logged.under is None:
        return ()
    signed_at, seen = logged.under.signed_at, logged.under.witnessed
    # To the minute, as the page says it.
    return (signed_at and signed_at.replace(second=0, microsecond=0), len(seen))


def _texts(page: Page, lang: str) -> dict[str, str]:
    """Return the texts and drawings that are a guest's own."""
    words, record, place = page["words"], page["record"], page["place"]
    code = page["certificate"].code
    texts: dict[str, str] = {
        **{name: words[name] for name in _WORDS},
        "code": code,
        "typed_code": page["typed_code"],
        "seal": dd.seal(code),
        "bloom": dd.bloom(page["groups"], state=page["bloom_state"], opens=page["opens"]),
        "qr": dd.qr_code(record["verify_url"], 98),
        "preview": page["preview_title"],
        "state": page["said_state"],
        "dots": write.number(words["dots"], lang),
        "project_code": record["project"]["code"],
    }
    if words["range"]:
        texts["range"] = words["range"]
    if page["lever"]:
        texts["lever"], texts["less"] = page["lever"][0], write.dots(page["lever"][1], lang)
    if page["logged"]:
        texts["entry"] = write.number(page["logged"].index, lang)
    if place:
        texts["number"] = write.number(place.number, lang)
        texts["avatar"] = dd.avatar(place.seed, 52)
        texts["slug"] = record["scene"]["slug"]
    texts |= {f"say_{index}": line for index, line in enumerate(page["says"])}
    for index, part in enumerate(record["ranges"]):
        texts[f"first_{index}"] = part["serial_first"]
        if part["serial_last"] != part["serial_first"]:
            texts[f"last_{index}"] = part["serial_last"]
    return texts


def _blanked(page: Page) -> dict[str, object]:
    """Return the page's facts with a blank for each text."""
    words, record, place = page["words"], page["record"], page["place"]
    logged = page["logged"]
    ranges = []
    for index, part in enumerate(record["ranges"]):
        first = blank(f"first_{index}")
        is_one = part["serial_last"] == part["serial_first"]
        last = first if is_one else blank(f"last_{index}")
        ranges.append({"serial_first": first, "serial_last": last})
    return {
        **page,
        "certificate": {"code": blank("code")},
        "sealed": blank("seal"),
        "typed_code": blank("typed_code"),
        "groups": blank("bloom"),
        "preview_title": blank("preview"),
        "said_state": blank("state"),
        "says": [blank(f"say_{index}") for index in range(len(page["says"]))],
        "words": words
        | {name: blank(name) for name in _WORDS}
        | {"range": words["range"] and blank("range"), "shown_dots": blank("dots")},
        "record": record
        | {
            "ranges": ranges,
            "verify_url": blank("qr"),
            "project": {"code": blank("project_code")},
            "scene": {"slug": blank("slug")},
        },
        "lever": page["lever"] and (blank("lever"), blank("less")),
        "logged": logged and {"index": blank("entry"), "under": logged.under},
        "place": place
        and {"is_own": place.is_own, "seed": blank("avatar"), "number": blank("number")},
    }
