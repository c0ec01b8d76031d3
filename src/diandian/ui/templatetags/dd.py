"""Template tags and filters of the look; built in, so that pages need no load line.

Everything that returns markup escapes what it is given or refuses what it does not know.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import template
from django.utils.html import conditional_escape, escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext

from diandian.kernel.errors import N_, DiandianError
from diandian.kernel.tokens import spaced_code
from diandian.ui import amounts, bars, drawing, frame, halftones, icons, qr, quick_tags
from diandian.ui import format as text
from diandian.ui.kept import unless_blank

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from django.template.context import Context

    from diandian.kernel.money import Money

register = template.Library()
# Of the same name as Django's, and after them in the settings' list.
register.tag("translate", quick_tags.translate)
register.tag("blocktranslate", quick_tags.blocktranslate)
register.simple_tag(frame.site_facts, takes_context=True)
register.simple_tag(frame.part, takes_context=True, name="frame_part")
register.simple_tag(frame.language_links, takes_context=True)
register.simple_tag(frame.offline_script, takes_context=True)
register.simple_tag(frame.step_marks)

CATEGORY_NAMES = {
    "travel": N_("Travel"),
    "stay": N_("Stay"),
    "local": N_("Local transport"),
    "food": N_("Food and drink"),
    "venue": N_("Venue"),
    "goods": N_("Goods and waste"),
}
_PLAIN_NUMBER = re.compile(r"[0-9]{1,40}(\.[0-9]{1,40})?")
_BOUNDS = {"minimum", "maximum"}
_DAY = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")


def _lang() -> str:
    return text.canonical_lang(get_language() or "en")


def _safe(markup: str) -> SafeString:
    """Mark markup of our own drawing functions, which know only numbers and fixed names."""
    return mark_safe(markup)  # noqa: S308 - see the docstring


def _groups(value: Mapping[str, int] | Sequence[drawing.Group]) -> list[drawing.Group]:
    items: Iterable[Any] = value.items() if hasattr(value, "items") else value
    return [tuple(item) for item in items]


# Pictures ----------------------------------------------------------------------------------------


@register.simple_tag
def icon(name: str, size: int = 24) -> SafeString:
    """Draw an icon; put a word beside it."""
    return _safe(icons.icon(name, int(size)))


@register.simple_tag
def dots(
    count: int,
    kind: str = "",
    state: drawing.State = "hollow",
    columns: int = 26,
    size: drawing.Size = "field",
) -> SafeString:
    """Draw the dots of one category."""
    return _safe(drawing.dot_field([(kind, count)], columns, size, state=state))


@register.simple_tag
def dot_field(
    groups: Mapping[str, int] | Sequence[drawing.Group],
    columns: int = 29,
    size: drawing.Size = "field",
    state: drawing.State = "hollow",
    blocks: bool = False,  # noqa: FBT001, FBT002 - templates name it
) -> SafeString:
    """Draw groups of dots, each in its colour."""
    return _safe(drawing.dot_field(_groups(groups), columns, size, state=state, blocks=blocks))


@register.simple_tag
def fill_field(
    done: int,
    total: int,
    held: int = 0,
    kind: str = "",
    columns: int = 29,
    size: drawing.Size = "field",
    animate: bool = False,  # noqa: FBT001, FBT002 - templates name it
) -> SafeString:
    """Draw progress: full, half and hollow dots."""
    return _safe(
        drawing.fill_field(done, total, columns, size, held=held, kind=kind, animate=animate)
    )


@register.simple_tag
@unless_blank
def bloom(
    groups: Mapping[str, int] | Sequence[drawing.Group],
    radius: int = 118,
    state: drawing.State = "full",
    opens: bool = False,  # noqa: FBT001, FBT002 - templates name it
) -> SafeString:
    """Draw the spiral flower of a certificate."""
    return _safe(drawing.bloom(_groups(groups), radius, state=state, opens=opens))


@register.simple_tag
@unless_blank
def avatar(seed: int, size: int = 44, outer: str = "") -> SafeString:
    """Draw a small bloom from a random number; ``outer="you"`` marks the viewer."""
    return _safe(drawing.avatar(int(seed), int(size), outer=outer))


@register.simple_tag
@unless_blank
def seal(code: str, size: int = 62) -> SafeString:
    """Draw the dot seal of a certificate code."""
    return _safe(drawing.seal(code, int(size)))


@register.simple_tag(name="qr")
@unless_blank
def qr_code(url: str, size: int = 96, label: str = "") -> SafeString:
    """Draw a QR code of an address."""
    spoken = label or gettext("QR code: %(url)s") % {"url": url}
    return _safe(qr.qr_svg(str(url), int(size), spoken))


@register.simple_tag
def halftone(kind: str, width: int = 366, height: int = 168) -> SafeString:
    """Draw the picture of a scene or project kind."""
    return _safe(halftones.halftone(kind, int(width), int(height)))


@register.simple_tag
def thumb(kind: str, size: int = 60) -> SafeString:
    """Draw the small picture of a scene or project kind."""
    return _safe(halftones.thumb(kind, int(size)))


@register.simple_tag
def range_bar(low_g: int, middle_g: int, high_g: int) -> SafeString:
    """Draw the range of an estimate. Units: grams."""
    language = _lang()
    labels = (
        text.mass_number(low_g, language)[0]
        if _same_unit(low_g, high_g)
        else text.mass(low_g, language),
        text.mass(high_g, language),
        gettext("likely range"),
    )
    safe = (escape(labels[0]), escape(labels[1]), escape(labels[2]))
    return _safe(bars.range_bar((low_g, middle_g, high_g), safe))


def _same_unit(low_g: int, high_g: int) -> bool:
    return text.mass_number(low_g, "en")[1] == text.mass_number(high_g, "en")[1]


@register.simple_tag
@unless_blank
def split_bar(parts: Sequence[tuple[str, int]]) -> SafeString:
    """Draw where the money goes, as shares."""
    return _safe(bars.split_bar(parts))


@register.simple_tag
def bar(share: int, matched: int, kind: str) -> SafeString:
    """Draw one bar of a chart. Units: per cent."""
    return _safe(bars.bar(int(share), int(matched), kind))


# Numbers and dates -------------------------------------------------------------------------------


@register.filter
def mass(mass_g: int) -> str:
    """Write grams as kg or tonnes."""
    return text.mass(int(mass_g), _lang())


@register.filter
def mass_co2e(mass_g: int) -> str:
    """Write grams as kg or tonnes of CO2e."""
    return text.mass(int(mass_g), _lang(), co2e=True)


@register.filter
@unless_blank
def mass_exact(mass_g: int) -> str:
    """Write an amount of the books to the gram."""
    return text.exact_mass(int(mass_g), _lang())


@register.filter
def mass_exact_co2e(mass_g: int) -> str:
    """Write an amount of the books to the gram, of CO2e."""
    return text.exact_mass(int(mass_g), _lang(), co2e=True)


@register.filter
@unless_blank
def money(amount: Money | None) -> str:
    """Write an amount of money; nothing for none."""
    return "" if amount is None else text.money(amount, _lang())


@register.simple_tag
def money_span(low: Money, high: Money) -> str:
    """Write two prices as one span of whole units; "" where it begins below one."""
    return text.money_span(low, high, _lang())


@register.filter
def money_up(amount: Money) -> str:
    """Write a price in whole units, rounded up."""
    return text.whole_money(amount, _lang())


@register.filter(name="dots")
@unless_blank
def dots_text(count: int) -> str:
    """Write a count of dots."""
    return text.dots(int(count), _lang())


@register.filter
@unless_blank
def number(value: int) -> str:
    """Write a whole number."""
    return text.number(int(value), _lang())


@register.filter
def day(value: date | None) -> str:
    """Write a date as it is spoken; nothing for none."""
    return "" if value is None else text.day(value, _lang())


@register.simple_tag
def day_range(first: date, last: date) -> str:
    """Write two dates as one range."""
    return text.day_range(first, last, _lang())


@register.simple_tag
def percent(part: int, whole: int) -> str:
    """Write a share, rounded down."""
    return text.percent(part, whole, _lang())


@register.simple_tag
def serial_range(prefix: str, first: int, start_g: int, end_g: int) -> str:
    """Write a range of serial numbers."""
    return text.serial_range(prefix, first, start_g, end_g, _lang())


@register.simple_tag
def scale_note(kg_per_dot: int) -> str:
    """Write what one dot stands for."""
    stands_for = text.mass(kg_per_dot * 1_000, _lang())
    return gettext("1 dot = %(mass)s CO₂e") % {"mass": stands_for}


# Words -------------------------------------------------------------------------------------------


@register.filter
def whole_days(sentence: str) -> SafeString:
    """Keep the dates of a sentence, such as 2026-11-27, from breaking at their dashes."""
    return _safe(_DAY.sub(r'<span class="nb">\g<0></span>', escape(sentence)))


@register.filter
def in_lang(names: Mapping[str, str] | None) -> str:
    """Choose the visitor's language from a dict of texts."""
    return text.pick(names, _lang()) if names else ""


@register.filter
def category(kind: str) -> str:
    """Name a category."""
    return gettext(CATEGORY_NAMES[kind])


@register.filter
def spaced(code: str) -> str:
    """Write a certificate code in groups."""
    return spaced_code(code)


@register.filter
def said(error: object) -> str:
    """Say a refusal in the visitor's language."""
    if not isinstance(error, DiandianError):
        return str(error)
    why = error.params.get("why")
    # A reason inside a refusal is a text of its own; bounds and units are words of the language.
    params = error.params | ({"why": gettext(why)} if why and isinstance(why, str) else {})
    params |= {name: decimal(str(params[name])) for name in _BOUNDS & params.keys()}
    unit = params.get("unit")
    if isinstance(unit, str):
        params |= {"unit": amounts.unit_word(unit)}
    try:
        return gettext(error.message) % params
    except (KeyError, TypeError, ValueError):
        return error.text()


@register.filter
def decimal(number: str) -> str:
    """Write a number that is kept as text, with all its digits; what is none stays as it is."""
    return amounts.decimal_text(Decimal(number)) if _PLAIN_NUMBER.fullmatch(number) else number


@register.filter
def unmarked(name: str) -> str:
    """Drop the mark of sample data; only where a label on the same screen says it."""
    return text.unmarked(str(name))


@register.filter
def plain_title(title: str) -> str:
    """Drop the word joints that editors type as a bar."""
    return str(title).replace("|", "")


@register.simple_tag
def wbr_title(title: str) -> SafeString:
    """Turn the word joints that editors type as a bar into places where a line may break."""
    parts = ((conditional_escape(part),) for part in str(title).split("|"))
    return format_html_join(mark_safe("<wbr>"), "{}", parts)


# Frame -------------------------------------------------------------------------------------------


@register.simple_tag
def html_lang() -> str:
    """Return the page's language for the html element."""
    return _lang()


@register.simple_tag(takes_context=True)
def page_url(context: Context, page: int) -> str:
    """Return this list's address at another page; the rest of the query stays."""
    return frame.address_with(context, "page", str(page))


def _error_field(error: object) -> str:
    return str(error.get("field", "") if isinstance(error, dict) else getattr(error, "field", ""))


def _error_text(error: object) -> str:
    if isinstance(error, DiandianError):
        return said(error)
    return str(error.get("text", "") if isinstance(error, dict) else getattr(error, "text", error))


@register.simple_tag
def error_list(errors: Iterable[object] | None) -> list[dict[str, str]]:
    """List refusals as field and text, for the summary."""
    return [{"field": _error_field(error), "text": _error_text(error)} for error in errors or ()]


@register.simple_tag
def error_at(errors: Iterable[object] | None, field: str) -> str:
    """Return the words that belong beside a field; nothing when it is right."""
    return next((each["text"] for each in error_list(errors) if each["field"] == field), "")


@register.simple_tag
def invalid(errors: Iterable[object] | None, field: str) -> SafeString:
    """Mark an input that has an error, and tie it to its words."""
    if not error_at(errors, field):
        return SafeString("")
    return format_html('aria-invalid="true" aria-describedby="{}-error"', field)
