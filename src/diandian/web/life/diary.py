"""The diary: entries day by day and the course of the months.

A diary grows beyond what an address can hold, so its entries travel in the form: each page is the
answer to a form that carried them, and a small script keeps them on the device. Without scripts
they are saved as a file and read again. The server keeps none.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from babel.dates import format_skeleton
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from diandian.emissions.factor_set import newest
from diandian.emissions.life import calculator
from diandian.emissions.life import diary as counted
from diandian.emissions.life.diary import DiaryEntry, Month
from diandian.emissions.life.errors import TooManyEntriesError
from diandian.emissions.life.own_answers import WITHIN
from diandian.kernel.clock import business_day, now
from diandian.kernel.errors import InputError
from diandian.ui import drawing
from diandian.web import context
from diandian.web.life import activities, file, look
from diandian.web.life import answers as said

# A form's fields hold 256 kB at most, an entry some 40 bytes of it; some eight a day for a year.
MOST_ENTRIES = 3_000
MOST_LISTED = 300
_LONGEST = 200_000
_FIELDS = ("day", "activity", "amount", "basis", "people")
_TYPED = (*_FIELDS, "unit")
_SCALES_KG = (1, 10, 20, 100, 500)
_MOST_DOTS = 58
_COLUMNS = 29
# The day begins somewhere on Earth: nobody's own today is refused.
_EARLIEST_ZONE = timedelta(hours=14)
_LOCALES = {"zh-Hans": "zh_Hans_CN", "en": "en_GB", "nl": "nl_NL"}


@dataclass(slots=True)
class Diary:
    """A diary on its way. ``month``: "2026-11", whose days are listed; ``added``: just now."""

    region: str
    entries: list[DiaryEntry] = field(default_factory=list)
    month: str = ""
    added: DiaryEntry | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One entry of the list. ``place``: in the whole diary. Units: grams."""

    place: int
    day: date
    label: str
    amount: str
    mass_g: int
    is_new: bool


@dataclass(frozen=True, slots=True)
class Course:
    """One month as dots. ``key``: "2026-11"."""

    key: str
    name: str
    month: Month
    dots: list[drawing.Group]
    count: int


def diary(request: HttpRequest) -> HttpResponse:
    """Show a diary; when posted, with the change that was asked for."""
    found = said.of_request(request)
    if found is None:
        return activities.where(request, gettext("A diary"), reverse("life_diary"))
    shown = Diary(found.region)
    if request.method != "POST":
        return _page(request, shown, {}, None, carried=False)
    shown.entries = of_text(request.POST.get("entries", ""), found.region)
    shown.month = request.POST.get("month", "")[:7]
    if "export" in request.POST:
        return file.made_of(said.Answers(found.region), [e.to_json() for e in shown.entries])
    error = None
    try:
        _change(request, shown)
    except InputError as refused:
        error = refused
    return _page(request, shown, request.POST if error else {}, error, carried=True)


def _change(request: HttpRequest, shown: Diary) -> None:
    """Make the change that was asked for. Raises: InputError."""
    sent = request.POST
    if "remove" in sent:
        number = sent["remove"][:5]
        shown.entries = [e for place, e in enumerate(shown.entries) if str(place) != number]
    elif "erase" in sent:
        shown.entries = []
    elif "import" in sent:
        rows = [{**row, "unit": ""} for row in file.of_upload(request).diary]
        shown.entries = merged(shown.entries, _of_rows(rows[: MOST_ENTRIES + 1], shown.region))
    elif "add" in sent:
        raw = {name: sent.get(name, "") for name in _TYPED}
        parsed = counted.read_entry(shown.region, raw, newest(), today=_today())
        if parsed.entry is None:
            raise next(iter(parsed.errors.values()))
        shown.entries, shown.added = [*shown.entries, parsed.entry], parsed.entry
        shown.month = f"{parsed.entry.day:%Y-%m}"
    if len(shown.entries) > MOST_ENTRIES:
        shown.entries = shown.entries[:MOST_ENTRIES]
        raise TooManyEntriesError(field="activity", most=MOST_ENTRIES)
    shown.entries.sort(key=_order)


def _today() -> date:
    return (now() + _EARLIEST_ZONE).date()


def _order(entry: DiaryEntry) -> tuple[date, str]:
    return entry.day, entry.entry.activity


def merged(here: Sequence[DiaryEntry], there: Sequence[DiaryEntry]) -> list[DiaryEntry]:
    """Return both diaries in one; reading the same file twice changes nothing.

    An entry that stands three times in one and twice in the other stands three times.
    """
    most = Counter(here) | Counter(there)
    return list(most.elements())


def to_text(entries: Sequence[DiaryEntry]) -> str:
    """Return entries as the form carries them: no mark of it grows on its way."""
    rows = (entry.to_json() for entry in entries)
    return " ".join(WITHIN.join(str(row[name]) for name in _FIELDS) for row in rows)


def of_text(text: str, region: str) -> list[DiaryEntry]:
    """Return the entries that a form carried; what cannot be understood is left out."""
    rows = [row.split(WITHIN) for row in text[:_LONGEST].split(" ")[:MOST_ENTRIES]]
    raw = [dict(zip(_FIELDS, row, strict=True)) for row in rows if len(row) == len(_FIELDS)]
    return sorted(_of_rows(raw, region), key=_order)


def _of_rows(rows: Sequence[Mapping[str, str]], region: str) -> list[DiaryEntry]:
    today, factors = _today(), newest()
    read = (counted.read_entry(region, row, factors, today=today).entry for row in rows)
    return [entry for entry in read if entry is not None]


def _page(
    request: HttpRequest,
    shown: Diary,
    typed: Mapping[str, str],
    error: InputError | None,
    *,
    carried: bool,
) -> HttpResponse:
    months = counted.months(shown.entries, newest(), shown.region)
    scale = _scale(max((month.mass_g for month in months), default=0))
    course = [_course(month, scale) for month in reversed(months)]
    keys = {each.key for each in course}
    chosen = shown.month if shown.month in keys else course[0].key if course else ""
    rows = _rows(shown, chosen)
    page = {
        "region": shown.region,
        "entries": to_text(shown.entries),
        "is_empty": not shown.entries,
        "carried": carried,
        "course": course,
        "month": next((each for each in course if each.key == chosen), None),
        "rows": rows,
        "listed": len(rows) if len(rows) == MOST_LISTED else 0,
        "added": activities.label_of(shown.added.entry) if shown.added else "",
        "scale": scale,
        "groups": look.groups_of(dict.fromkeys(calculator.GROUPS, 0), scale),
        "choices": activities.choices(shown.region),
        "units": activities.units(),
        "bases": activities.named(activities.BASES),
        "typed": {"day": business_day().isoformat()}
        | {name: typed[name][:60] for name in _TYPED if name in typed},
        "errors": [error] if error else [],
        "back_url": reverse("life"),
    }
    return render(request, "web/life/diary.html", page, status=422 if error else 200)


def _rows(shown: Diary, chosen: str) -> list[Row]:
    """Return the entries of a month, the latest day first."""
    listed = [
        (place, entry)
        for place, entry in enumerate(shown.entries)
        if f"{entry.day:%Y-%m}" == chosen
    ]
    rows = []
    for place, entry in reversed(listed[-MOST_LISTED:]):
        ((_, lines),) = counted.diary_lines([entry], newest(), shown.region)
        label, amount = activities.label_of(entry.entry), activities.amount_of(entry.entry)
        mass_g = sum(line.mass_g for line in lines)
        rows.append(Row(place, entry.day, label, amount, mass_g, is_new=entry is shown.added))
    return rows


def _scale(most_g: int) -> int:
    """Return the kilograms of a dot that let the fullest month fit into two rows."""
    fitting = (kg for kg in _SCALES_KG if drawing.dot_count(most_g, kg) <= _MOST_DOTS)
    return next(fitting, drawing.scale_for(most_g).kg_per_dot)


def _course(month: Month, scale: int) -> Course:
    groups = look.groups_of(month.by_group, scale)
    first = date(month.year, month.month, 1)
    name = format_skeleton("yMMM", first, locale=_LOCALES[context.language()])
    return Course(
        key=f"{first:%Y-%m}",
        name=name,
        month=month,
        dots=look.of_groups(groups),
        count=sum(group.dots for group in groups),
    )
