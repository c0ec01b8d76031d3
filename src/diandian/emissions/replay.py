"""Computes an estimate again from what it carries itself, and names every digit that differs.

Nothing but the document is needed: its inputs with the places they name, its method version and
its factor set, which this release holds frozen. Methods stand side by side: one may be closed for
new scenes and is never taken away. An estimate that names no place, such as one of a rough
distance, needs no table of places: country and region of the scene stand in its inputs.
*Source:* methodology, section 12.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from diandian.emissions.bare_lines import AS_CONVERTED
from diandian.emissions.context import SceneContext
from diandian.emissions.errors import UnknownFactorSetError
from diandian.emissions.estimate import estimate_lines
from diandian.emissions.factor_set import factor_set
from diandian.emissions.geo import is_key, place
from diandian.emissions.geo_table import edition
from diandian.emissions.inventory import compute as inventory
from diandian.emissions.life import calculator, detailed, diary
from diandian.emissions.pinned import pin, unpin
from diandian.emissions.scene_kind import scene_kind
from diandian.emissions.scene_kinds.other.composed import compose
from diandian.kernel.errors import N_, DiandianError, Fixer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from diandian.emissions.estimate import Estimate
    from diandian.emissions.factor_set import FactorSet

Inputs = Mapping[str, Any]
Sets = Callable[[str], "FactorSet"]

# What must come out the same. Words (labels, names of places, advice) may change with a release.
WHOLE = (
    "mass_g",
    "low_g",
    "high_g",
    "without_non_co2_g",
    "doubt_pct",
    "word",
    "interval_form",
    "factor_set_id",
    "factor_set_sha256",
    "method_version",
    "rounding",
)
NUMBERS = (  # written as text; 7.50 and 7.5 are one number
    "activity_amount",
    "value",
    "share",
    "uncertainty_activity_pct",
    "uncertainty_factor_pct",
    "uncertainty_distance_pct",
)
PER_LINE = (
    "key",
    "category",
    "unit",
    "factor_id",
    "factor_region",
    "factor_set",
    "mass_g",
    "without_non_co2_g",
    "quality",
    "assumed",
    "step",
    "reason",
    *NUMBERS,
)
LONGEST, LARGEST = 80, 10**15  # characters and places before or after the point; a whole number
_NUMBER = re.compile(r"[-+]?[\d.]+([eE][-+]?\d+)?\Z")
_BROKEN = (DiandianError, LookupError, TypeError, ValueError, ArithmeticError, AttributeError)


class NothingToReplayError(DiandianError):
    """A lump sum: nothing was estimated."""

    code = "nothing_to_replay"
    message = N_(
        "This document holds no estimate, only a mass that somebody chose. Nothing was computed."
    )
    fixer = Fixer.CUSTOMER


class InputsAbsentError(DiandianError):
    """The answers were erased with their person, or stayed with them from the beginning."""

    code = "inputs_absent"
    message = N_(
        "The answers behind this estimate are not in the document: they were erased, or stay with"
        " the person. So it cannot be computed again; only its sums can be checked."
    )
    fixer = Fixer.CUSTOMER


class UnknownMethodError(DiandianError):
    """Made by a later release, or not by this product."""

    code = "unknown_method"
    message = N_(
        "This release does not know method “%(method)s”. Nothing was computed. Please use the"
        " release that made the document, or a newer one."
    )
    fixer = Fixer.CUSTOMER


class UnknownEditionError(DiandianError):
    """An edition of factors that this release does not hold."""

    code = "unknown_edition"
    message = N_(
        "This release does not hold the factors “%(edition)s”. Nothing was computed. Please use"
        " the release that made the document, or a newer one."
    )
    fixer = Fixer.CUSTOMER


class OtherPlacesError(DiandianError):
    """An estimate that names an edition of places but carries none of them."""

    code = "other_places"
    message = N_(
        "This document rests on the places of edition “%(edition)s” and does not carry them; this"
        " release holds another edition. Nothing was computed. Please use the release that made it."
    )
    fixer = Fixer.CUSTOMER


class NotReplayableError(DiandianError):
    """The document has another shape than ours, or its inputs do not fit its method."""

    code = "not_replayable"
    message = N_("This document cannot be computed again: %(why)s. Please check which file it is.")
    fixer = Fixer.CUSTOMER


_REFUSALS = (InputsAbsentError, UnknownMethodError, UnknownEditionError, OtherPlacesError)


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that did not come out as stated. ``where``: such as "lines.2.value"."""

    where: str
    stated: str
    computed: str

    def __str__(self) -> str:
        """Return both values in one line."""
        return f"{self.where}: stated {self.stated}, computed {self.computed}"


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came out. ``places``: how they were known, "carried", "table" or "none" were named."""

    estimate: Estimate
    differences: tuple[Difference, ...]
    places: str

    @property
    def same(self) -> bool:
        """Tell whether every compared value came out as stated."""
        return not self.differences


def estimate_of(document: object) -> Mapping[str, Any]:
    """Return the estimate inside a signed certificate, a certificate record, or itself.

    Raises: NothingToReplayError, NotReplayableError.
    """
    found = document
    for name in ("credentialSubject", "estimate"):
        if isinstance(found, Mapping) and name in found:
            found = found[name]
            if found is None:
                raise NothingToReplayError
    if not isinstance(found, Mapping) or not {"lines", "inputs"} <= set(found):
        raise NotReplayableError(why="it holds no estimate")
    return found


def again(inputs: Inputs, factors: FactorSet) -> Estimate:
    """Return the estimate that stored inputs give with a factor set, by that set's method.

    With the estimate's own set the grams are the same for ever; with another one this answers what
    the same visit would be by other factors. Raises: UnknownMethodError, OtherPlacesError, and
    whatever inputs raise that do not fit (``replay`` turns those into NotReplayableError).
    """
    method = METHODS.get(factors.method_version)
    if method is None:
        raise UnknownMethodError(method=factors.method_version[:20])
    return method(inputs, factors)


def _by_lines(inputs: Inputs, factors: FactorSet) -> Estimate:
    """Compute lines, and the interval as the set's method makes it (``uncertainty.INTERVALS``)."""
    if "lines" in inputs:
        return estimate_lines(factors, inputs["lines"], finest=AS_CONVERTED)
    if inputs["kind"] == inventory.KIND:
        return inventory.replay(inputs, factors)
    if inputs["kind"] in LIVES:
        return LIVES[inputs["kind"]](inputs, factors)
    kind = scene_kind(inputs["kind"])
    if "composed" in inputs:
        kind = compose(inputs["composed"], factors, inputs["region"])
    return kind.compute(_context(inputs), inputs["answers"], factors)


LIVES = {calculator.KIND: detailed.again, diary.KIND: diary.again}
# One computation for both, since m2 changed the interval alone and every gram came to stay.
METHODS: dict[str, Callable[[Inputs, FactorSet], Estimate]] = {"m1": _by_lines, "m2": _by_lines}


def _context(inputs: Inputs) -> SceneContext:
    carried = inputs.get("places", {})
    if _names_places(inputs) and not carried and inputs["geo"] != edition()["id"]:
        raise OtherPlacesError(edition=str(inputs["geo"])[:20])
    return SceneContext(
        city_key=inputs["city"],
        region=inputs["region"],
        country=inputs["country"],
        non_co2=inputs["non_co2"],
        pinned={key: unpin(key, stored) for key, stored in carried.items()},
    )


def _names_places(inputs: Inputs) -> bool:
    """Tell whether an answer is a place; a rough distance is none."""
    answers = inputs.get("answers", {})
    return any(is_key(value) for value in answers.values() if isinstance(value, str))


def replay(stated: Mapping[str, Any], sets: Sets = factor_set) -> Replayed:
    """Compute a stored estimate again and compare, to the gram and to the last digit.

    ``sets``: finds a factor set by its id. Raises: InputsAbsentError, UnknownMethodError,
    UnknownEditionError, OtherPlacesError, NotReplayableError.
    """
    try:
        inputs, factors = _fixed_by(stated, sets)
        computed = again(inputs, factors)
        found = (*_differences(stated, computed.to_json()), *_moved_places(inputs))
        places = _places(inputs)
    except _REFUSALS:
        raise
    except _BROKEN as error:
        why = f"its inputs do not fit ({type(error).__name__}: {str(error)[:120]})"
        raise NotReplayableError(why=why) from error
    return Replayed(computed, found, places)


def _fixed_by(stated: Mapping[str, Any], sets: Sets) -> tuple[Inputs, FactorSet]:
    """Return what fixes an estimate: its inputs and its factor set, of a method that is known."""
    inputs, method, edition_id = (
        stated[name] for name in ("inputs", "method_version", "factor_set_id")
    )
    if not inputs:
        raise InputsAbsentError
    _require_measure(inputs)
    if method not in METHODS:
        raise UnknownMethodError(method=str(method)[:20])
    try:
        return inputs, sets(edition_id).by_method(method)
    except UnknownFactorSetError:
        raise UnknownEditionError(edition=str(edition_id)[:20]) from None


def _require_measure(value: object) -> None:
    """Refuse numbers that no visit has and that would fill the memory. Raises: ValueError."""
    if isinstance(value, Mapping):
        for part in value.values():
            _require_measure(part)
    elif isinstance(value, list | tuple):
        for part in value:
            _require_measure(part)
    elif _beyond_measure(value):
        raise ValueError("a number is out of all measure")


def _beyond_measure(value: object) -> bool:
    if isinstance(value, int):
        return abs(value) > LARGEST
    if not isinstance(value, str) or not _NUMBER.match(value):
        return False
    return len(value) > LONGEST or abs(Decimal(value).adjusted()) > LONGEST


def _places(inputs: Inputs) -> str:
    if "places" in inputs:
        return "carried"
    return "table" if _names_places(inputs) else "none"


def _differences(stated: Mapping[str, Any], computed: Mapping[str, Any]) -> tuple[Difference, ...]:
    found = list(_unlike("", stated, computed, WHOLE))
    one, other = stated["lines"], computed["lines"]
    if len(one) != len(other):
        found.append(Difference("lines", f"{len(one)} lines", f"{len(other)} lines"))
    for number, (left, right) in enumerate(zip(one, other, strict=False)):
        found += _unlike(f"lines.{number}.", left, right, PER_LINE)
    return tuple(found)


def _unlike(
    where: str, one: Mapping[str, Any], other: Mapping[str, Any], names: Iterable[str]
) -> Iterator[Difference]:
    for name in names:
        left, right = one[name], other[name]
        same = Decimal(left) == Decimal(right) if name in NUMBERS else left == right
        if not same:
            yield Difference(f"{where}{name}", str(left), str(right))


def _moved_places(inputs: Inputs) -> tuple[Difference, ...]:
    """Compare carried places with the table, where it is the edition that they came from."""
    head = edition()
    if (inputs.get("geo"), inputs.get("geo_sha256")) != (head["id"], head["places_sha256"]):
        return ()
    return tuple(
        Difference(f"inputs.places.{key}", str(dict(stored)), str(pin(place(key))))
        for key, stored in inputs["places"].items()
        if dict(stored) != pin(place(key))
    )
