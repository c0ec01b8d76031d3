"""Entries: what a table may say, what it may not, and that better data never widen."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diandian.emissions.factor_set import FactorSet, newest
from diandian.emissions.inventory import compute, narrowing, ownership
from diandian.emissions.inventory.activities import ACTIVITIES
from diandian.emissions.inventory.activity import known_at
from diandian.emissions.inventory.amounts import read_amount
from diandian.emissions.inventory.entries import QUALITY_PCT, Entry, OwnValue, Reader
from diandian.emissions.inventory.errors import EntryBrokenError
from diandian.emissions.inventory.units import converted, unit_named
from diandian.kernel.canonical import canonical_json
from diandian.kernel.errors import InputError
from diandian.kernel.units import UnitError

pytestmark = pytest.mark.pure

GOOD = {"activity": "electricity", "amount": "10", "quality": "metered", "evidence": "a" * 64}
NAMES = sorted(name for name in ACTIVITIES if known_at(ACTIVITIES[name], newest(), "CN-SC"))
ENTRIES = st.builds(
    lambda name, amount, quality: Entry(
        key="",
        activity=name,
        category=ACTIVITIES[name].categories[0],
        amount=Decimal(amount) / 100,
        unit=ACTIVITIES[name].unit,
        quality=quality,
    ),
    st.sampled_from(NAMES),
    st.integers(0, 10**7),
    st.sampled_from(sorted(QUALITY_PCT)),
)
LISTS = st.lists(ENTRIES, min_size=1, max_size=8).map(
    lambda found: [replace(entry, key=f"e{n}") for n, entry in enumerate(found)]
)


def estimate(entries: list[Entry]) -> compute.Inventory:
    return compute.estimate(entries, newest(), "CN-SC")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12", "12"), ("１２．５", "12.5"), ("1,234.5", "1234.5"), ("1,234,567", "1234567"),
        ("1.234,5", "1234.5"), ("12,5", "12.5"), ("0,125", "0.125"), ("1.5E3", "1500"),
        ("0.10000000000000001", "0.1"), ("  7 ", "7"), ("+3", "3"), ("-0", "0"),
    ],
)  # fmt: skip
def test_numbers_that_can_be_read(text: str, number: str) -> None:
    assert read_amount(text) == Decimal(number)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "answer_missing"), ("ten", "not_a_number"), ("1,234", "ambiguous_number"),
        ("-1", "out_of_range"), ("1e13", "out_of_range"), ("NaN", "not_a_number"),
        ("Infinity", "not_a_number"), ("1" * 41, "too_long"), ("1 2", "not_a_number"),
        ("1e999999", "not_a_number"), ("12kWh", "not_a_number"), ("=1+1", "not_a_number"),
        ("1,23,4", "not_a_number"), ("٣", "not_a_number"), ("0x10", "not_a_number"),
    ],
)  # fmt: skip
def test_numbers_that_cannot(text: str, code: str) -> None:
    with pytest.raises(InputError) as caught:
        read_amount(text)
    assert caught.value.code == code


def test_a_point_is_doubtful_where_commas_begin_fractions() -> None:
    assert read_amount("1.234") == Decimal("1.234")
    with pytest.raises(InputError) as caught:
        read_amount("1.234", comma_fractions=True)
    assert caught.value.code == "ambiguous_number"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"activity": "perpetuum"}, "activity"), ({"activity": ""}, "activity"),
        ({"amount": ""}, "amount"), ({"amount": "-1"}, "amount"), ({"amount": "many"}, "amount"),
        ({"unit": "litre"}, "unit"), ({"unit": "stone"}, "unit"),
        ({"quality": "certain"}, "quality"), ({"quality": "default"}, "quality"),
        ({"share_pct": "0"}, "share_pct"),
        ({"share_pct": "101"}, "share_pct"), ({"uses": "0"}, "uses"), ({"uses": "1.5"}, "uses"),
        ({"owner": "split 120"}, "owner"), ({"owner": "nobody"}, "owner"),
        ({"category": "catering"}, "category"), ({"category": "\x00"}, "category"),
        ({"evidence": "invoice.pdf"}, "evidence"), ({"note": "x" * 201}, "note"),
        ({"own_value": "0.2"}, "own_source"), ({"own_source": "mill"}, "own_value"),
        ({"own_value": "0.2", "own_source": "x" * 201}, "own_source"),
        ({"own_value": "9999999", "own_source": "mill"}, "own_value"),
        ({"own_value": "1", "own_source": "mill", "own_doubt_pct": "x"}, "own_doubt_pct"),
    ],
)  # fmt: skip
def test_a_bad_field_is_refused_by_itself(
    factors: FactorSet, change: dict[str, str], field: str
) -> None:
    found = Reader(factors, "CN-SC").read(GOOD | change, "e")
    assert found.entry is None
    assert list(found.errors) == [field]
    assert found.errors[field].field == field
    assert "%(" not in found.errors[field].text()


def test_every_bad_field_is_named_at_once(factors: FactorSet) -> None:
    raw = {"activity": "beer", "amount": "x", "unit": "kg", "quality": "?", "uses": "-1"}
    assert set(Reader(factors, "NL").read(raw, "e").errors) == {"amount", "unit", "quality", "uses"}


def test_an_activity_without_a_factor_here_is_refused(factors: FactorSet) -> None:
    raw = {"activity": "flight_china", "amount": "900"}
    assert Reader(factors, "CN").read(raw, "e").entry
    assert "activity" in Reader(factors, "NL").read(raw, "e").errors


def test_words_of_other_languages(factors: FactorSet) -> None:
    names = {
        "电网用电": "electricity",
        "实测": "metered",
        "主办方": "organiser",
        "电力": "electricity",
    }
    raw = {
        "activity": "电网用电", "category": "电力", "amount": "１０００", "unit": "度",
        "quality": "实测", "owner": "主办方",
    }  # fmt: skip
    entry = Reader(factors, "CN-SC", names).read(raw, "e").entry
    assert entry is not None
    assert (entry.activity, entry.unit, entry.quality) == ("electricity", "kWh", "metered")
    by_label = Reader(factors, "NL").read(
        {"activity": "natural gas, by VOLUME", "amount": "1"}, "e"
    )
    assert by_label.entry is not None


@pytest.mark.parametrize(
    ("amount", "unit", "to", "wanted"),
    [("1000", "kWh", "GJ", "3.6"), ("3.6", "GJ", "kWh", "1000"),
     ("10", "mile", "vehicle-km", "16.09344"), ("2", "MWh", "kWh", "2000"),
     ("1", "m3", "litre", "1000")],
)  # fmt: skip
def test_units(amount: str, unit: str, to: str, wanted: str) -> None:
    assert converted(Decimal(amount), unit, to) == Decimal(wanted)


def test_a_passengers_kilometre_is_not_a_vehicles() -> None:
    with pytest.raises(UnitError):
        converted(Decimal(1), "passenger-km", "vehicle-km")
    assert unit_named("人公里") == "passenger-km"


def test_another_unit_changes_nothing() -> None:
    one = Entry("e", "electricity", "electricity", Decimal(1500), "kWh")
    other = replace(one, amount=Decimal("1.5"), unit="MWh")
    assert estimate([one]).own.mass_g == estimate([other]).own.mass_g


def test_a_split_entry_lies_in_both_parts() -> None:
    entry = Entry("e", "coach", "local_transport", Decimal(1000), "km", organiser_pct=Decimal(60))
    found = estimate([entry])
    whole = estimate([replace(entry, organiser_pct=Decimal(100))]).own.mass_g
    assert abs(found.own.mass_g + found.guests.mass_g - whole) <= 2  # a gram a line at most
    assert found.own.mass_g > found.guests.mass_g > 0
    assert estimate([replace(entry, organiser_pct=Decimal(0))]).own.mass_g == 0


def test_a_suppliers_value_replaces_use_and_supply() -> None:
    own = OwnValue(Decimal("2.5"), "Fuel statement", Decimal(5))
    entry = Entry("e", "diesel", "fuel_vehicles", Decimal(10), "litre", own=own)
    (line,) = estimate([entry]).own.lines
    assert (line.mass_g, line.step, line.reason) == (25000, 1, "own_value")


def test_claims_without_a_file_are_listed() -> None:
    entry = Entry("e", "electricity", "electricity", Decimal(1), "kWh", "metered")
    assert estimate([entry]).unproven == ("e",)
    assert estimate([replace(entry, evidence="a" * 64)]).unproven == ()
    assert estimate([replace(entry, quality="estimated")]).unproven == ()


@pytest.mark.parametrize(
    "change",
    [{"activity": "x"}, {"category": "waste"}, {"unit": "kg"}, {"share": Decimal(2)}, {"uses": 0},
     {"amount": Decimal(-1)}, {"organiser_pct": Decimal(101)}, {"quality": "sure"}],
)  # fmt: skip
def test_an_entry_that_no_reader_made_is_refused(change: dict[str, object]) -> None:
    entry = replace(Entry("e", "electricity", "electricity", Decimal(1), "kWh"), **change)
    with pytest.raises(EntryBrokenError):
        estimate([entry])


def test_two_entries_may_not_share_a_key() -> None:
    entry = Entry("e", "electricity", "electricity", Decimal(1), "kWh")
    with pytest.raises(EntryBrokenError):
        estimate([entry, entry])


@given(LISTS)
def test_any_entries_give_a_sound_estimate_that_replays(entries: list[Entry]) -> None:
    found = estimate(entries)
    own = found.own
    assert own.adds_up()
    assert 0 <= own.low_g <= own.mass_g <= own.high_g
    assert sum(found.by_category().values()) == own.mass_g
    assert sum(found.by_nzce().values()) == own.mass_g
    assert sum(found.by_group().values()) == own.mass_g
    assert type(own).from_json(own.to_json()) == own
    assert canonical_json(own.to_json())
    assert compute.replay(own.inputs, newest()) == own


@given(LISTS, st.integers(0, 7), st.sampled_from(["metered", "invoiced", "estimated"]))
def test_better_data_never_widen(entries: list[Entry], at: int, quality: str) -> None:
    at %= len(entries)
    if QUALITY_PCT[quality] > QUALITY_PCT[entries[at].quality]:
        return
    better = [*entries[:at], replace(entries[at], quality=quality), *entries[at + 1 :]]
    before, after = estimate(entries).own, estimate(better).own
    assert after.mass_g == before.mass_g
    assert before.low_g <= after.low_g
    assert after.high_g <= before.high_g
    assert Decimal(after.doubt_pct) <= Decimal(before.doubt_pct)
    words = ["high", "fair", "rough"]
    assert words.index(after.word) <= words.index(before.word)


def test_the_low_end_stays_where_a_symmetric_interval_would_drop() -> None:
    # By m1's rule for guests the first is a factor range, the second symmetric and lower.
    def of(quality: str) -> compute.Inventory:
        one = OwnValue(Decimal(1), "one", Decimal(58))
        other = OwnValue(Decimal(1), "other", Decimal(50))
        entry = Entry("a", "electricity", "electricity", Decimal(36), "kWh", quality, own=one)
        rest = replace(entry, key="b", amount=Decimal(64), quality="metered", own=other)
        return estimate([entry, rest])

    before, after = of("default").own, of("metered").own
    assert (before.doubt_pct, after.doubt_pct) == ("44.0", "38.4")
    assert 100_000 * (1 - Decimal(after.doubt_pct) / 100) < before.low_g < after.low_g


@given(LISTS, st.integers(1, 1000))
def test_more_of_anything_is_never_less(entries: list[Entry], more: int) -> None:
    larger = [replace(entries[0], amount=entries[0].amount + more), *entries[1:]]
    assert estimate(larger).own.mass_g >= estimate(entries).own.mass_g


@given(LISTS)
def test_the_order_of_entries_changes_nothing(entries: list[Entry]) -> None:
    one, other = estimate(entries).own, estimate(entries[::-1]).own
    for name in ("mass_g", "low_g", "high_g", "doubt_pct", "word"):
        assert getattr(one, name) == getattr(other, name)


@given(LISTS)
def test_the_ranked_list_keeps_its_word(entries: list[Entry]) -> None:
    found = estimate(entries)
    ranked = found.narrowing()
    doubts = [Decimal(item.doubt_pct) for item in ranked]
    assert doubts == sorted(doubts)
    now = Decimal(found.own.doubt_pct)
    assert all(doubt <= now for doubt in doubts)
    for item in ranked:
        assert item.advice in narrowing.ADVICE
        if item.advice != "amount":
            continue
        # Doing what it says gives the doubt it promised.
        done = [replace(e, quality="metered") if e.key == item.key else e for e in entries]
        assert abs(Decimal(estimate(done).own.doubt_pct) - Decimal(item.doubt_pct)) <= Decimal(
            "0.1"
        )


def test_the_parts_of_the_variance_make_a_whole() -> None:
    entries = [
        Entry("a", "diesel", "fuel_site", Decimal(900), "litre", "default"),
        Entry("b", "diesel", "fuel_vehicles", Decimal(300), "litre"),
        Entry("c", "meal_buffet", "catering", Decimal(500), "meal"),
    ]
    parts = [Decimal(item.variance_pct) for item in estimate(entries).narrowing()]
    assert abs(sum(parts) - 100) <= Decimal("0.5")
    best = estimate(entries).narrowing()[0]
    assert (best.key, best.advice) == ("c", "factor")


def test_nothing_can_be_narrowed_in_nothing() -> None:
    assert narrowing.ranked([]) == ()


def test_litres_err_once_for_the_fuel_and_its_supply() -> None:
    own = estimate([Entry("a", "diesel", "fuel_site", Decimal(1000), "litre", "default")]).own
    # Use 2661.55 kg at 15 % and supply 624.09 at 60 % (stand-ins), one error of 60 % in both.
    use, supply = Decimal("2661.55"), Decimal("624.09")
    square = (use * 15) ** 2 + (supply * 60) ** 2 + ((use + supply) * 60) ** 2
    assert own.doubt_pct == f"{square.sqrt() / (use + supply):.1f}"


def test_the_debt_is_never_below_zero() -> None:
    assert ownership.debt_g(1000, 300) == 700
    assert ownership.debt_g(1000, 3000) == 0
    assert ownership.site_without_matched_rooms_g(500, 53) == 447
    with pytest.raises(ValueError, match="negative"):
        ownership.debt_g(-1, 0)
