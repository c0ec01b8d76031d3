"""Whole tonnes: the platform buys what nobody has of an open one, before its promised day.

And what the referee knows of it: which tonnes are due, what is left of them, and the gauge.
"""

from collections import defaultdict
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from diandian.flows import pool
from tests.simulator.book import TONNE, price_of, require, taken_by_lane
from tests.simulator.remedies import parts

_BEFORE = timedelta(days=3)
_ZONE = ZoneInfo("Asia/Shanghai")


def complete_tonnes(sim, dice):
    """The worker completes what is due."""

    def do():
        before, today = sim.seen, sim.stage.now.astimezone(_ZONE).date()
        pool.complete_due()
        completed(sim.book, before, sim.look(), today)

    return do


def look_at_gauge(sim, dice):
    """Somebody reads how much of what was sold is retired at its origin."""
    return lambda: gauge(sim)


def completed(book, before, seen, today):
    """All that was due was completed, nothing else, and each with what nobody had of it."""
    made = {
        row.source_ref: row.mass_g
        for number, row in seen.retirements.items()
        if number not in before.retirements
    }
    expected = _due(book, before, today)
    require(made == expected, "completed", made, "where", expected, "was due")


def _due(book, seen, today):
    """Return the free rest of each open tonne whose promised day is near, by its reference."""
    used, held = taken_by_lane(seen)
    first = {}
    for paper in seen.papers.values():
        if paper.state != "current" or paper.promised_by is None:
            continue
        for row in seen.ranges.values():
            if row.retirement_id == paper.retirement_id:
                for number in range(row.start_g // TONNE, -(-row.end_g // TONNE)):
                    key, day = (row.lane_id, number), _day(paper.promised_by)
                    first[key] = min(first.get(key, day), day)
    due, done = {}, {row.source_ref for row in seen.retirements.values()}
    for (lane_id, number), day in first.items():
        lane = seen.lanes[lane_id]
        batch = book.batches[lane.source_ref]
        at_g = lane.lo + used.get(lane_id, 0)
        ends = min((number + 1) * TONNE, lane.hi)
        is_open = max(number * TONNE, lane.lo) < at_g < ends and batch.is_fit
        is_outside = parts(seen.outside.get(lane.source_ref, ()), number * TONNE, ends)
        rest_g = min(ends - at_g, lane.hi - at_g - held.get(lane_id, 0))
        ref = f"pool:{seen.names[lane.source_ref]}:{number + 1}"
        is_due = day - _BEFORE <= today and not batch.is_frozen and ref not in done
        if is_open and is_due and not is_outside and rest_g > 0:
            due[ref] = rest_g
    return due


def _day(value):
    return date.fromisoformat(value) if isinstance(value, str) else value


def check(book, seen):
    """A completion lies in one lane, ends its tonne or where somebody holds, and is ours alone."""
    spans = defaultdict(list)
    for row in seen.ranges.values():
        if row.retirement_id is not None:
            spans[row.retirement_id].append(row)
    for number, row in seen.retirements.items():
        if not row.source_ref.startswith("pool:"):
            continue
        [used] = spans[number]
        lane = seen.lanes[used.lane_id]
        tonne = used.start_g // TONNE
        require(row.source_ref == f"pool:{seen.names[lane.source_ref]}:{tonne + 1}", row)
        is_inside = tonne * TONNE < used.start_g < used.end_g <= (tonne + 1) * TONNE
        require(is_inside, used, "is no rest of a tonne")
        require(not book.batches[lane.source_ref].quality.is_native, row, "needs no registry")


def cost(seen):
    """Return what completions cost us: the price without a fee, each by itself."""
    total = 0
    for row in seen.retirements.values():
        if row.source_ref.startswith("pool:"):
            supplier, _ = price_of(row.project, row.mass_g)
            require(
                seen.bought.get(f"{row.source_ref}:completion") == supplier, row, "is not", supplier
            )
            total += supplier
    return total


def gauge(sim):
    """Compare what the pool says with what was sold and what lies in tonnes retired outside."""
    seen, book = sim.look(), sim.book
    sold_g = retired_g = 0
    for row in seen.ranges.values():
        if row.kind == "retire":
            batch = book.batches[seen.lanes[row.lane_id].source_ref]
            sold_g += row.end_g - row.start_g
            spans = (
                [(0, batch.total_g)]
                if batch.quality.is_native
                else seen.outside.get(batch.source_ref, ())
            )
            retired_g += parts(spans, row.start_g, row.end_g)
    told = [each.pool for each in pool.by_class()]
    found = (sum(each.sold_g for each in told), sum(each.retired_g for each in told))
    require(found == (sold_g, retired_g), "the pool says", found, "not", (sold_g, retired_g))


# How often each comes, against the others that are seldom.
ACTS = {complete_tonnes: 3, look_at_gauge: 1}
