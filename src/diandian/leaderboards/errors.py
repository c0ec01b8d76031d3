"""What can go wrong when somebody reports a name, in words for them."""

from diandian.kernel.errors import N_, InputError


class NoSuchNameError(InputError):
    """No board shows a name in such a row, or none was chosen."""

    code = "no_such_name"
    message = N_(
        "Please choose the name that you mean. The boards do not show one at that place now."
        " Nothing was sent."
    )


class NoReasonError(InputError):
    """A report says what is wrong."""

    code = "no_report_reason"
    message = N_("Please say what is wrong with the name. Nothing was sent.")


class NoteTooLongError(InputError):
    """More words than an operator reads."""

    code = "report_note_too_long"
    message = N_(
        "These words have %(length)s characters; %(limit)s fit. Nothing was sent."
        " Please shorten them."
    )
