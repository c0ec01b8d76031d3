"""What a report of a name may say; pure."""

import unicodedata

from diandian.leaderboards.errors import NoReasonError, NoteTooLongError

REASONS = ("insult", "private", "impostor", "advertising", "other")
LONGEST_NOTE = 300
# One name needs no more readers' voices than this; whoever sends thousands changes nothing.
MOST_OPEN_REPORTS = 20
_LONGEST_TYPED = 10_000


def clean_reason(typed: str) -> str:
    """Return one of REASONS. Raises: NoReasonError."""
    if typed not in REASONS:
        raise NoReasonError(field="reason")
    return typed


def clean_note(typed: str) -> str:
    """Return what somebody wrote as one line without control, direction and unseen characters.

    Raises: NoteTooLongError.
    """
    seen = (
        " " if each.isspace() else each
        for each in typed[:_LONGEST_TYPED]
        if each.isspace() or not unicodedata.category(each).startswith("C")
    )
    note = " ".join("".join(seen).split())
    if len(note) > LONGEST_NOTE:
        raise NoteTooLongError(field="note", length=len(note), limit=LONGEST_NOTE)
    return note
