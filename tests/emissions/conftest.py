"""Scenes and factor sets that the calculator's tests share."""

import pytest

from diandian.emissions.factor_set import FactorSet, newest
from diandian.emissions.scene_kind import SceneContext


@pytest.fixture
def chengdu() -> SceneContext:
    return SceneContext("geonames:1815286", "CN-SC", "CN")


@pytest.fixture
def factors() -> FactorSet:
    return newest()
