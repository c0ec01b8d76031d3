"""The process that writes in ``./run bench retire``; the environment names its database.

Does the steps it is given, in order, and prints one line of JSON for each.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import django

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))


def main() -> None:
    """Do each step: its name, and its arguments in JSON."""
    django.setup()
    # Models load after Django's set-up.
    from kit import filling, fulfilling, retiring  # noqa: PLC0415

    steps = {
        "prepare": retiring.make_batch,
        "closed": retiring.closed,
        "arrivals": retiring.arrivals,
        "audit": retiring.audit,
        "weigh": retiring.weigh,
        "fill": filling.fill,
        "publish": filling.publish,
        "fulfil": fulfilling.measure,
        "place": fulfilling.place,
        "sample": fulfilling.begin,
    }
    for line in sys.stdin:
        name, *given = json.loads(line)
        print(json.dumps(steps[name](*given)), flush=True)


if __name__ == "__main__":
    main()
