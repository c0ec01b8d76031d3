"""Writes of the boards: a scene is lit, a name changes, a person leaves."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import F

from diandian.kernel.clock import business_day
from diandian.leaderboards.models import Lighting, Standing
from diandian.leaderboards.rankings import avatar_seed, boards_of
from diandian.scenes.models import Scene


def light(
    *, guest_key: str, scene: Scene, display_name: str, source_ref: str, at: datetime
) -> bool:
    """Count a lit scene for a person who asked to be shown.

    Idempotent by ``source_ref`` and by (person, scene, day): farming one scene counts once a day.
    """
    day = business_day(at)
    try:
        with transaction.atomic():
            Lighting.objects.create(
                guest_key=guest_key, scene=scene, source_ref=source_ref, day=day, lit_at=at
            )
    except IntegrityError:
        return False
    for board in boards_of(day):
        counted = Standing.objects.filter(board=board, guest_key=guest_key).update(
            scenes_lit=F("scenes_lit") + 1, reached_at=at, display_name=display_name
        )
        if not counted:
            Standing.objects.create(
                board=board,
                guest_key=guest_key,
                display_name=display_name,
                avatar_seed=avatar_seed(guest_key),
                scenes_lit=1,
                reached_at=at,
            )
    return True


def rename(guest_key: str, display_name: str) -> int:
    """Show a person under another name on every board."""
    return Standing.objects.filter(guest_key=guest_key).update(display_name=display_name)


def leave(guest_key: str) -> int:
    """Take a person off every board, at once and for good."""
    Lighting.objects.filter(guest_key=guest_key).delete()
    deleted, _ = Standing.objects.filter(guest_key=guest_key).delete()
    return deleted
