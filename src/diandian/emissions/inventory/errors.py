"""What an inventory and its tables refuse, and how they say so.

*Source:* methodology, sections 2, 7 and 10.
"""

from __future__ import annotations

from diandian.kernel.errors import N_, DiandianError, Fixer, InputError


class UnknownActivityError(InputError):
    """A name that no known activity bears."""

    code = "unknown_activity"
    message = N_(
        "“%(given)s” is not an activity we know, so it was not counted. Please choose one from "
        "the list of activities."
    )


class NoFactorHereError(InputError):
    """A known activity, without a published factor for the place."""

    code = "no_factor_here"
    message = N_(
        "There is no published factor for “%(given)s” at this place, so it was not counted. Please "
        "choose another activity, or give a value of your own and its source."
    )


class AmountMissingError(InputError):
    """A row names an activity without an amount."""

    code = "amount_missing"
    message = N_(
        "The amount is missing, so the row was not counted. Please fill it in, or delete the row; "
        "its source then stays open."
    )


class UnitUnfitError(InputError):
    """The unit is unknown, or cannot become the activity's."""

    code = "unit_unfit"
    message = N_(
        "“%(given)s” cannot be the unit here, so the row was not counted. This activity is counted "
        "in %(unit)s."
    )


class CategoryUnfitError(InputError):
    """The activity never belongs to that source."""

    code = "category_unfit"
    message = N_(
        "“%(given)s” is not a source for this activity, so the row was not counted. Please choose "
        "one of: %(allowed)s."
    )


class AmbiguousNumberError(InputError):
    """A number with one comma before three digits, a thousand to some and a fraction to others."""

    code = "ambiguous_number"
    message = N_(
        "“%(given)s” can be read as a thousand or as a fraction, so it was not counted. Please "
        "write it without a comma."
    )


class EvidenceError(InputError):
    """What should be the digest of a file is none."""

    code = "evidence"
    message = N_(
        "“%(given)s” is not the SHA-256 of a file (64 characters), so the row was not counted. "
        "Please leave it empty or paste the digest."
    )


class TextTooLongError(InputError):
    """A note or a name is longer than will be kept."""

    code = "text_too_long"
    message = N_(
        "This text is longer than %(limit)s characters, so the row was not counted. Please "
        "shorten it."
    )


class SourceMissingError(InputError):
    """A value of one's own stands there without saying where it comes from."""

    code = "source_missing"
    message = N_(
        "A value of your own needs its source, so the row was not counted. Please name the "
        "statement or the meter it comes from."
    )


class DuplicateRowError(InputError):
    """The same activity, amount and note stand there twice."""

    code = "duplicate_row"
    message = N_(
        "This row repeats row %(other)s, so nothing was counted. If both are meant, please give "
        "them different notes."
    )


class SheetError(InputError):
    """A file is no table that can be read; ``why`` is a message id of its own."""

    code = "sheet"
    message = N_("The file could not be read: %(why)s. Nothing was imported.")


class AttendanceError(InputError):
    """More people answered than attended."""

    code = "attendance"
    message = N_(
        "%(answers)s people answered but only %(people)s attended, so nothing was extrapolated. "
        "Please correct the attendance."
    )


class MeasureError(InputError):
    """A measure cannot be confirmed as it stands."""

    code = "measure"
    message = N_(
        "A measure is confirmed by evidence and by the amount after it. Nothing was changed. "
        "Please add both."
    )


class ComposedError(InputError):
    """A composed question cannot be asked; ``why`` is a message id of its own."""

    code = "composed_question"
    message = N_("This question cannot be asked: %(why)s. Nothing was saved. Please correct it.")


class EntryBrokenError(DiandianError):
    """An entry that no reader of this room would have let through."""

    code = "entry_broken"
    message = N_("The entry “%(key)s” cannot be counted: %(why)s. Nothing was calculated.")
    fixer = Fixer.DEVELOPER
