"""``python -m tests.emissions.why.write``: puts the program's numbers into ``docs/why``."""

from diandian.emissions.known_trips import TRIPS
from tests.emissions.why.pages import filled, page

if __name__ == "__main__":
    for trip in TRIPS:
        path = page(trip)
        path.write_text(filled(trip, path.read_text(encoding="utf-8")), encoding="utf-8")
