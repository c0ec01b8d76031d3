"""The result page as a form: its frame and its arithmetic are drawn once for all who look alike.

Answers differ too much for keeping whole results; what differs in them is numbers, and parts that
are kept by themselves.
"""

from collections.abc import Mapping
from typing import Any

from django.utils.safestring import mark_safe

from diandian.ui import format as write
from diandian.ui.kept import Form, blank
from diandian.ui.templatetags import dd

_BODY = Form("web/result/_body.html")
_PAGE = Form("web/result/page.html")
Page = Mapping[str, Any]


def body(page: Page, lang: str) -> str:
    """Return what rests on the answers: rows of dots, comparisons, savings, every line."""
    return _BODY.fill(_body_key(page), lambda: _blanked_body(page), _body_texts(page, lang))


def _body_key(page: Page) -> tuple[object, ...]:
    estimate = page["estimate"]
    return (
        page["count"] if page["count"] <= 1 else "many",
        page["scale"],
        page["word"],
        page["with_flights"],
        bool(page["host_rows"]),
        tuple((each.key, each.factor_ids, each.source) for each in page["comparisons"]),
        len(page["savings"]),
        tuple(page["narrow"]),
        estimate.factor_set_id,
        estimate.method_version,
    )


def _joined(parts: list[str]) -> str:
    return mark_safe("".join(parts))  # noqa: S308 - parts that templates drew


def _shown(page: Page, lang: str) -> dict[str, str]:
    """Return the texts that every body prints, or may print."""
    estimate = page["estimate"]
    return {
        "count": write.number(page["count"], lang),
        "dots": write.dots(page["count"], lang),
        "mass": write.mass(estimate.mass_g, lang, co2e=True),
        "low": write.mass(estimate.low_g, lang),
        "high": write.mass(estimate.high_g, lang),
        "without": write.mass(estimate.without_non_co2_g, lang),
        "range": dd.range_bar(estimate.low_g, estimate.mass_g, estimate.high_g),
        "rows": _joined(page["rows"]),
        "host_rows": _joined(page["host_rows"]),
        "steps": _joined(page["steps"]),
    }


def _body_texts(page: Page, lang: str) -> dict[str, str]:
    texts = _shown(page, lang)
    for index, saving in enumerate(page["savings"]):
        texts[f"saving_{index}"] = saving.name
        texts[f"saves_{index}"] = write.dots(saving.dots, lang)
    for each in page["comparisons"]:
        texts[f"as_{each.key}"] = write.number(each.amount, lang)
    return texts


def _blanked_body(page: Page) -> dict[str, object]:
    shown = ("count", "dots", "mass", "low", "high", "without", "range", "rows", "host_rows")
    return {
        **page,
        "shown": {name: blank(name) for name in shown},
        "steps": [blank("steps")],
        "savings": [
            {"name": blank(f"saving_{index}"), "dots": blank(f"saves_{index}")}
            for index in range(len(page["savings"]))
        ],
        "comparisons": [
            {
                "key": each.key,
                "amount": blank(f"as_{each.key}"),
                "factor_ids": each.factor_ids,
                "source": each.source,
            }
            for each in page["comparisons"]
        ],
    }


def page(page: Page, lang: str) -> str:
    """Return the whole page of a result that can be paid for."""
    scene, footprint = page["scene"], page["footprint"]
    key = (
        scene.slug,
        page["count"] == 1,
        footprint.scene_version == scene.version,
        tuple(page["references"]),
        page["price"] is None,
        page["say"]["voluntary"],
    )
    texts = {
        "dots": page["dots"],
        "token": footprint.token,
        "back": page["back_url"],
        "link": page["link"],
        "day": page["expires_on"],
        "body": page["body"],
    }
    if page["price"] is not None:
        texts |= {"match": page["say"]["match"], "price": write.money(page["price"], lang)}
    return _PAGE.fill(key, lambda: _blanked_page(page), texts)


def _blanked_page(page: Page) -> dict[str, object]:
    return {
        **page,
        "footprint": {
            "token": blank("token"),
            "scene_version": page["footprint"].scene_version,
        },
        "dots": blank("dots"),
        "back_url": blank("back"),
        "link": blank("link"),
        "expires_on": blank("day"),
        "body": blank("body"),
        "say": {**page["say"], "match": blank("match")},
        "price": page["price"] and blank("price"),
    }
