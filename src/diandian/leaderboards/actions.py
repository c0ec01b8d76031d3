"""Writes of the boards: a scene is lit, a name changes or is hidden, a person leaves."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from django.db import transaction
from django.db.models import F

from diandian.kernel.clock import business_day
from diandian.leaderboards import rules
from diandian.leaderboards.models import (
    HiddenName,
    Lighting,
    NameReport,
    ReportState,
    Standing,
)
from diandian.leaderboards.rankings import avatar_seed, boards_of
from diandian.scenes.models import Scene
from diandian.store.inserts import Insert, InsertMany, Merge

_LIGHTINGS = Insert(Lighting, skip_conflicts=True)
_STANDINGS = InsertMany(
    Standing,
    "board",
    "guest_key",
    "display_name",
    "avatar_seed",
    "scenes_lit",
    shared=("reached_at",),
    merge=Merge(
        by=("board", "guest_key"), add=("scenes_lit",), take=("reached_at", "display_name")
    ),
)


class Light(NamedTuple):
    """A scene that a person who asked to be shown lit with one order."""

    guest_key: str
    scene_id: int
    display_name: str
    source_ref: str


def light(
    *, guest_key: str, scene: Scene, display_name: str, source_ref: str, at: datetime
) -> bool:
    """Count one lit scene: ``light_many`` of one. False when it was counted before."""
    return bool(light_many([Light(guest_key, scene.id, display_name, source_ref)], at=at))


def light_many(lights: Sequence[Light], *, at: datetime) -> int:
    """Count lit scenes, in their order; two statements, however many. Returns how many counted.

    Idempotent by ``source_ref`` and by (person, scene, day): farming one scene counts once a day.
    """
    day = business_day(at)
    lit = _newly_lit(lights, day, at)
    # The first light of a person decides the place in the table, the last one the name.
    counts = Counter(each.guest_key for each in lit)
    names = {each.guest_key: each.display_name for each in lit}
    rows = [
        (board, guest_key, names[guest_key], avatar_seed(guest_key), count)
        for guest_key, count in counts.items()
        for board in boards_of(day)
    ]
    _STANDINGS.along(rows, reached_at=at)
    return len(lit)


def _newly_lit(lights: Sequence[Light], day: date, at: datetime) -> Sequence[Light]:
    """Write lightings; return those that were not there."""
    rows = [
        Lighting(
            guest_key=each.guest_key,
            scene_id=each.scene_id,
            source_ref=each.source_ref,
            day=day,
            lit_at=at,
        )
        for each in lights
    ]
    ids = _LIGHTINGS.ids(rows)
    if len(ids) == len(lights):
        return lights
    new = set(Lighting.objects.filter(id__in=ids).values_list("source_ref", flat=True))
    return [each for each in lights if each.source_ref in new]


def rename(guest_key: str, display_name: str) -> int:
    """Show a person under another name on every board."""
    return Standing.objects.filter(guest_key=guest_key).update(display_name=display_name)


def forget_order(guest_key: str, *, source_ref: str, display_name: str) -> None:
    """Take back what one order put on the boards: its lit scene, and its name where it is shown.

    Idempotent by ``source_ref``. Locks: standings, in the order in which ``light`` takes them.
    """
    assert guest_key, "without a key every row without one would be found"
    with transaction.atomic():
        lighting = Lighting.objects.filter(source_ref=source_ref, guest_key=guest_key).first()
        if lighting is not None:
            lighting.delete()
            for board in boards_of(lighting.day):
                rows = Standing.objects.filter(board=board, guest_key=guest_key)
                rows.update(scenes_lit=F("scenes_lit") - 1)
                rows.filter(scenes_lit=0).delete()
        if display_name:
            shown = Standing.objects.filter(guest_key=guest_key, display_name=display_name)
            shown.update(display_name="")
            NameReport.objects.filter(guest_key=guest_key, name=display_name).delete()


def hide_name(guest_key: str, *, at: datetime) -> bool:
    """Show a person without a name on every board, whatever they call themselves later.

    Answers what was reported about them. Idempotent by the person: False when it was hidden
    already.
    """
    assert guest_key, "without a key every row without one would be found"
    _, created = HiddenName.objects.get_or_create(guest_key=guest_key, defaults={"hidden_at": at})
    Standing.objects.filter(guest_key=guest_key).update(display_name="")
    reported = NameReport.objects.filter(guest_key=guest_key, state=ReportState.OPEN)
    reported.update(state=ReportState.HIDDEN, decided_at=at, name="", note="")
    return created


def report_name(row: Standing, *, reason: str, note: str, at: datetime) -> bool:
    """Keep for an operator that a name harms; False when enough people said so of its person.

    ``reason`` and ``note`` as ``rules`` cleans them. Hides nothing.
    """
    assert reason in rules.REASONS, "a report says what is wrong"
    reported = NameReport.objects.filter(guest_key=row.guest_key, state=ReportState.OPEN)
    if reported.count() >= rules.MOST_OPEN_REPORTS:
        return False
    NameReport.objects.create(
        guest_key=row.guest_key, name=row.display_name, reason=reason, note=note, reported_at=at
    )
    return True


def close_reports(report: NameReport, *, state: ReportState, at: datetime) -> int:
    """Answer every open report of the same name of the same person; return how many."""
    same = NameReport.objects.filter(
        guest_key=report.guest_key, name=report.name, state=ReportState.OPEN
    )
    return same.update(state=state, decided_at=at, name="", note="")


def leave(guest_key: str) -> int:
    """Take a person off every board, at once and for good."""
    Lighting.objects.filter(guest_key=guest_key).delete()
    NameReport.objects.filter(guest_key=guest_key).delete()
    deleted, _ = Standing.objects.filter(guest_key=guest_key).delete()
    return deleted
