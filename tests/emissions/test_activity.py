"""Answers: understood or refused at their own field, the others kept."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diandian.emissions.activity import UNKNOWN, Choice, Question, parse
from diandian.emissions.errors import (
    AmbiguousPlaceError,
    AnswerMissingError,
    NotANumberError,
    NotWholeError,
    OutOfRangeError,
    TooLongError,
    UnknownChoiceError,
    UnknownPlaceError,
)
from diandian.emissions.scene_kind import SceneContext, scene_kind, scene_kinds
from diandian.kernel.errors import InputError

pytestmark = pytest.mark.pure

NIGHTS = Question("nights", "number", "Nights", unit="night", maximum=Decimal(60), default=0)
KM = Question("km", "number", "km", unit="km", maximum=Decimal(10000), whole=False, default="0")
KG = Question("kg", "number", "kg", unit="kg", maximum=Decimal(200), whole=False, default="0")
PEOPLE = Question("people", "number", "People", unit="person", minimum=Decimal(1),
                  maximum=Decimal(9), default=1)  # fmt: skip


@pytest.mark.parametrize(
    ("question", "typed", "value"),
    [
        (NIGHTS, "2", 2), (NIGHTS, "２", 2), (NIGHTS, "2 晚", 2), (NIGHTS, "２晚", 2),
        (NIGHTS, "两晚", 2), (NIGHTS, "3 nights", 3), (NIGHTS, "1 nacht", 1), (NIGHTS, "", 0),
        (NIGHTS, "2.0", 2), (NIGHTS, " 十 ", 10), (PEOPLE, "3人", 3), (PEOPLE, "4 personen", 4),
        (KM, "120 km", "120"), (KM, "１２０公里", "120"), (KM, "1,200", "1200"),
        (KM, "12,5", "12.5"), (KM, "10 miles", "16.093"), (KM, "0.0005", "0.001"),
        (KM, "+5", "5"), (KM, ".5", "0.5"), (KG, "2斤", "1"), (KG, "500 g", "0.5"),
        (KG, "1.5公斤", "1.5"),
    ],
)  # fmt: skip
def test_numbers_as_people_type_them(question: Question, typed: str, value: int | str) -> None:
    assert parse([question], {question.key: typed}).values == {question.key: value}


@pytest.mark.parametrize(
    ("question", "typed", "error"),
    [
        (NIGHTS, "-1", OutOfRangeError), (NIGHTS, "－1", OutOfRangeError),
        (NIGHTS, "61", OutOfRangeError), (NIGHTS, "9" * 30, OutOfRangeError),
        (NIGHTS, "9" * 41, TooLongError), (NIGHTS, "1e9", NotANumberError),
        (NIGHTS, "two", NotANumberError), (NIGHTS, "2.5", NotWholeError),
        (NIGHTS, "nan", NotANumberError), (NIGHTS, "inf", NotANumberError),
        (NIGHTS, "2 km", NotANumberError), (NIGHTS, "²", NotWholeError),
        (NIGHTS, "٣", NotANumberError), (NIGHTS, "2;3", NotANumberError),
        (NIGHTS, "三十", NotANumberError), (NIGHTS, "0x10", NotANumberError),
        (KM, "1,2,3", NotANumberError), (KM, "--5", NotANumberError), (KM, "5 里", NotANumberError),
        (PEOPLE, "0", OutOfRangeError), (PEOPLE, "半", OutOfRangeError),
    ],
)  # fmt: skip
def test_what_is_no_number_is_refused(
    question: Question, typed: str, error: type[InputError]
) -> None:
    parsed = parse([question], {question.key: typed})
    if typed == "²":  # NFKC makes it a plain 2, which is a number
        assert parsed.values == {"nights": 2}
        return
    assert isinstance(parsed.errors[question.key], error)
    assert parsed.errors[question.key].field == question.key
    assert question.key not in parsed.values


@given(st.text(max_size=50))
def test_any_text_is_a_bounded_number_or_an_error(typed: str) -> None:
    parsed = parse([KM], {"km": typed})
    assert len(parsed.values) + len(parsed.errors) == 1
    for value in parsed.values.values():
        assert 0 <= Decimal(value) <= 10000
    for error in parsed.errors.values():
        assert error.text()


@given(st.decimals(0, 9999, places=3))
def test_a_plain_number_is_read_as_itself(amount: Decimal) -> None:
    value = parse([KM], {"km": f"{amount:f}"}).values["km"]
    assert Decimal(value) == amount


def test_each_field_has_its_own_error_and_the_rest_is_kept() -> None:
    context = SceneContext("geonames:1815286", "CN-SC", "CN")
    raw = {"from": "Suzhou", "mode": "teleport", "nights": "2", "stay": "mid"}
    parsed = parse(scene_kind("conference").questions(context), raw)
    assert isinstance(parsed.errors["from"], AmbiguousPlaceError)
    assert isinstance(parsed.errors["mode"], UnknownChoiceError)
    assert parsed.values["nights"] == 2
    assert parsed.values["stay"] == "mid"


def test_nothing_answered_asks_for_what_has_no_default() -> None:
    context = SceneContext("geonames:1815286", "CN-SC", "CN")
    parsed = parse(scene_kind("conference").questions(context), {})
    assert set(parsed.errors) == {"from", "mode"}
    assert all(isinstance(error, AnswerMissingError) for error in parsed.errors.values())


def test_living_here_needs_no_city() -> None:
    context = SceneContext("geonames:1815286", "CN-SC", "CN")
    raw = {"live_here": "on", "from": "nonsense", "mode": "metro"}
    parsed = parse(scene_kind("conference").questions(context), raw)
    assert not parsed.errors
    assert "from" not in parsed.values


def test_answers_to_hidden_questions_are_dropped() -> None:
    context = SceneContext("geonames:1815286", "CN-SC", "CN")
    raw = {"from": "西安", "mode": "train", "occupants": "99", "cabin": "first"}
    parsed = parse(scene_kind("conference").questions(context), raw)
    assert not parsed.errors
    assert not {"occupants", "cabin", "stay"} & set(parsed.values)


def test_dont_know_only_where_it_is_offered() -> None:
    yes = Question("a", "choice", "A", (Choice("x", "X"),), unknown_allowed=True)
    no = Question("a", "choice", "A", (Choice("x", "X"),))
    assert parse([yes], {"a": UNKNOWN}).values == {"a": UNKNOWN}
    assert isinstance(parse([no], {"a": UNKNOWN}).errors["a"], UnknownChoiceError)


HOSTILE = ["'; DROP TABLE x;--", "<script>alert(1)</script>", "\x00", "../../etc/passwd", "🚄" * 30,
           "%s%s%n", "{{7*7}}", "９" * 39, "\u202e成都", "NaN", "-0", "1" * 5000]  # fmt: skip


@pytest.mark.parametrize("typed", HOSTILE)
@pytest.mark.parametrize("key", sorted(scene_kinds()))
def test_hostile_texts_never_break_anything(key: str, typed: str) -> None:
    context = SceneContext("geonames:1815286", "CN-SC", "CN")
    questions = scene_kind(key).questions(context)
    parsed = parse(questions, {question.key: typed for question in questions})
    for error in parsed.errors.values():
        assert error.text()
        assert len(error.text()) < 400


def test_an_unknown_city_keeps_its_suggestions() -> None:
    question = Question("from", "place", "From")
    error = parse([question], {"from": "Chengduxx"}).errors["from"]
    assert isinstance(error, UnknownPlaceError)
    assert error.field == "from"
    assert error.suggestions[0].name("en") == "Chengdu"
