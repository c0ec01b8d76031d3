"""The referee's part about recalls: who must be answered, with what, and what papers say of it.

Reckoned from the ranges, the issuances and the wishes alone. Nothing is un-retired; each retirement
behind a recall is answered once, with exactly its grams or openly short; like for like or better.
"""

import json
from collections import Counter, defaultdict
from itertools import groupby

from tests.simulator.book import TONNE, require, taken_by_lane
from tests.simulator.stage import KINDS, PRICE_PER_TONNE_MINOR

_AT_WORK = ("running", "done")
_MOVES = {
    None: ("opened", *_AT_WORK, "dropped"),
    "opened": ("opened", *_AT_WORK, "dropped"),
    "running": _AT_WORK,
    "done": ("done",),
    "dropped": ("dropped",),
}
_CLASSES = ("allowance", "ccer", "puhui", "other")
_FAR = ("not_started", "pending", "completed")


def stands_in(bad, good):
    """Tell whether credits are as good as others in everything that a buyer was told."""
    if good.vintage < bad.vintage:
        return False
    if _CLASSES.index(good.credit_class) > _CLASSES.index(bad.credit_class):
        return False
    if (bad.has_label and not good.has_label) or (bad.is_recognised and not good.is_recognised):
        return False
    said, far = bad.adjusted
    is_as_far = _FAR.index(good.adjusted[1]) >= _FAR.index(far)
    if said == "not_required":
        return good.adjusted[0] == said or good.adjusted == ("committed", "completed")
    if said == "committed":
        return good.adjusted[0] == said and is_as_far
    return is_as_far


def parts(spans, start_g, end_g):
    """Return the grams of a range that lie in spans, which do not overlap."""
    return sum(max(0, min(end, end_g) - max(start, start_g)) for start, end in spans)


class Remedies:
    """Knows what recalls must do. ``book``: what everybody wished."""

    def __init__(self, book):
        self.book = book

    def check(self, before, seen):
        """Compare what is written of recalls. Raises: BreachError."""
        for row in seen.recalls.values():
            self._recall(row, before.recalls.get(row.id) if before else None)
        steps = by_retirement(seen)
        self._answered_once(seen, steps)
        self._replacements(seen)
        self._buffers(seen)
        _papers(seen, steps)
        _told(seen, is_restored=bool(self.book.restored))

    def _recall(self, row, was):
        """Two people stand behind each recall, and it is what the first of them wished."""
        wish = self.book.recalls.get(row.key)
        require(wish is not None, row, "was wished for by nobody")
        told = (row.source_ref, row.start_g, row.end_g, row.kind, tuple(_json(row.sources)))
        wished = (wish.source_ref, wish.start_g, wish.end_g, wish.kind, wish.sources)
        require(told == wished, row, "is not what was wished:", wish)
        require(row.state in _MOVES[was.state if was else None], row, "cannot come from", was)
        if row.state in _AT_WORK:
            require(wish.is_approved and row.approved_by != row.opened_by, row, "has one person")
        if row.state == "dropped":
            require(wish.is_declined, row, "was given up by nobody")

    def _answered_once(self, seen, steps):
        """Every retirement behind a recall has its answer, no other, and to the gram."""
        met, lost = met_by(seen), set(steps)
        for row in seen.recalls.values():
            for number, affected_g in met[row.id].items():
                answers = steps.get((row.id, number), [])
                lost.discard((row.id, number))
                require(answers or row.state != "done", row, "forgot retirement", number)
                require(not answers or row.state in _AT_WORK, row, "is not at work yet")
                _add_up(answers, affected_g)
        require(not lost, "answered, and not recalled:", lost)

    def _replacements(self, seen):
        """What stands in was retired for one step alone, for that retirement, of lawful origin."""
        roots, used = {}, {}
        for step in seen.remedies.values():
            root = roots.get(step.retirement_id, step.retirement_id)
            require(step.root_id == root, step, "does not lead to", root)
            require(not _is_ours(seen, root), step, "leads to nobody's retirement")
            if step.replacement_id is None:
                continue
            require(step.replacement_id not in used, step, "uses a replacement again")
            used[step.replacement_id] = step
            roots[step.replacement_id] = root
            row = seen.retirements[step.replacement_id]
            recall = seen.recalls[step.recall_id]
            ref = f"recall:{recall.name}:{step.retirement_id}:{step.step}:retirement"
            require(row.source_ref == ref, row, "is not", ref)
            fits = (row.mass_g, row.replaces_id) == (step.remedied_g, step.retirement_id)
            require(fits, row, "does not stand for", step)
        for number, row in seen.retirements.items():
            is_ours = _is_ours(seen, number)
            require(is_ours == (number in used), row, "replaces nothing")
            require(is_ours == (row.replaces_id is not None), row, "replaces something")
        for row in seen.ranges.values():
            if row.retirement_id in used:
                self._may_replace(seen, row, seen.recalls[used[row.retirement_id].recall_id])

    def _may_replace(self, seen, row, recall):
        lane = seen.lanes[row.lane_id]
        good, bad = (self.book.batches[ref] for ref in (lane.source_ref, recall.source_ref))
        near = self.tier(recall, good.project) is not None
        require(good is not bad and near, row, "may not replace grams of", bad)
        require(stands_in(bad.quality, good.quality), row, "is worse than what was recalled", bad)
        if not good.quality.is_native:
            whole = parts(seen.outside.get(good.source_ref, ()), row.start_g, row.end_g)
            require(whole == row.end_g - row.start_g, row, "is not retired at its origin")

    def _buffers(self, seen):
        """A buffer answers for its own batch alone, with what remedies say, and it goes first."""
        taken, told, beyond = defaultdict(int), defaultdict(int), set()
        for row in seen.ranges.values():
            if row.source_ref.startswith("recall:"):
                taken[row.source_ref.split(":")[1], seen.lanes[row.lane_id].source_ref] += (
                    row.end_g - row.start_g
                )
        for step in seen.remedies.values():
            recall = seen.recalls[step.recall_id]
            if step.outcome == "buffer":
                require(recall.kind == "reversal", step, "takes a buffer")
                told[recall.name, recall.source_ref] += step.remedied_g
            elif recall.kind == "reversal":
                beyond.add(recall.source_ref)
        require(taken == told, "buffers gave", dict(taken), "where remedies say", dict(told))
        left = self._buffer_left(seen)
        for source_ref in beyond:
            require(not left[source_ref], source_ref, "keeps a buffer of", left[source_ref])

    def _buffer_left(self, seen):
        used, _ = taken_by_lane(seen)
        left = defaultdict(int)
        for lane in seen.lanes.values():
            if lane.kind == "buffer":
                left[lane.source_ref] += lane.hi - lane.lo - used.get(lane.id, 0)
        return left

    def tier(self, recall, project):
        """Return how near a project is to a recall's: 0 the same, None when it is no source."""
        own = self.book.batches[recall.source_ref].project
        sources = self.book.recalls[recall.key].sources
        if project == own:
            return 0
        if KINDS[project] == KINDS[own]:
            return 1
        return 2 + sources.index(project) if project in sources else None

    # -- one portion of the work ------------------------------------------------------------------

    def free_for(self, seen, recall):
        """Return the lanes that may replace now with their free grams, nearest first."""
        used, held = taken_by_lane(seen)
        bad = self.book.batches[recall.source_ref]
        found = []
        for lane in seen.lanes.values():
            good = self.book.batches[lane.source_ref]
            tier = self.tier(recall, good.project)
            serves = good.is_fit and not good.is_frozen and lane.kind == "sale"
            if not serves or tier is None or good is bad:
                continue
            if not stands_in(bad.quality, good.quality):
                continue
            begin = lane.lo + used.get(lane.id, 0)
            end = lane.hi - held.get(lane.id, 0)
            if not good.quality.is_native:
                end = min(end, _reach(seen.outside.get(good.source_ref, ()), begin))
            if end > begin:
                found.append((tier, good.number, lane.id, end - begin))
        return {lane_id: left for *_, lane_id, left in sorted(found)}

    def answered(self, before, seen, *, is_retry=False):
        """A portion took what the simulator would have taken, and left short what it would have."""
        fresh = [row for number, row in seen.remedies.items() if number not in before.remedies]
        used = defaultdict(int)
        for recall_id in before.recalls if is_retry else {row.recall_id for row in fresh}:
            recall = before.recalls[recall_id]
            free = self.free_for(before, recall)
            free = {lane_id: left - used[lane_id] for lane_id, left in free.items()}
            if is_retry:
                needs = {} if recall.state != "done" else _left_short(before, recall_id)
                expected = _replace_whole(needs, free, used)
            else:
                steps = [row for row in fresh if row.recall_id == recall_id]
                needs = {row.retirement_id: row.affected_g for row in steps}
                buffer_g = self._buffer_left(before)[recall.source_ref]
                expected = _answer(needs, buffer_g * (recall.kind == "reversal"), free, used)
            now = _left_short(seen, recall_id)
            found = {number: now.get(number, 0) for number in expected}
            require(found == expected, recall, "left short", found, "where", expected, "was due")
        taken = defaultdict(int)
        made = {row.replacement_id for row in fresh}
        for row in seen.ranges.values():
            if row.retirement_id in made and row.retirement_id is not None:
                taken[row.lane_id] += row.end_g - row.start_g
        due = {lane_id: mass_g for lane_id, mass_g in used.items() if mass_g}
        require(taken == due, "replaced from", dict(taken), "where", due, "was due")


def _is_ours(seen, number):
    return seen.retirements[number].source_ref.startswith("recall:")


def _json(value):
    return json.loads(value) if isinstance(value, str) else value


def _reach(spans, start_g):
    """Return how far spans, in their order, cover grams from one on without a gap."""
    for begin, end in spans:
        if begin <= start_g < end:
            start_g = end
    return start_g


def by_retirement(seen):
    """Return the steps of each recall and retirement, in their order."""
    steps = {}
    for row in seen.remedies.values():
        steps.setdefault((row.recall_id, row.retirement_id), []).append(row)
    return steps


def met_by(seen):
    """Return the grams that each recall took of each retirement."""
    met = {number: defaultdict(int) for number in seen.recalls}
    for row in seen.ranges.values():
        if row.retirement_id is None:
            continue
        for recall in seen.recalls.values():
            if recall.source_ref == seen.lanes[row.lane_id].source_ref:
                shared = min(row.end_g, recall.end_g) - max(row.start_g, recall.start_g)
                if shared > 0:
                    met[recall.id][row.retirement_id] += shared
    return met


def _add_up(answers, affected_g):
    """The steps of one answer count from one, and each says what is open after it."""
    open_g = affected_g
    for number, step in enumerate(answers, start=1):
        require(step.step == number, step, "is not step", number)
        require(step.affected_g == affected_g, step, "was recalled for", affected_g)
        open_g -= step.remedied_g
        require(step.short_g == open_g >= 0, step, "leaves open", open_g)
        is_replaced = step.outcome == "replaced"
        require(is_replaced == (step.replacement_id is not None), step, "replaces what?")
        require((step.outcome == "short") == (step.remedied_g == 0), step, "did nothing")


def _left_short(seen, recall_id):
    """Return what a recall left short by retirement, in the order in which it was left so."""
    last = {}
    for row in seen.remedies.values():
        if row.recall_id == recall_id:
            last.pop(row.retirement_id, None)
            last[row.retirement_id] = row.short_g
    return {number: short_g for number, short_g in last.items() if short_g}


def _take(free, used, missing_g):
    for lane_id in free:
        take_g = min(free[lane_id], missing_g)
        free[lane_id] -= take_g
        used[lane_id] += take_g
        missing_g -= take_g
    return missing_g


def _answer(needs, buffer_g, free, used):
    """The buffer first, for one after the other; then what may replace; the rest is short."""
    short = {}
    for number in sorted(needs):
        take_g = min(buffer_g, needs[number])
        buffer_g -= take_g
        short[number] = needs[number] - take_g
    return {number: _take(free, used, missing_g) for number, missing_g in short.items()}


def _replace_whole(needs, free, used):
    """Each whole or not at all, the oldest first that there is enough for."""
    return {
        number: missing_g if sum(free.values()) < missing_g else _take(free, used, missing_g)
        for number, missing_g in needs.items()
    }


def _papers(seen, steps):
    """Each certificate says what recalls did to its chain, and what of it stands."""
    chains = defaultdict(list)
    for (recall_id, _), answers in steps.items():
        chains[answers[0].root_id].append((recall_id, answers))
    for paper in seen.papers.values():
        if paper.state != "current":
            continue
        record = _json(paper.document)["credentialSubject"]
        told = {
            each["recall"]: (
                *(each[name] for name in ("affected_g", "buffer_g", "replaced_g", "short_g")),
                sorted(one["retirement"] for one in each["replacements"]),
            )
            for each in record.get("recalls", ())
        }
        known = _known(seen, chains[paper.retirement_id])
        require(told == known, paper.code, "says of recalls", told, "where", known, "is known")
        short_g = sum(short for *_, short, _ in known.values())
        if not known:
            require(record["state"] in {"held", "retired"}, paper.code, "is", record["state"])
            continue
        state = ("short" if short_g else "remedied", record["mass_g"] - short_g)
        require((record["state"], record["standing_g"]) == state, paper.code, "is not", state)


def _known(seen, answers):
    known = {}
    for recall_id, steps in answers:
        name = seen.recalls[recall_id].name
        by_way = defaultdict(int)
        for step in steps:
            by_way[step.outcome] += step.remedied_g
        made = [seen.retirements[step.replacement_id].name for step in steps if step.replacement_id]
        earlier = known.get(name, (0, 0, 0, 0, []))
        numbers = (steps[0].affected_g, by_way["buffer"], by_way["replaced"], steps[-1].short_g)
        sums = (one + other for one, other in zip(earlier, numbers, strict=False))
        known[name] = (*sums, sorted([*earlier[4], *made]))
    return known


def _told(seen, *, is_restored):
    """L4: the public log tells of each recall at work and of each step, once.

    Where an older copy came back it tells of those too that were lost with the newer one.
    """
    entries = [json.loads(text) for text in seen.log]
    told = sorted(entry["recall"] for entry in entries if entry["type"] == "recall")
    at_work = sorted(row.name for row in seen.recalls.values() if row.state in _AT_WORK)
    require(told == at_work, "the log tells of the recalls", told, "not", at_work)
    steps = sorted(
        (
            seen.recalls[step.recall_id].name,
            seen.retirements[step.retirement_id].name,
            step.outcome,
            step.short_g,
        )
        for step in seen.remedies.values()
    )
    names = ("recall", "retirement", "outcome", "short_g")
    told = sorted(
        tuple(entry[name] for name in names) for entry in entries if entry["type"] == "remedy"
    )
    agrees = not Counter(steps) - Counter(told) if is_restored else told == steps
    require(agrees, "the log tells of the remedies", told, "not", steps)


def cost_by_project(seen):
    """Return what the owners of replacements are owed: each portion and project rounded up.

    A portion begins with the replacement that its bookings are named by.
    """
    named = {ref.rpartition(":money:")[0] for ref in seen.bought if ":money:" in ref}
    owed, portion = defaultdict(int), 0
    rows = [row for _, row in sorted(seen.retirements.items()) if row.replaces_id is not None]
    portions = []
    for row in rows:
        portion += row.source_ref.removesuffix(":retirement") in named
        portions.append((portion, row))
    for _, group in groupby(portions, key=lambda each: each[0]):
        masses = defaultdict(int)
        for _, row in group:
            masses[row.project] += row.mass_g
        for project, mass_g in masses.items():
            owed[project] += -(-PRICE_PER_TONNE_MINOR[project] * mass_g // TONNE)
    return owed
