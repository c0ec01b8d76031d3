"""The error family: every refusal has a stable code and a plain sentence.

A message says what happened, what was not done and what to do next. It is written in English as a
message id; the doors translate it and fill in ``params``. Nothing here knows HTTP.
"""

from enum import StrEnum


def N_(message: str) -> str:  # noqa: N802 - the marker's usual name, found by the extractor
    """Mark a string for translation without translating it."""
    return message


class Fixer(StrEnum):
    """Who can mend the situation."""

    CUSTOMER = "customer"
    OPERATOR = "operator"
    DEVELOPER = "developer"


class DiandianError(Exception):
    """Base of all refusals. Subclasses set ``code`` and ``message``; ``params`` fill the message.

    ``retryable`` tells a program whether the same request may succeed later.
    """

    code = "error"
    message = N_("Something went wrong. Nothing was changed. Please try again.")
    fixer = Fixer.DEVELOPER
    retryable = False

    def __init__(self, **params: object) -> None:
        self.params = params
        super().__init__(self.text())

    def text(self) -> str:
        """Return the English sentence with its parameters, for logs."""
        try:
            return self.message % self.params
        except (KeyError, TypeError, ValueError):
            return f"{self.message} {self.params}"


class InputError(DiandianError):
    """The person can mend it. ``field`` names the input, so that the words can stand beside it."""

    code = "invalid_input"
    message = N_("This could not be understood. Nothing was saved. Please correct it.")
    fixer = Fixer.CUSTOMER

    def __init__(self, *, field: str = "", **params: object) -> None:
        self.field = field
        super().__init__(**params)


class NotFoundError(DiandianError):
    """No such record, or one that this person may not see: the two are not told apart."""

    code = "not_found"
    message = N_("There is nothing at this address. Please check it for a slip.")
    fixer = Fixer.CUSTOMER


class ConflictError(DiandianError):
    """The request contradicts what is already recorded."""

    code = "conflict"
    message = N_("This was already done differently. Nothing was changed.")
    fixer = Fixer.CUSTOMER
