"""A year as dots: one dot is 20 kg, one colour for each group, outlines for what to compare with.

*Source:* product design, section 7.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

from diandian.emissions.life.calculator import GROUPS
from diandian.emissions.life.certified import COLOURS
from diandian.ui import drawing

KG_PER_DOT = 20
COLUMNS = 26
ICONS = {
    "home": "home",
    "moving": "car",
    "food": "bowl",
    "things": "basket",
    "services": "building",
}


@dataclass(frozen=True, slots=True)
class Group:
    """One group of a year. ``kind``: whose colour its dots have. Units: grams."""

    key: str
    name: str
    kind: str
    icon: str
    mass_g: int
    dots: int


def scale_of(mass_g: int) -> int:
    """Return the kilograms of a dot: 20, and more only where a year would not fit."""
    return max(KG_PER_DOT, drawing.scale_for(mass_g).kg_per_dot)


def groups_of(masses: Mapping[str, int], scale: int) -> list[Group]:
    """Return the groups in the order of asking; their dots add up to those of the sum."""
    by_kind = {COLOURS[key]: mass_g for key, mass_g in masses.items()}
    dots = drawing.dots_by_category(by_kind, scale)
    return [
        Group(key, gettext(GROUPS[key]), COLOURS[key], ICONS[key], mass_g, dots[COLOURS[key]])
        for key, mass_g in masses.items()
    ]


def of_groups(groups: Sequence[Group]) -> list[drawing.Group]:
    """Return what the drawing of dots takes."""
    return [(group.kind, group.dots) for group in groups if group.dots]


def outlined(groups: Sequence[Group], marks: Sequence[tuple[str, int]]) -> SafeString:
    """Draw a year's dots, and around as many places as each mark has dots an outline.

    ``marks``: class name and dots; one with more dots than the year is drawn larger.
    """
    pitch = drawing.SIZES["field"].pitch
    dots = sum(group.dots for group in groups)
    rows = max(-(-max([dots, *(count for _, count in marks)]) // COLUMNS), 1)
    lines = "".join(
        f'<path class="outline {name}" d="{_around(count, pitch)}"/>'
        for name, count in marks
        if count
    )
    field = drawing.dot_field(of_groups(groups), COLUMNS)
    shapes = field[field.index(">") + 1 : -len("</svg>")]
    width, height = drawing.number(COLUMNS * pitch), drawing.number(rows * pitch)
    drawn = (
        f'<svg class="year" width="{width}" height="{height}" viewBox="-2 -2 '
        f'{drawing.number(COLUMNS * pitch + 4)} {drawing.number(rows * pitch + 4)}"'
        f' aria-hidden="true" focusable="false">{shapes}<g fill="none">{lines}</g></svg>'
    )
    return mark_safe(drawn)  # noqa: S308 - numbers and fixed names only


def _around(count: int, pitch: float) -> str:
    """Write the line around the first places of a field: whole rows and a begun one."""
    full, begun = divmod(count, COLUMNS)
    wide, low = COLUMNS * pitch, full * pitch
    n = drawing.number
    if not full:
        return f"M0 0H{n(begun * pitch)}V{n(pitch)}H0z"
    step = f"V{n(low)}H{n(begun * pitch)}V{n(low + pitch)}" if begun else f"V{n(low)}"
    return f"M0 0H{n(wide)}{step}H0z"
