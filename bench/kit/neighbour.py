"""A second process that writes to the same database at a modest rate, like a web server.

Keeps the answers of guests, one transaction each, evenly until its input ends; the environment
names the database. Answers with how many it kept and the longest that one took.
"""

from __future__ import annotations

import json
import random
import select
import sys
import time
from pathlib import Path

import django

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

PER_SECOND = 20


def main() -> None:
    """Write until the input ends."""
    django.setup()
    # Models load after Django's set-up.
    from django.db import transaction  # noqa: PLC0415

    from diandian.scenes.models import Scene  # noqa: PLC0415
    from kit import fulfilling  # noqa: PLC0415

    scene, dice = Scene.objects.get(slug=fulfilling.SLUG), random.Random(11)
    due, longest_s, kept = time.monotonic(), 0.0, 0
    print("ready", flush=True)
    while not select.select([sys.stdin], [], [], max(0.0, due - time.monotonic()))[0]:
        began = time.monotonic()
        with transaction.atomic():
            fulfilling.save_footprint(scene, dice)
        longest_s, kept = max(longest_s, time.monotonic() - began), kept + 1
        due = max(due + 1 / PER_SECOND, began)
    print(json.dumps({"kept": kept, "longest_ms": round(longest_s * 1000, 1)}), flush=True)


if __name__ == "__main__":
    main()
