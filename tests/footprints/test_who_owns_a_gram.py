"""Whose a gram is, without a database: parts, inventories, covers, and any interleaving."""

from dataclasses import dataclass, field
from random import Random

import pytest

from diandian.emissions.inventory.guest_sums import SOURCES
from diandian.footprints import rules
from diandian.footprints.rules import Run, Visit

pytestmark = pytest.mark.pure


def line(key="travel.train", category="travel", mass_g=43_001, **facts):
    amount = {"activity_amount": "1000", "value": "0.043001", "share": "1"}
    return {"key": key, "category": category, "mass_g": mass_g, **amount, **facts}


def estimate(*lines):
    return {"lines": list(lines)}


MEAL = line("food.meals", "food", 5_000)


def test_the_organiser_can_take_over_what_the_inventory_counts_as_travel():
    assert set(SOURCES) == rules.TRAVEL


@pytest.mark.parametrize(("pct", "hosts_g"), [(0, 0), (1, 430), (50, 21_500), (100, 43_001)])
def test_each_line_is_parted_without_losing_a_gram(pct, hosts_g):
    train = line()
    assert rules.host_part_g(train, pct) == hosts_g
    parts = [
        dict(rules.parts_of(estimate(train), pct, host=host)).get("travel.train", 0)
        for host in (True, False)
    ]
    assert parts == [hosts_g, 43_001 - hosts_g]


@pytest.mark.parametrize("pct", [1, 33, 50, 99, 100])
def test_meals_stay_the_guests(pct):
    assert rules.host_part_g(MEAL, pct) == 0
    assert rules.parts_of(estimate(line(), MEAL), pct, host=True) == [
        ("travel.train", rules.host_part_g(line(), pct))
    ]


def test_nights_are_left_out_where_the_house_holds_them():
    night = line("stay.mid", "stay", 20_000)
    both = estimate(line(), night)
    assert rules.parts_of(both, 0, host=False, rooms=False) == [("travel.train", 43_001)]


def document(*lines, mass_g=None, high_g=10**9):
    own_g = sum(item["mass_g"] for item in lines if item["owner"] == "organiser")
    return {"mass_g": own_g if mass_g is None else mass_g, "high_g": high_g, "lines": list(lines)}


def owned(key="venue.1", owner="organiser", mass_g=100, *, claimable=True):
    return {"key": key, "owner": owner, "mass_g": mass_g, "claimable": claimable}


@pytest.mark.parametrize(
    "bad",
    [
        {},
        {"lines": "many"},
        document(owned(key="")),
        document(owned(key="x" * 121)),
        document(owned(owner="nobody")),
        document(owned(mass_g=-1)),
        document(owned(mass_g=1.5)),
        document(owned(mass_g=True)),
        document(owned(), owned()),
        document(owned(), mass_g=99),
        document(owned(), high_g=99),
        document(owned(owner="guest"), mass_g=100),
    ],
)
def test_an_inventory_that_does_not_add_up_is_refused(bad):
    assert rules.problem_of(bad)


def test_guests_own_lines_are_information_and_answered_ones_are_not_claimed_twice():
    found = document(
        owned(), owned("attendee_travel.answered.0", claimable=False), owned("x", "guest")
    )
    found["lines"][2]["claimable"] = False
    assert rules.problem_of(found) == ""
    assert rules.claimable(found) == {"venue.1": 100}


@pytest.mark.parametrize(
    ("claimed", "less_g", "runs"),
    [
        ({}, 0, [Run("a", 0, 100), Run("b", 0, 50)]),
        ({"a": [(0, 100)]}, 0, [Run("b", 0, 50)]),
        ({"a": [(60, 40), (0, 20)]}, 0, [Run("a", 20, 40), Run("b", 0, 50)]),
        ({"a": [(0, 300)], "gone": [(0, 7)]}, 0, [Run("b", 0, 50)]),
        ({"a": [(120, 30)]}, 0, [Run("a", 0, 100), Run("b", 0, 50)]),
        ({}, 60, [Run("a", 0, 90)]),
        ({"a": [(0, 100)], "b": [(0, 50)]}, 60, []),
        ({}, 1000, []),
    ],
)
def test_open_grams_are_what_no_claim_holds(claimed, less_g, runs):
    assert rules.open_runs({"a": 100, "b": 50}, claimed, less_g=less_g) == runs


def test_a_share_cuts_the_site_but_never_a_visit():
    runs = [Run("a", 0, 100)]
    visits = [Visit(1, True, 40), Visit(2, True, 70), Visit(3, False, 30)]
    assert rules.take(runs, visits, 60) == rules.Taken((Run("a", 0, 60),), ())
    taken = rules.take(runs, visits, 175)
    assert [visit.footprint_id for visit in taken.visits] == [1, 3]
    assert taken.mass_g == 170


# --- any interleaving ---------------------------------------------------------------------------

SITE = {"energy": 7, "waste": 3}
PARTS = {(1, True): 2, (1, False): 5, (2, True): 1, (2, False): 4}


class TakenError(Exception):
    """What the database's constraint says to the second."""


@dataclass
class Ledger:
    """The tables as constraints keep them: no gram is claimed twice, all or nothing."""

    site: dict = field(default_factory=dict)
    parts: dict = field(default_factory=dict)
    retired: dict = field(default_factory=dict)

    def claim(self, ref, runs, parts):
        for run in runs:
            for (key, start_g), (mass_g, _) in self.site.items():
                apart = run.start_g + run.mass_g <= start_g or start_g + mass_g <= run.start_g
                if key == run.line_key and not apart:
                    raise TakenError
        if any(part in self.parts for part in parts):
            raise TakenError
        self.site |= {(run.line_key, run.start_g): (run.mass_g, ref) for run in runs}
        self.parts |= dict.fromkeys(parts, ref)

    def release(self, ref):
        self.site = {key: claim for key, claim in self.site.items() if claim[1] != ref}
        self.parts = {key: owner for key, owner in self.parts.items() if owner != ref}

    def claimed_by(self, ref=None):
        site = sum(g for g, owner in self.site.values() if ref in (None, owner))
        return site + sum(PARTS[key] for key, owner in self.parts.items() if ref in (None, owner))

    def open(self, *, everyone):
        claimed = {}
        for (key, start_g), (mass_g, _) in self.site.items():
            claimed.setdefault(key, []).append((start_g, mass_g))
        visits = [
            Visit(number, is_host, PARTS[number, is_host])
            for number, is_host in sorted(PARTS, key=lambda part: (not part[1], part[0]))
            if (is_host or everyone) and (number, is_host) not in self.parts
        ]
        return rules.open_runs(SITE, claimed), visits


class Guest:
    """Wants the guest's part of one footprint; another guest may want the very same."""

    def __init__(self, ref, number, random):
        self.ref, self.part, self.random, self.stage = ref, (number, False), random, "quoted"

    def step(self, ledger):
        if self.stage == "quoted":
            try:
                ledger.claim(self.ref, [], [self.part])
            except TakenError:
                self.stage = "refused"  # before anything was paid
            else:
                self.stage = "placed"
        elif self.stage == "placed":
            end(self, ledger, PARTS[self.part])


class Organiser:
    """Quotes what is left at one moment, claims at another."""

    def __init__(self, ref, random):
        self.ref, self.random, self.stage = ref, random, "new"
        self.everyone, self.share = random.random() < 0.6, random.choice([100, 100, 50, 30])

    def taken(self, ledger):
        runs, visits = ledger.open(everyone=self.everyone)
        open_g = sum(item.mass_g for item in (*runs, *visits))
        return rules.take(runs, visits, open_g * self.share // 100)

    def step(self, ledger):
        if self.stage == "new":
            self.quoted, self.stage = self.taken(ledger), "quoted"
            if not self.quoted.mass_g:
                self.stage = "refused"
        elif self.stage == "quoted":
            # A stale writer claims what it saw; only the constraint stands in its way.
            fresh = self.taken(ledger) if self.random.random() < 0.5 else self.quoted
            self.stage = "refused"
            if fresh.mass_g == self.quoted.mass_g:
                parts = [(visit.footprint_id, visit.is_host_part) for visit in fresh.visits]
                try:
                    ledger.claim(self.ref, fresh.runs, parts)
                except TakenError:
                    return
                self.stage = "placed"
        elif self.stage == "placed":
            end(self, ledger, self.quoted.mass_g)


class Sponsor(Organiser):
    """Takes over guests' parts, the organiser's, or both, up to a budget."""

    def __init__(self, ref, random):
        super().__init__(ref, random)
        self.part, self.budget_g = random.choice(["guests", "rest", "both"]), random.randint(1, 20)

    def taken(self, ledger):
        runs, visits = ledger.open(everyone=self.part != "rest")
        if self.part == "guests":
            runs, visits = [], [visit for visit in visits if not visit.is_host_part]
        return rules.take(runs, visits, self.budget_g)


def end(actor, ledger, mass_g):
    actor.stage = "done"
    if actor.random.random() < 0.7:
        ledger.retired[actor.ref] = mass_g
    else:
        ledger.release(actor.ref)


def assert_whole(ledger):
    inventory_g = sum(SITE.values()) + sum(PARTS.values())
    assert ledger.claimed_by() <= inventory_g
    for key, mass_g in SITE.items():
        grams = [
            gram
            for (name, start_g), (taken_g, _) in ledger.site.items()
            if name == key
            for gram in range(start_g, start_g + taken_g)
        ]
        assert len(set(grams)) == len(grams), "one claimant a gram"
        assert not grams or max(grams) < mass_g
    assert all(ledger.claimed_by(ref) <= mass_g for ref, mass_g in ledger.retired.items())
    runs, visits = ledger.open(everyone=True)
    open_g = sum(item.mass_g for item in (*runs, *visits))
    assert open_g + ledger.claimed_by() == inventory_g, "a claim shrinks the rest at once"


@pytest.mark.parametrize("thousand", range(10))
def test_guests_an_organiser_and_sponsors_race_for_the_same_gram(thousand):
    """10,000 interleavings of two guests with one footprint, a third, two covers, two sponsors."""
    refusals, sponsored = 0, 0
    for seed in range(thousand * 1000, thousand * 1000 + 1000):
        random, ledger = Random(seed), Ledger()
        actors = [Guest("g1", 1, random), Guest("g2", 1, random), Guest("g3", 2, random)]
        actors += [Organiser(f"o{number}", random) for number in range(2)]
        actors += [Sponsor(f"s{number}", random) for number in range(2)]
        while waiting := [a for a in actors if a.stage not in {"done", "refused"}]:
            random.choice(waiting).step(ledger)
            assert_whole(ledger)
        refusals += sum(actor.stage == "refused" for actor in actors)
        sponsored += any(ref.startswith("s") for ref in ledger.retired)
    assert refusals > 500, "they do meet"
    assert sponsored > 300, "and sponsors win sometimes"
