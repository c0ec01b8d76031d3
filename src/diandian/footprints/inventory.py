"""From a scene, its worksheet and its guests' answers to an inventory: facts meet the calculator.

Nothing is stored here; an open inventory is computed each time it is looked at, and once more when
it is closed. *Source:* methodology, sections 5, 7, 10 and 11.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from diandian.emissions.estimate import Estimate
from diandian.emissions.factor_set import FactorSet
from diandian.emissions.inventory import boundary, compute, measures, travel
from diandian.emissions.inventory.boundary import HostSource, Standing
from diandian.emissions.inventory.compute import Inventory
from diandian.emissions.inventory.entries import Entry
from diandian.emissions.inventory.errors import AttendanceError
from diandian.emissions.inventory.measures import Effect
from diandian.emissions.inventory.travel import STRATA, Extrapolation, GuestAnswer
from diandian.emissions.scene_kind import scene_kind
from diandian.footprints import queries, rules
from diandian.footprints.calculation import factors_of
from diandian.footprints.worksheet import Plan, Worksheet
from diandian.kernel.errors import N_, DiandianError
from diandian.kernel.memory import Memory
from diandian.scenes.models import Scene

FROM_GUESTS = ("attendee_travel", "attendee_lodging")
PEOPLE = "people"
EMPTY = N_("it holds nothing yet")
BROKEN = N_("an entry has no factor here; please correct or remove the entries marked so")
STALE_ATTENDANCE = N_("more people answered than attended; please correct the attendance")


@dataclass(frozen=True, slots=True)
class Guests:
    """Travel and nights of everybody who came. ``answers``: how many people answered.

    ``refused``: why the attendance could not be used; then only the answers are counted.
    """

    found: Extrapolation
    answers: int
    refused: AttendanceError | None = None


# Sums over guests, without places: reading thousands of answers takes a second or two.
_guests: Memory[Guests] = Memory(seconds=60)


@dataclass(frozen=True, slots=True)
class Computed:
    """An inventory as it stands.

    ``broken``: entries that cannot be counted, by key, each with what is missing; they are in no
    sum. ``cut_off``: message ids by source, see ``boundary.cut_off_problems``.
    """

    inventory: Inventory
    guests: Guests
    broken: Mapping[str, DiandianError]
    standings: tuple[Standing, ...]
    cut_off: Mapping[str, str]

    @property
    def missing(self) -> list[str]:
        """Return the sources of which nothing is said."""
        return [each.category for each in self.standings if each.state == "missing"]

    def why_not_closed(self) -> str:
        """Return the message id of what keeps it from being closed, or nothing."""
        if self.broken:
            return BROKEN
        if self.guests.refused is not None:
            return STALE_ATTENDANCE
        if self.cut_off:
            return next(iter(self.cut_off.values())).rstrip(".")
        lines = (*self.inventory.own.lines, *self.inventory.guests.lines)
        declared = any(each.state in {"zero", "left_out"} for each in self.standings)
        return "" if lines or declared else EMPTY


def sources_of(scene: Scene) -> tuple[HostSource, ...]:
    """Return what the organiser of a scene has to count.

    Guests' travel and nights are among it only where the organiser answers for a part of them.
    """
    sources = scene_kind(scene.kind).host_sources
    # An earlier version of a corrected scene may have given the travel to the organiser.
    if scene.organiser_pct or (scene.version > 1 and queries.has_host_parts(scene)):
        return sources
    return tuple(source for source in sources if source.category not in FROM_GUESTS)


def computed(scene: Scene, sheet: Worksheet, *, fresh: bool = False) -> Computed:
    """Compute an inventory. ``fresh``: read the guests' answers now, however many they are."""
    factors, entries = factors_of(scene), sheet.all_entries()
    guests = guests_of(scene, sheet.attendance, fresh=fresh)
    inventory, broken = _estimate(scene, entries, factors, guests.found)
    by_category = inventory.by_category()
    declared = list(sheet.declared.values())
    return Computed(
        inventory=inventory,
        guests=guests,
        broken=broken,
        standings=boundary.standings(
            sources_of(scene), by_category, [entry.category for entry in entries], declared
        ),
        cut_off=boundary.cut_off_problems(inventory.own.mass_g, declared),
    )


def _estimate(
    scene: Scene, entries: Sequence[Entry], factors: FactorSet, guests: Extrapolation
) -> tuple[Inventory, dict[str, DiandianError]]:
    def estimate(some: Sequence[Entry]) -> Inventory:
        return compute.estimate(
            some, factors, scene.region, guests=guests, non_co2=scene.with_non_co2
        )

    try:
        return estimate(entries), {}
    except DiandianError:
        # Rare: the place of a draft was changed after the entry was made.
        broken = {}
        for entry in entries:
            try:
                compute.entry_lines(entry, factors, scene.region, non_co2=scene.with_non_co2)
            except DiandianError as error:
                broken[entry.key] = error
        return estimate([entry for entry in entries if entry.key not in broken]), broken


def guests_of(scene: Scene, attendance: Mapping[str, int], *, fresh: bool = False) -> Guests:
    """Return what the guests emitted on their way and in their nights, as far as can be said."""
    key = (scene.id, scene.version, scene.organiser_pct, tuple(sorted(attendance.items())))
    kept = None if fresh else _guests.get(key)
    if kept is None:
        kept = _read_guests(scene, attendance)
        _guests.put(key, kept)
    return kept


def forget_guests() -> None:
    """Forget the sums over guests, so that they are read again."""
    _guests.forget()


def _read_guests(scene: Scene, attendance: Mapping[str, int]) -> Guests:
    sample = [
        travel.answer(
            Estimate.from_json(data),
            city_key=scene.place_key,
            country=scene.country,
            organiser_pct=Decimal(pct),
        )
        for data, pct in queries.guests_estimates(scene)
    ]
    try:
        return Guests(_extrapolated(scene, sample, _by_stratum(attendance, sample)), len(sample))
    except AttendanceError as error:
        return Guests(_extrapolated(scene, sample, {}), len(sample), error)


def _by_stratum(attendance: Mapping[str, int], sample: Sequence[GuestAnswer]) -> dict[str, int]:
    if PEOPLE in attendance:
        return travel.attendance_from_total(attendance[PEOPLE], sample)
    return dict(attendance)


def _extrapolated(
    scene: Scene, sample: Sequence[GuestAnswer], attendance: Mapping[str, int]
) -> Extrapolation:
    return travel.extrapolate(
        sample,
        tuple(STRATA),
        attendance,
        factors=factors_of(scene),
        organiser_pct=Decimal(scene.organiser_pct),
    )


def effect_of(scene: Scene, plan: Plan) -> Effect | None:
    """Return what a measure saves, or None where it can no longer be computed."""
    try:
        return measures.effect(
            plan.measure, factors_of(scene), scene.region, non_co2=scene.with_non_co2
        )
    except DiandianError:
        return None


def document_of(scene: Scene, sheet: Worksheet, found: Computed) -> dict[str, Any]:
    """Return the document of a version that is closed: lines, sources, measures, what is open."""
    document = rules.inventory_document(found.inventory.own, found.inventory.guests)
    return document | {
        "standings": [
            [each.category, each.state, each.mass_g, each.reason] for each in found.standings
        ],
        "unproven": list(found.inventory.unproven),
        "uncounted_people": found.inventory.uncounted_people,
        "answers": found.guests.answers,
        "measures": [_measure(scene, plan) for plan in sheet.plans.values()],
    }


def _measure(scene: Scene, plan: Plan) -> dict[str, Any]:
    effect = effect_of(scene, plan)
    return {
        "label": plan.words or plan.measure.label,
        "expected_g": effect.expected_g if effect else None,
        "confirmed_g": effect.confirmed_g if effect else None,
    }
