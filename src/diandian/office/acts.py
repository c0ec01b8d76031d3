"""What acts at the operator's desk share: who acts, and how the outcome is said."""

import re
from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest

from diandian.kernel.errors import DiandianError
from diandian.ui.templatetags.dd import said


def say(request: HttpRequest, run: Callable[[], str]) -> None:
    """Do something; say what was done, or why nothing was."""
    try:
        done = run()
    except DiandianError as error:
        messages.error(request, said(error))
    else:
        messages.success(request, done)


def actor_of(request: HttpRequest) -> str:
    """Return how the trail names who is signed in."""
    return f"operator:{request.user.get_username()}"


def row_number(text: str) -> int:
    """Return the number of a row as an address names it; 0, which none has, for anything else."""
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else 0


def order_number(owner_ref: str) -> str:
    """Return the number of the order that a reference names, or nothing."""
    kind, _, number = owner_ref.partition(":")
    return number if kind == "order" else ""
