"""Each kind of scene as one guest and one organiser may meet it: answers, and an inventory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.workbooks import book

if TYPE_CHECKING:
    from collections.abc import Mapping

Cells = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Entered:
    """A line typed at the desk. ``answers``: by field of its form."""

    activity: str
    answers: Mapping[str, str]


@dataclass(frozen=True)
class Kind:
    """One kind of scene.

    ``reply``: a guest's answers by question. ``entered``: what is typed; the first has a file that
    shows it. ``table``: what is imported, its first row the columns. ``lang``: the guest's.
    """

    key: str
    lang: str
    reply: Mapping[str, str]
    entered: tuple[Entered, ...]
    table: Cells
    as_workbook: bool = False
    composed: tuple[str, str, str] | None = field(default=None)

    @property
    def file(self) -> tuple[str, bytes]:
        """Return the table as a file of a spreadsheet: name and content."""
        if self.as_workbook:
            return "lines.xlsx", book("".join(map(_row, self.table)))
        lines = "".join(",".join(row) + "\r\n" for row in self.table)
        return "lines.csv", b"\xef\xbb\xbf" + lines.encode()


def _row(cells: tuple[str, ...]) -> str:
    inner = "".join(f'<c t="inlineStr"><is><t>{text}</t></is></c>' for text in cells)
    return f"<row>{inner}</row>"


def _metered(kilowatt_hours: str) -> Entered:
    return Entered("electricity", {"amount": kilowatt_hours, "quality": "metered"})


_HEAD = ("activity", "amount", "unit", "quality", "note")
_FROM_XIAN = {"from": "Xi'an", "mode": "train", "nights": "2", "stay": "mid"}

KINDS = (
    Kind(
        "conference",
        "en",
        _FROM_XIAN,
        (_metered("1200"), Entered("r410a", {"amount": "0.4", "note": "hall 3"})),
        (_HEAD, ("meal_buffet", "60", "meal", "invoiced", "lunch"),
         ("paper", "25", "kg", "estimated", "programme")),
        as_workbook=True,
    ),
    Kind(
        "scenic_spot",
        "zh-Hans",
        {"from": "重庆", "mode": "coach", "nights": "0"},
        (_metered("800"), Entered("diesel", {"amount": "120", "quality": "invoiced"})),
        (_HEAD, ("waste_landfill", "90", "kg", "estimated", "bins"),
         ("water", "35", "m3", "invoiced", "taps")),
    ),
    Kind(
        "supermarket",
        "en",
        {"way": "taxi", "way_km": "4"},
        (_metered("2000"), Entered("r404a", {"amount": "0.2", "quality": "invoiced"})),
        (_HEAD, ("freight_truck_cold", "300", "tonne-km", "estimated", "depot"),
         ("plastic_film", "12", "kg", "estimated", "bags")),
    ),
    Kind(
        "restaurant",
        "nl",
        {"way": "metro", "way_km": "6", "meal_kind": "hotpot", "drink": "beer", "cups": "2"},
        (_metered("450"), Entered("gas_m3", {"amount": "60", "quality": "metered"})),
        (_HEAD, ("waste_food_landfill", "80", "kg", "estimated", "kitchen")),
        as_workbook=True,
    ),
    Kind(
        "hotel",
        "zh-Hans",
        {"from": "昆明", "mode": "plane", "nights": "3", "stay": "high"},
        (_metered("900"), Entered("r410a", {"amount": "0.5", "quality": "invoiced"})),
        (_HEAD, ("textile", "20", "kg", "invoiced", "linen"),
         ("waste_landfill", "60", "kg", "estimated", "rooms")),
    ),
    Kind(
        "other",
        "en",
        {"own0": "30"},
        (_metered("150"), Entered("waste_landfill", {"amount": "15"})),
        (_HEAD, ("bus", "200", "passenger-km", "estimated", "helpers")),
        composed=("coach", "Kilometres by shuttle bus", "12"),
    ),
)  # fmt: skip
