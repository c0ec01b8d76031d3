"""What the calculator refuses, and how it says so.

Every refusal of an answer names its field, so that the words stand beside it and the other
answers are kept. A missing factor is refused, never replaced by zero.
*Source:* methodology, section 2, step 5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from diandian.kernel.errors import N_, DiandianError, Fixer, InputError, NotFoundError

if TYPE_CHECKING:
    from diandian.emissions.place import Place


class AnswerMissingError(InputError):
    """A question without a default has no answer."""

    code = "answer_missing"
    message = N_("This answer is missing. Please fill it in, or choose “don't know”.")


class NotANumberError(InputError):
    """A text cannot be read as a number for certain."""

    code = "not_a_number"
    message = N_("“%(given)s” is not a number we can read. Please type digits, such as 2 or 120.")


class NotWholeError(InputError):
    """A count has a fraction."""

    code = "not_whole"
    message = N_("“%(given)s” is not a whole number. Please type a whole one, such as 2.")


class OutOfRangeError(InputError):
    """A number is negative or absurd."""

    code = "out_of_range"
    message = N_("“%(given)s” lies outside %(minimum)s to %(maximum)s. Please check it for a slip.")


class BelowZeroError(OutOfRangeError):
    """A number is negative where nothing can be less than none."""

    message = N_("“%(given)s” is below zero, so it was not counted. Please check it for a slip.")


class UnknownChoiceError(InputError):
    """A choice is not one of those offered."""

    code = "unknown_choice"
    message = N_("“%(given)s” is not one of the answers here. Please choose one from the list.")


class TooLongError(InputError):
    """A text is longer than any answer."""

    code = "too_long"
    message = N_("This is longer than an answer can be. Please shorten it.")


class UnknownPlaceError(InputError):
    """A name that no place bears.

    ``suggestions``: places with similar names, best first; may be empty.
    """

    code = "unknown_place"
    message = N_(
        "We do not know “%(given)s”. Please check the spelling, or name a larger city nearby."
    )

    def __init__(self, *, field: str = "", given: str, suggestions: list[Place]) -> None:
        self.suggestions = suggestions
        super().__init__(field=field, given=given)


class AmbiguousPlaceError(InputError):
    """A name that several places bear. ``candidates``: those places, best first."""

    code = "ambiguous_place"
    message = N_("There is more than one “%(given)s”. Please choose the one you mean.")

    def __init__(self, *, field: str = "", given: str, candidates: list[Place]) -> None:
        self.candidates = candidates
        super().__init__(field=field, given=given)


class PlaceKeyError(NotFoundError):
    """No place has this key."""

    code = "unknown_place_key"
    message = N_("There is no place with the key “%(key)s”. Please search for it by name.")


class ModeTooFarError(InputError):
    """A way of travelling does not reach that far."""

    code = "mode_too_far"
    message = N_(
        "%(distance)s km is too far for this way of travelling. Please choose another one, "
        "or check the city."
    )


class NoAirportError(InputError):
    """No airport lies within the limit for "nearby"."""

    code = "no_airport"
    message = N_(
        "There is no airport within 150 km of %(place)s. Please name the airport you used as "
        "the place you left from."
    )


class SamePlaceFlightError(InputError):
    """A flight is stated between places that share an airport."""

    code = "same_place_flight"
    message = N_(
        "%(origin)s and %(destination)s share an airport, so there is no flight between them. "
        "Please check the city, or choose another way of travelling."
    )


class TooNearToFlyError(InputError):
    """A flight is stated for a rough distance that is none for flying."""

    code = "too_near_to_fly"
    message = N_(
        "%(distance)s km is too near to fly. Please choose another way of travelling, or check the "
        "distance."
    )


class RoughChangeError(InputError):
    """A change of planes is named, but not the city where the journey began."""

    code = "rough_change"
    message = N_(
        "A change of planes can be counted between named cities only. Please name the city "
        "you come from, or leave this empty."
    )


class UnknownFactorSetError(NotFoundError):
    """No edition and no publisher set has this id."""

    code = "unknown_factor_set"
    message = N_("There is no factor set “%(set_id)s”. Please choose one from the list.")


class FactorMissingError(DiandianError):
    """No row, own or stand-in, serves this region: refused, never taken as zero."""

    code = "factor_missing"
    message = N_(
        "No emission factor “%(factor_id)s” is known for %(region)s, so nothing was counted. "
        "Please choose another answer, or ask the operator to add the factor."
    )
    fixer = Fixer.OPERATOR


class FactorSetBrokenError(DiandianError):
    """The bytes differ from those that were published."""

    code = "factor_set_broken"
    message = N_(
        "The factor set “%(set_id)s” is not what was published: %(why)s. Nothing was calculated. "
        "Please restore its files."
    )
    fixer = Fixer.OPERATOR


class ActivityLineError(InputError):
    """A bare activity line cannot be counted; ``why`` is a message id of its own."""

    code = "activity_line"
    message = N_("This line cannot be counted: %(why)s. Please correct it and send it again.")


class UnknownSceneKindError(NotFoundError):
    """No folder holds this scene kind."""

    code = "unknown_scene_kind"
    message = N_("There is no kind of scene “%(key)s”. Please choose one from the list.")
