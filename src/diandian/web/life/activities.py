"""The known activities as choices of a form, shared by the detailed mode and the diary."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext

from diandian.emissions.factor_set import newest
from diandian.emissions.life import activities, calculator
from diandian.emissions.life.entries import Entry
from diandian.emissions.numbers import plain
from diandian.kernel.errors import N_
from diandian.kernel.memory import ttl_cache
from diandian.web import context, forms
from diandian.web.life import steps

BASES = {
    "bill": N_("from a bill or meter"),
    "count": N_("counted"),
    "estimate": N_("estimated"),
}
PERIODS = {
    "once": N_("once this year"),
    "day": N_("a day"),
    "week": N_("a week"),
    "month": N_("a month"),
    "year": N_("a year"),
}
# What an amount may be typed in beside the unit that the activity names.
OTHER_UNITS = {
    "g": "g",
    "m": "m",
    "mile": N_("miles"),
    "MWh": "MWh",
    "therm": N_("therms"),
    "us_gallon": N_("US gallons"),
}


@dataclass(frozen=True, slots=True)
class Choice:
    """An activity to choose."""

    key: str
    label: str
    unit: str


@ttl_cache(600)
def _choices(region: str, _lang: str) -> list[tuple[str, list[Choice]]]:
    context_of_region = calculator.context_of(region)
    found = activities.activities(context_of_region, newest())
    return [
        (
            gettext(name),
            [
                Choice(each.key, gettext(each.label), forms.unit_name(each.unit))
                for each in found
                if each.group == group
            ],
        )
        for group, name in calculator.GROUPS.items()
    ]


def choices(region: str) -> list[tuple[str, list[Choice]]]:
    """Return the activities that have a factor in a region, by group."""
    return _choices(region, context.language())


def named(words: dict[str, str]) -> list[tuple[str, str]]:
    """Return keys with their words."""
    return [(key, gettext(text)) for key, text in words.items()]


def units() -> list[tuple[str, str]]:
    """Return the other units to choose from."""
    return named(OTHER_UNITS)


def label_of(entry: Entry) -> str:
    """Return the name of an entry's activity."""
    return gettext(entry.known.label)


def amount_of(entry: Entry) -> str:
    """Return an entry's amount with its unit."""
    return f"{plain(entry.amount)}\u202f{forms.unit_name(entry.known.unit)}"


def where(request: HttpRequest, title: str, path: str) -> HttpResponse:
    """Ask for the region, before anything of it can be offered. ``title``: translated."""
    areas = steps.areas(context.language())
    return render(request, "web/life/where.html", {"title": title, "path": path, "areas": areas})
