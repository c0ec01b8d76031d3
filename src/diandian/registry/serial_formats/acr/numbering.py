"""American Carbon Registry: ``ACR-US-192-2010-203-1-5000`` are 5,000 credits, both ends included.

Its exports write ``1 to 5000`` as well; a block is written back in the form in which it came.
*Source:* design of the registry, section 1.1.
"""

import re

from diandian.registry.serial_formats.base import Reading, write_plain

EXAMPLE = "ACR-US-192-2010-203-1-5000"
_FORM = re.compile(
    r"(?P<head>ACR-(?P<country>[A-Z]{2})-(?P<project>[0-9]{1,6})-(?P<vintage>[0-9]{4})"
    r"-[0-9]{1,8}-)(?P<first>[0-9]{1,15})(?P<between>-| TO )(?P<last>[0-9]{1,15})"
)


def read(text: str) -> Reading | None:
    """Return what a plain text says, None when it is not of this form."""
    match = _FORM.fullmatch(text)
    if match is None:
        return None
    return Reading(
        prefix=match["head"],
        first=int(match["first"]),
        last=int(match["last"]),
        head=match["head"],
        between=match["between"].lower(),
        width=len(match["first"]),
        project=match["project"],
        country=match["country"],
        vintage_year=int(match["vintage"]),
    )


write = write_plain
