"""What the diary refuses."""

from diandian.kernel.errors import N_, InputError


class NotADayError(InputError):
    """A text is not a day, or one that cannot be meant."""

    code = "not_a_day"
    message = N_(
        "“%(given)s” is not a day up to today. Nothing was added. Please write it like 2026-11-22."
    )


class TooManyEntriesError(InputError):
    """More entries than one calculation takes."""

    code = "too_many_entries"
    message = N_(
        "There are more than %(most)s entries. Nothing was calculated. Please leave some out."
    )
