"""What the public log refuses."""

from diandian.kernel.errors import N_, ConflictError, Fixer


class LogClosedError(ConflictError):
    """The log of this origin was closed and no other is open: no grams move meanwhile."""

    code = "log_closed"
    message = N_(
        "The public log %(origin)s is closed. Nothing was entered."
        " Please ask whoever runs this platform to open the next one."
    )
    fixer = Fixer.OPERATOR
    retryable = True


class LogRefusedError(ConflictError):
    """The log is not what was published or seen: whatever is entered now would be another past."""

    code = "log_refused"
    message = N_(
        "The public log does not match what was signed before. Nothing was entered, sold or"
        " retired. Please look at the status page: it says why, and what to do."
    )
    fixer = Fixer.OPERATOR
    retryable = True


class LogNameError(ConflictError):
    """A log's name was used before, or is not one."""

    code = "log_name"
    message = N_(
        "%(origin)s cannot be the name of the next public log. Nothing was closed."
        " Please choose another: at most 102 letters, digits, dots, hyphens and slashes, not used"
        " before."
    )
    fixer = Fixer.OPERATOR


class LogNotRecoverableError(ConflictError):
    """What was published cannot be joined to the entries of this database."""

    code = "log_not_recoverable"
    message = N_(
        "The published log cannot be joined to this database: %(reason)s. Nothing was changed."
        " Please bring back a newer backup, or close this log and begin another."
    )
    fixer = Fixer.OPERATOR
