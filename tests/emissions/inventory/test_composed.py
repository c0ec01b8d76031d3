"""Composed questions: data in, a kind of scene out, computed as any other."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from diandian.emissions.activity import parse
from diandian.emissions.estimate import Estimate
from diandian.emissions.factor_set import FactorSet, factor_sets
from diandian.emissions.inventory.activities import ACTIVITIES
from diandian.emissions.inventory.activity import known_at
from diandian.emissions.inventory.errors import ComposedError
from diandian.emissions.replay import replay
from diandian.emissions.scene_kind import SceneContext
from diandian.emissions.scene_kinds.other.composed import compose

pytestmark = pytest.mark.pure

SHUTTLE = {
    "activity": "coach",
    "labels": {"en": "Kilometres by shuttle, 100% shared", "zh-Hans": "接驳车公里数"},
    "unit": "km",
    "default": "12",
    "maximum": "200",
}
LUNCH = {"activity": "meal_vegetarian", "labels": {"nl": "Hoeveel lunches?"}, "default": "1"}


def answered(
    data: dict[str, Any], factors: FactorSet, context: SceneContext, raw: dict[str, str]
) -> Estimate:
    kind = compose(data, factors, context.region)
    parsed = parse(kind.questions(context), raw)
    assert not parsed.errors
    return kind.compute(context, parsed.values, factors)


def test_answers_are_computed(factors: FactorSet, chengdu: SceneContext) -> None:
    data = {"questions": [SHUTTLE, LUNCH]}
    found = answered(data, factors, chengdu, {"own0": "50 公里", "own1": "2"})
    # 50 x 0.0317 = 1.585; its fuel 50 x 0.00656 = 0.328; 2 x 0.85 = 1.7
    assert {line.key: line.mass_g for line in found.lines} == {
        "own0.coach": 1585,
        "own0.coach.wtt": 328,
        "own1.meal_vegetarian": 1700,
    }
    assert found.adds_up()
    assert Estimate.from_json(found.to_json()) == found
    assert all(line.label % line.params_in("nl") for line in found.lines)


def test_not_knowing_takes_the_default(factors: FactorSet, chengdu: SceneContext) -> None:
    data = {"questions": [SHUTTLE]}
    for raw in ({}, {"own0": "unknown"}):
        found = answered(data, factors, chengdu, raw)
        assert found.lines[0].mass_g == 380  # 12 x 0.0317 = 0.3804
        assert found.lines[0].assumed
        assert found.lines[0].uncertainty_activity_pct == 60
    known = answered(data, factors, chengdu, {"own0": "12"})
    assert known.mass_g == found.mass_g
    assert float(known.doubt_pct) < float(found.doubt_pct)


def test_the_composition_is_stored_and_computes_again(
    factors: FactorSet, chengdu: SceneContext
) -> None:
    data = {"keep": ["stay", "travel"], "questions": [SHUTTLE]}
    raw = {"from": "西安", "mode": "train", "nights": "1", "stay": "mid", "own0": "30"}
    found = answered(data, factors, chengdu, raw)
    stored = found.inputs["composed"]
    assert stored["keep"] == ["travel", "stay"]
    again = answered(stored, factors, chengdu, raw)
    assert again == found
    assert not replay(found.to_json()).differences
    assert found.mass_g == 36629 + 13340 + 951 + 197


def test_words_follow_the_language(factors: FactorSet, chengdu: SceneContext) -> None:
    data = {"questions": [SHUTTLE, LUNCH]}
    labels = [
        question.label
        for question in compose(data, factors, "CN-SC", language="zh-Hans").questions(chengdu)
    ]
    assert labels == ["接驳车公里数", "Hoeveel lunches?"]


def bad() -> Iterator[Any]:
    yield None, ""
    yield [], ""
    yield {}, "questions"
    yield {"questions": []}, "questions"
    yield {"questions": [SHUTTLE] * 5}, "questions"
    yield {"questions": [SHUTTLE], "keep": ["sleep"]}, "keep"
    yield {"questions": [SHUTTLE], "keep": "travel"}, "questions"
    yield {"questions": [SHUTTLE], "keep": [["travel"]]}, "keep"
    yield {"questions": ["coach"]}, "questions.0"
    for name, value in (
        ("activity", "r410a"), ("activity", "x"), ("activity", ["coach"]), ("activity", None),
        ("labels", {}), ("labels", "x"), ("labels", {"en": " "}), ("labels", {"en": "x" * 121}),
        ("labels", {"en": "a\nb"}), ("labels", {"en": 7}), ("labels", {"fr": "x"}),
        ("unit", "kg"), ("unit", 3), ("unit", "vehicle-km"),
        ("default", None), ("default", "201"), ("default", "-1"), ("default", 12),
        ("default", "x"), ("maximum", "0"), ("maximum", "1e9"), ("maximum", True),
    ):  # fmt: skip
        yield {"questions": [LUNCH, SHUTTLE | {name: value}]}, f"questions.1.{name}"


@pytest.mark.parametrize(("data", "field"), list(bad()))
def test_bad_compositions_are_refused_at_their_field(
    factors: FactorSet, data: Any, field: str
) -> None:
    with pytest.raises(ComposedError) as caught:
        compose(data, factors, "CN-SC")
    assert caught.value.field == field
    assert "%(" not in caught.value.text()


def test_a_factor_must_exist_here(factors: FactorSet) -> None:
    flight = {"activity": "flight_china", "labels": {"en": "Flown"}, "default": "0"}
    compose({"questions": [flight]}, factors, "CN-SC")
    with pytest.raises(ComposedError):
        compose({"questions": [flight]}, factors, "NL")


@pytest.mark.parametrize("region", ["CN-SC", "NL"])
def test_every_activity_for_guests_can_be_asked(chengdu: SceneContext, region: str) -> None:
    context = replace(chengdu, region=region, country=region[:2])
    for factors in factor_sets():
        for activity in ACTIVITIES.values():
            if not activity.guest or not known_at(activity, factors, region):
                continue
            question = {"activity": activity.key, "labels": {"en": "How much?"}, "default": "3"}
            found = answered({"questions": [question]}, factors, context, {"own0": "2.5"})
            assert found.adds_up()
            assert found.lines[0].mass_g >= 0
