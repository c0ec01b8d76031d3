"""What the ledger refuses."""

from diandian.kernel.errors import N_, ConflictError, Fixer


class PostedDifferentlyError(ConflictError):
    """The same source reference came with another body (M4)."""

    code = "posted_differently"
    message = N_(
        "The booking %(source_ref)s already exists with other content. Nothing was booked."
        " Please reverse it and book again under a new reference."
    )
    fixer = Fixer.DEVELOPER


class AlreadyReversedError(ConflictError):
    """A journal is reversed once at most."""

    code = "already_reversed"
    message = N_(
        "The booking %(source_ref)s was already reversed. Nothing was booked."
        " Please look at the reversal first."
    )
    fixer = Fixer.OPERATOR


class DayClosedError(ConflictError):
    """The books of that day are closed."""

    code = "day_closed"
    message = N_(
        "The books are closed up to %(through)s. Nothing was booked on %(day)s."
        " Please book it on a day that is open."
    )
    fixer = Fixer.OPERATOR
