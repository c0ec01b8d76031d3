"""Computes a certificate of a year of life again: from what it carries, or from one's own answers.

Such a certificate states five sums. Where the person asked for it, it carries the estimate behind
them, and the file is enough; else the person's own link or saved file gives the same sums again.
*Source:* methodology, section 12; decision 0023.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from diandian.emissions.errors import UnknownFactorSetError
from diandian.emissions.estimate import CARRIED
from diandian.emissions.factor_set import factor_set
from diandian.emissions.life.calculator import KIND
from diandian.emissions.life.certified import certified
from diandian.emissions.replay import (
    METHODS,
    WHOLE,
    Difference,
    InputsAbsentError,
    NotReplayableError,
    Replayed,
    Sets,
    UnknownEditionError,
    UnknownMethodError,
    replay,
)

if TYPE_CHECKING:
    from diandian.emissions.estimate import Estimate
    from diandian.emissions.life.own_answers import OwnAnswers

Stated = Mapping[str, Any]


def replay_year(
    stated: Stated, answers: OwnAnswers | None = None, sets: Sets = factor_set
) -> Replayed:
    """Compute a certified year again and compare its sums and its range, to the gram.

    ``answers``: the person's own; without them the certificate must carry the estimate, which is
    then compared to its last digit too. Raises: NotAnswersError, and what ``replay`` raises.
    """
    carried = stated.get(CARRIED)
    if answers is not None:
        year = _by_answers(stated, answers, sets)
        return Replayed(year, _sums_that_differ(stated, year), "none")
    if not isinstance(carried, Mapping):
        raise InputsAbsentError
    _require_year(carried)
    again = replay(carried, sets)
    named = (
        Difference(f"{CARRIED}.{each.where}", each.stated, each.computed)
        for each in again.differences
    )
    found = (*_sums_that_differ(stated, again.estimate), *named)
    return Replayed(again.estimate, found, "none")


def _require_year(carried: Stated) -> None:
    inputs = carried.get("inputs")
    if not isinstance(inputs, Mapping) or inputs.get("kind") != KIND:
        raise NotReplayableError(why="what it carries is no year of life")


def _by_answers(stated: Stated, answers: OwnAnswers, sets: Sets) -> Estimate:
    method, edition = stated.get("method_version"), stated.get("factor_set_id")
    if method not in METHODS:
        raise UnknownMethodError(method=str(method)[:20])
    try:
        factors = sets(str(edition))
    except UnknownFactorSetError:
        raise UnknownEditionError(edition=str(edition)[:20]) from None
    return answers.estimate(factors)


def _sums_that_differ(stated: Stated, year: Estimate) -> tuple[Difference, ...]:
    computed = certified(year)
    try:
        sums = {line["key"]: line["mass_g"] for line in stated["lines"]}
        pairs = [(name, stated[name], computed[name]) for name in WHOLE]
    except (LookupError, TypeError) as error:
        why = f"its sums cannot be read ({type(error).__name__})"
        raise NotReplayableError(why=why) from error
    right = {line["key"]: line["mass_g"] for line in computed["lines"]}
    keys = dict.fromkeys((*sums, *right))
    pairs += [(f"lines.{key}", sums.get(key, 0), right.get(key, 0)) for key in keys]
    return tuple(Difference(name, str(one), str(two)) for name, one, two in pairs if one != two)
