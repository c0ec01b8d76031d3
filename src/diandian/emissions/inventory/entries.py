"""One entry of an inventory: an activity with its amount, how well it is known, and whose it is.

*Source:* methodology, sections 5 (share of area and hours, planned uses), 10 (each line has one
owner, travel may be split) and 11 (metered and invoiced 5 %, estimated 30 %, default 60 %).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from diandian.emissions.errors import FactorMissingError, UnknownChoiceError
from diandian.emissions.inventory.activities import ACTIVITIES
from diandian.emissions.inventory.activity import parts
from diandian.emissions.inventory.amounts import read_amount
from diandian.emissions.inventory.errors import (
    AmountMissingError,
    CategoryUnfitError,
    EvidenceError,
    NoFactorHereError,
    SourceMissingError,
    TextTooLongError,
    UnitUnfitError,
    UnknownActivityError,
)
from diandian.emissions.inventory.units import converted, unit_named
from diandian.emissions.lines import ONE, ZERO
from diandian.emissions.numbers import plain
from diandian.emissions.uncertainty import DEFAULT, GUESS, TICKET
from diandian.kernel.errors import N_, InputError
from diandian.kernel.units import UnitError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from diandian.emissions.factor_set import FactorSet
    from diandian.emissions.inventory.activity import Activity

Quality = Literal["metered", "invoiced", "estimated", "default"]
QUALITY_PCT: dict[str, Decimal] = {
    "metered": TICKET,
    "invoiced": TICKET,
    "estimated": GUESS,
    "default": DEFAULT,
}
QUALITIES = {
    "metered": N_("Metered"),
    "invoiced": N_("Invoiced"),
    "estimated": N_("Estimated"),
    "default": N_("Default of the method"),
}
STATED = ("metered", "invoiced", "estimated")  # "default" is set by the program only
ALL_PCT = Decimal(100)
LONGEST_NOTE = 200
MOST_USES = Decimal(10000)
LARGEST_VALUE = Decimal(10) ** 6
FIELDS = (
    "activity",
    "category",
    "amount",
    "unit",
    "quality",
    "share_pct",
    "uses",
    "owner",
    "own_value",
    "own_source",
    "own_doubt_pct",
    "note",
    "evidence",
)
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class OwnValue:
    """A measured value of a supplier. ``value``: kg CO2e per unit of the activity."""

    value: Decimal
    source: str
    doubt_pct: Decimal = DEFAULT


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing the organiser counts.

    ``key``: stable within the inventory. ``share``: part of it that belongs to the scene (floor
    area, hours), above 0 to 1. ``uses``: planned uses of a thing that outlives the scene.
    ``organiser_pct``: 100 organiser, 0 guest, between them a split. ``evidence``: SHA-256 of a
    file, or "".
    """

    key: str
    activity: str
    category: str
    amount: Decimal
    unit: str
    quality: Quality = "estimated"
    share: Decimal = ONE
    uses: int = 1
    organiser_pct: Decimal = ALL_PCT
    own: OwnValue | None = None
    note: str = ""
    evidence: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return text and whole numbers only."""
        own = self.own and {
            "value": plain(self.own.value),
            "source": self.own.source,
            "doubt_pct": plain(self.own.doubt_pct),
        }
        return {
            "key": self.key,
            "activity": self.activity,
            "category": self.category,
            "amount": plain(self.amount),
            "unit": self.unit,
            "quality": self.quality,
            "share": plain(self.share),
            "uses": self.uses,
            "organiser_pct": plain(self.organiser_pct),
            "own": own,
            "note": self.note,
            "evidence": self.evidence,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Entry:
        """Return the entry that ``to_json`` described."""
        values = dict(data)
        for name in ("amount", "share", "organiser_pct"):
            values[name] = Decimal(values[name])
        if values["own"]:
            own = values["own"]
            values["own"] = OwnValue(
                Decimal(own["value"]), own["source"], Decimal(own["doubt_pct"])
            )
        return cls(**values)


@dataclass(slots=True)
class ReadEntry:
    """An entry, or None with the refusals by field; never both."""

    entry: Entry | None = None
    errors: dict[str, InputError] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reader:
    """How texts become entries at one place.

    ``names``: translated words (of activities, sources, qualities, owners) by what they mean, so
    that a table may be filled in any language. ``comma_fractions``: see ``read_amount``.
    """

    factors: FactorSet
    region: str
    names: Mapping[str, str] = field(default_factory=dict)
    comma_fractions: bool = False

    def read(self, raw: Mapping[str, str], key: str) -> ReadEntry:
        """Read one entry from texts by field; every field is understood or refused by itself."""
        errors: dict[str, InputError] = {}
        values: dict[str, Any] = {}
        steps: tuple[tuple[str, Callable[[str], Any]], ...] = (
            ("activity", self._activity),
            ("amount", self._stated_amount),
            ("quality", self._quality),
            ("share_pct", self._percent("share_pct", ZERO)),
            ("uses", self._uses),
            ("owner", self._owner),
            ("note", _note),
            ("evidence", _evidence),
        )
        for name, step in steps:
            _try(values, errors, name, lambda step=step, name=name: step(raw.get(name, "")))  # type: ignore[misc]
        activity = values.get("activity")
        if activity is not None:
            _try(values, errors, "category", lambda: self._category(raw, activity))
            _try(values, errors, "unit", lambda: self._unit(raw, activity))
        _try(values, errors, "own_value", lambda: self._own(raw))
        if activity is not None and "own_value" in values and values["own_value"] is None:
            _try(values, errors, "activity", lambda: self._countable(activity))
        if errors:
            return ReadEntry(errors=errors)
        entry = Entry(
            key=key,
            activity=values["activity"].key,
            category=values["category"],
            amount=values["amount"],
            unit=values["unit"],
            quality=values["quality"],
            share=values["share_pct"] / ALL_PCT,
            uses=values["uses"],
            organiser_pct=values["owner"],
            own=values["own_value"],
            note=values["note"],
            evidence=values["evidence"],
        )
        return ReadEntry(entry)

    def _word(self, text: str) -> str:
        typed = text.strip()
        return self.names.get(typed.casefold(), typed)

    def _activity(self, text: str) -> Activity:
        word = self._word(text)
        found = ACTIVITIES.get(word) or _BY_LABEL.get(word.casefold())
        if found is None:
            raise UnknownActivityError(field="activity", given=text.strip()[:40])
        return found

    def _countable(self, activity: Activity) -> Activity:
        try:
            parts(activity, self.factors, self.region, non_co2=True)
        except FactorMissingError:
            raise NoFactorHereError(field="activity", given=activity.key) from None
        return activity

    def _category(self, raw: Mapping[str, str], activity: Activity) -> str:
        word = self._word(raw.get("category", ""))
        if not word:
            return activity.categories[0]
        if word not in activity.categories:
            allowed = ", ".join(activity.categories)
            raise CategoryUnfitError(field="category", given=word[:40], allowed=allowed)
        return word

    def _unit(self, raw: Mapping[str, str], activity: Activity) -> str:
        text = raw.get("unit", "").strip()
        if not text:
            return activity.unit
        unit = unit_named(text)
        try:
            converted(ONE, unit or "", activity.unit)
        except UnitError:
            raise UnitUnfitError(field="unit", given=text[:40], unit=activity.unit) from None
        return unit or ""

    def _stated_amount(self, text: str) -> Decimal:
        if not text.strip():
            raise AmountMissingError(field="amount")
        return self._amount("amount")(text)

    def _amount(self, name: str, largest: Decimal | None = None) -> Callable[[str], Decimal]:
        more: dict[str, Any] = {} if largest is None else {"largest": largest}
        return lambda text: read_amount(
            text, field=name, comma_fractions=self.comma_fractions, **more
        )

    def _percent(self, name: str, above: Decimal) -> Callable[[str], Decimal]:
        def read(text: str) -> Decimal:
            typed = text.strip().removesuffix("%").removesuffix("％").strip()
            if not typed:
                return ALL_PCT
            number = self._amount(name, ALL_PCT)(typed)
            if number <= above:
                raise UnknownChoiceError(field=name, given=typed)
            return number

        return read

    def _uses(self, text: str) -> int:
        if not text.strip():
            return 1
        number = self._amount("uses", MOST_USES)(text)
        if number != number.to_integral_value() or number < 1:
            raise UnknownChoiceError(field="uses", given=text.strip()[:40])
        return int(number)

    def _quality(self, text: str) -> str:
        word = self._word(text).casefold() or "estimated"
        if word not in STATED:
            raise UnknownChoiceError(field="quality", given=text.strip()[:40])
        return word

    def _owner(self, text: str) -> Decimal:
        word = self._word(text).casefold()
        if word in {"", "organiser"}:
            return ALL_PCT
        if word == "guest":
            return ZERO
        return self._percent("owner", -ONE)(word.removeprefix("split"))

    def _own(self, raw: Mapping[str, str]) -> OwnValue | None:
        text, source = raw.get("own_value", "").strip(), raw.get("own_source", "").strip()
        if not text and not source:
            return None
        value = self._amount("own_value", LARGEST_VALUE)(text)
        if not source:
            raise SourceMissingError(field="own_source")
        if len(source) > LONGEST_NOTE:
            raise TextTooLongError(field="own_source", limit=LONGEST_NOTE)
        doubt = raw.get("own_doubt_pct", "").strip().removesuffix("%")
        if not doubt:
            return OwnValue(value, source)
        return OwnValue(value, source, self._amount("own_doubt_pct", Decimal(1000))(doubt))


_BY_LABEL = {activity.label.casefold(): activity for activity in ACTIVITIES.values()}


def _try(
    values: dict[str, Any], errors: dict[str, InputError], name: str, step: Callable[[], Any]
) -> None:
    try:
        values[name] = step()
    except InputError as error:
        error.field = error.field or name
        errors[error.field] = error


def _note(text: str) -> str:
    typed = " ".join(text.split())
    if len(typed) > LONGEST_NOTE:
        raise TextTooLongError(field="note", limit=LONGEST_NOTE)
    return typed


def _evidence(text: str) -> str:
    typed = text.strip().casefold()
    if typed and not _DIGEST.fullmatch(typed):
        raise EvidenceError(field="evidence", given=typed[:20])
    return typed
