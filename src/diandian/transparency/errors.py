"""What the public log refuses."""

from diandian.kernel.errors import N_, ConflictError, Fixer


class LogClosedError(ConflictError):
    """The log of this origin was closed and no other is open: no grams move meanwhile."""

    code = "log_closed"
    message = N_(
        "The public log %(origin)s is closed. Nothing was entered."
        " Please open the next one: diandian log open"
    )
    fixer = Fixer.OPERATOR
    retryable = True
