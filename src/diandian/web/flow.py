"""The flow of a tonne: where the grams of a project went, step by step, each a link.

Dots of all steps have one scale, and the dots of the steps below one add up to its own.
*Source:* product design, section 17.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext

from diandian.kernel.errors import N_
from diandian.kernel.money import largest_remainder
from diandian.registry.pool.queries import Pool
from diandian.ui import drawing
from diandian.ui.drawing import Group, State

# Part of the stock, its word, its colour, how its dots are drawn, and where it leads.
_BRANCHES: tuple[tuple[str, str, str, State, str], ...] = (
    ("available_g", N_("free"), "", "hollow", "batches"),
    ("blocked_g", N_("stopped"), "goods", "hollow", "batches"),
    ("held_g", N_("held for open orders"), "", "half", "books"),
    ("retired_g", N_("sold and retired here"), "", "full", "register"),
    ("buffer_g", N_("buffer"), "local", "hollow", "batches"),
    ("cancelled_g", N_("cancelled"), "goods", "full", "batches"),
)
_ALWAYS = {"available_g", "held_g", "retired_g"}


@dataclass(frozen=True, slots=True)
class Step:
    """One step. ``level``: 0 for the source, 1 for its branches, 2 for what became of the sold."""

    level: int
    name: str
    mass_g: int
    url: str
    groups: list[Group]


def of_project(code: str, masses: Mapping[str, int], pool: Pool, kg_per_dot: int) -> list[Step]:
    """Return the steps of a project's grams, those without any left out where nobody misses them.

    Rounding: dots by largest remainder, so that each level adds up.
    """
    issued_g = masses["issued_g"]
    all_dots = drawing.dot_count(issued_g, kg_per_dot)
    steps = [Step(0, gettext(N_("issued")), issued_g, "#batches", [("", all_dots, "hollow")])]
    shown = [branch for branch in _BRANCHES if masses.get(branch[0]) or branch[0] in _ALWAYS]
    dots = _shared(all_dots, [masses.get(branch[0], 0) for branch in shown])
    for (key, word, kind, state, leads), count in zip(shown, dots, strict=True):
        url = _url(leads, code)
        steps.append(Step(1, gettext(word), masses.get(key, 0), url, _dots(kind, count, state)))
        if key == "retired_g":
            steps += _sold(code, pool, count)
    return steps


def _sold(code: str, pool: Pool, dots: int) -> list[Step]:
    """Return what became of the sold grams at their origin."""
    retired, held = _shared(dots, [pool.retired_g, pool.held_g])
    parts = [
        (N_("its whole tonnes retired at their origin"), "retired", pool.retired_g, retired),
        (N_("its tonnes held, to be retired by their day"), "held", pool.held_g, held),
    ]
    return [
        Step(
            2,
            gettext(word),
            mass_g,
            _url("register", code, state=state),
            _dots("ok", count, "full" if state == "retired" else "half"),
        )
        for word, state, mass_g, count in parts
        if mass_g
    ]


def _shared(total: int, weights: list[int]) -> list[int]:
    return largest_remainder(total, weights) if any(weights) else [0] * len(weights)


def _dots(kind: str, count: int, state: State) -> list[Group]:
    return [(kind, count, state)] if count else []


def _url(leads: str, code: str, **more: str) -> str:
    if leads == "batches":
        return "#batches"
    if leads == "books":
        return reverse("books") + "#sold"
    return f"{reverse('register')}?{urlencode({'project': code, **more})}"
