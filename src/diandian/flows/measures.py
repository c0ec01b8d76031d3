"""Reduction measures of an inventory: ticked, expected, confirmed by evidence, shown to guests.

Guests see only what is confirmed, with what it saved; a measure that saved nothing is not shown.
*Source:* market notes B1-03 and B3-03.
"""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from diandian.emissions.errors import AnswerMissingError
from diandian.emissions.inventory.categories import CATEGORIES
from diandian.emissions.inventory.entries import LONGEST_NOTE, Entry
from diandian.emissions.inventory.errors import MeasureError, TextTooLongError
from diandian.emissions.inventory.measures import Measure, suggestions
from diandian.flows import inventory as flow
from diandian.footprints import inventory, queries
from diandian.footprints.calculation import factors_of
from diandian.footprints.errors import MeasureGoneError
from diandian.footprints.worksheet import Plan
from diandian.people.queries import Visitor
from diandian.scenes import actions as scenes
from diandian.scenes.models import Scene

Names = Mapping[str, str]


def suggested(scene: Scene, entries: list[Entry], taken: Mapping[str, Plan]) -> list[Measure]:
    """Return measures that would save something here and are not ticked, the largest first."""
    found = suggestions(entries, factors_of(scene), scene.region)
    return [measure for measure in found if measure.key not in taken]


def tick(visitor: Visitor, scene: Scene, key: str) -> None:
    """Plan a suggested measure. Idempotent. Locks: the scene. Raises: MeasureGoneError."""
    with flow.editing(visitor, scene, "inventory.measure_planned") as work:
        if key in work.sheet.plans:
            return
        offered = suggested(work.scene, work.sheet.all_entries(), work.sheet.plans)
        measure = next((each for each in offered if each.key == key), None)
        if measure is None:
            raise MeasureGoneError
        work.sheet.plan(measure)
        work.details["measure"] = key


def add(visitor: Visitor, scene: Scene, entry_key: str, words: str, amount: str) -> None:
    """Plan a measure of the organiser's own: less of an entry. ``amount``: what is left of it.

    Idempotent by entry and words. Locks: the scene. Raises: MeasureGoneError, InputError of field
    "words" or "amount".
    """
    said = " ".join(words.split())
    if not said:
        raise AnswerMissingError(field="words")
    if len(said) > LONGEST_NOTE or not said.isprintable():
        raise TextTooLongError(field="words", limit=LONGEST_NOTE)
    with flow.editing(visitor, scene, "inventory.measure_planned") as work:
        before = work.sheet.entry(entry_key)
        if any(
            plan.words == said and plan.measure.before.key == entry_key
            for plan in work.sheet.plans.values()
        ):
            return
        expected = replace(before, amount=_amount(work.scene, before, amount))
        work.sheet.numbers += 1
        key = f"{entry_key}.own{work.sheet.numbers}"
        work.sheet.plan(Measure(key, said, before, expected), said)
        work.details["measure"] = key


def _amount(scene: Scene, entry: Entry, text: str) -> Decimal:
    raw = {"activity": entry.activity, "unit": entry.unit, "amount": text}
    read = flow.reader_of(scene).read(raw | {"category": entry.category}, entry.key)
    if "amount" in read.errors:
        raise read.errors["amount"]
    if read.entry is None:
        raise MeasureGoneError
    return read.entry.amount


def confirm(
    visitor: Visitor,
    scene: Scene,
    key: str,
    *,
    amount: str,
    evidence: str,
    names: Names,
    since: int,
) -> None:
    """Confirm a measure by the amount that came out and a file that shows it.

    The entry of after takes the place of the entry of before; guests see it when it saved
    something. ``names``: what it is called, by language. Locks: the scene. Raises: MeasureError
    without evidence, InputError of field "amount", MeasureGoneError, InventoryMovedError,
    EvidenceNotFoundError.
    """
    if not evidence:
        raise MeasureError(field="evidence")
    with flow.editing(visitor, scene, "inventory.measure_confirmed") as work:
        queries.evidence(work.scene, evidence)
        planned = work.sheet.planned(key).measure
        left = _amount(work.scene, planned.expected, amount)
        after = replace(planned.expected, amount=left, quality="metered", evidence=evidence)
        measure = work.sheet.confirm(key, after, evidence, since=since)
        effect = inventory.effect_of(work.scene, work.sheet.planned(key))
        saved_g = (effect.confirmed_g or 0) if effect else 0
        ref = _ref(key)
        if saved_g > 0:
            category = CATEGORIES[measure.before.category].broad
            scenes.show_measure(
                work.scene, ref=ref, category=category, names=dict(names), avoided_g=saved_g
            )
        else:
            scenes.hide_measure(work.scene, ref=ref)
        work.details |= {"measure": key, "saved_g": saved_g}


def take_back(visitor: Visitor, scene: Scene, key: str) -> None:
    """Take a measure back, planned or confirmed; guests no longer see it. Idempotent.

    Locks: the scene.
    """
    with flow.editing(visitor, scene, "inventory.measure_taken_back") as work:
        work.sheet.unplan(key)
        scenes.hide_measure(work.scene, ref=_ref(key))
        work.details["measure"] = key[:60]


def _ref(key: str) -> str:
    return f"measure:{key[:60]}"
