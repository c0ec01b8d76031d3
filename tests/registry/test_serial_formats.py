"""Every numbering keeps one contract, and reads exactly what its registry writes."""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diandian.registry.errors import SerialFormatError
from diandian.registry.serials import format_range, format_serial, numberings, parse

pytestmark = pytest.mark.pure
KEYS = sorted(numberings())
SAMPLES = Path(__file__).parent / "samples"
VERRA = "0001-000001-000100-VCS-VCU-003-VER-US-0003-01012020-31122020-1"


@dataclass
class Block:
    first: int
    last: int
    raw: str
    numbering: str


def stored(found):
    return Block(found.first, found.last, found.raw, found.numbering)


def test_the_numberings_that_are_here():
    assert KEYS == ["acr", "car", "ccer", "cdcer", "generic", "gold_standard", "verra"]


@pytest.mark.parametrize("key", KEYS)
def test_a_numbering_reads_its_example_and_writes_it_back(key):
    example = numberings()[key].EXAMPLE
    found = parse(key, example)
    block = stored(found)
    assert format_range(block, found.first, found.last) == example
    for number in (found.first, found.last):
        one = parse(key, format_range(block, number, number))
        assert (one.prefix, one.first, one.last) == (found.prefix, number, number)
        assert str(number) in format_serial(block, number)


@pytest.mark.parametrize("key", KEYS)
@given(data=st.data())
def test_every_part_of_a_block_reads_back_as_itself(key, data):
    found = parse(key, numberings()[key].EXAMPLE)
    first = data.draw(st.integers(found.first, found.last))
    last = data.draw(st.integers(first, found.last))
    part = parse(key, format_range(stored(found), first, last))
    assert (part.prefix, part.first, part.last) == (found.prefix, first, last)
    assert part.count == last - first + 1


@pytest.mark.parametrize("key", KEYS)
@given(text=st.text(max_size=400))
def test_whatever_is_sent_is_read_or_refused(key, text):
    try:
        found = parse(key, text)
    except SerialFormatError:
        return
    assert 1 <= found.first <= found.last
    assert len(found.raw) <= 300
    assert "\n" not in found.raw


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text + "'; DROP TABLE registry_serialblock; --",
        lambda text: text.replace("1", "١"),  # an Arabic digit
        lambda text: text.replace("1", "①"),
        lambda text: text + "\x00",
        lambda text: text + "-NaN",
        lambda text: "=" + text,
        lambda text: text[:-1] + "9" * 400,
    ],
)
def test_what_only_resembles_a_serial_is_refused(key, spoil):
    with pytest.raises(SerialFormatError) as refusal:
        parse(key, spoil(numberings()[key].EXAMPLE))
    assert len(refusal.value.text()) < 400


def read_samples():
    for path in sorted(SAMPLES.glob("serials-*.json")):
        for row in json.loads(path.read_text(encoding="utf-8"))["rows"]:
            yield pytest.param(path.stem.removeprefix("serials-"), row, id=row["serials"])


@pytest.mark.parametrize(("key", "row"), list(read_samples()))
def test_a_sample_has_the_quantity_its_registry_states(key, row):
    found = parse(key, row["serials"])
    assert found.count == row["quantity"]
    assert found.stated.vintage_year == row.get("vintage_year")
    assert found.stated.project == row.get("project", "")


def test_a_verra_serial_states_project_country_and_period():
    found = parse("verra", VERRA)
    assert (found.first, found.last, found.count) == (1, 100, 100)
    assert found.stated.period == (date(2020, 1, 1), date(2020, 12, 31))
    assert (found.stated.project, found.stated.country) == ("0003", "US")
    assert format_serial(stored(found), 42) == VERRA.replace("000001-000100", "000042-000042")


def test_another_ending_is_no_other_verra_unit():
    """The last digit is a label: whoever types it wrongly does not get the units twice."""
    other = VERRA[:-1] + "0"
    assert parse("verra", VERRA).overlaps(parse("verra", other))
    assert parse("verra", VERRA).overlaps(parse("verra", VERRA.replace("0001-", "1-", 1)))
    assert not parse("verra", VERRA).overlaps(parse("verra", VERRA.replace("0001-", "0002-", 1)))


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("verra", VERRA.replace("31122020", "31022020")),  # no such day
        ("verra", VERRA.replace("000001-000100", "000100-000001")),
        ("verra", VERRA.replace("000001", "000000")),
        ("verra", "CDCER-2025-000001~000120"),
        ("gold_standard", "GS1-1-PA-GS2940-22-2023-28803-38588-38582"),
        ("gold_standard", "GS1-1-PA-GS2940-22-2023-28803-38582"),
        ("car", "CAR-1-US-293-1-120-CA-2006-102-1-29251"),
        ("acr", "ACR-US-192-2010-203-1"),
    ],
)
def test_what_is_not_of_a_registrys_form_is_refused(key, text):
    with pytest.raises(SerialFormatError):
        parse(key, text)
