"""Verified carbon units: issuance, first and last number, then what they are units of.

``0001-000001-000100-VCS-VCU-003-VER-US-0003-01012020-31122020-1`` are 100 units. A number is given
out once within an issuance, so the issuance alone is the prefix: another ending is no other unit.
*Source:* design of the registry, section 1.1; longer published serials name the sector as well.
"""

import re

from diandian.registry.serial_formats.base import Reading, day, write_plain

EXAMPLE = "0001-000001-000100-VCS-VCU-003-VER-US-0003-01012020-31122020-1"
_FORM = re.compile(
    r"(?P<issuance>[0-9]{1,8})-(?P<first>[0-9]{1,15})-(?P<last>[0-9]{1,15})"
    r"(?P<tail>-VCS-VCU-[0-9]{1,6}-VER-(?P<country>[A-Z]{2})-(?:[0-9]{1,2}-)?"
    r"(?P<project>[0-9]{1,6})-(?P<start>[0-9]{8})-(?P<end>[0-9]{8})-[0-9O])"
)


def read(text: str) -> Reading | None:
    """Return what a plain text says, None when it is not of this form."""
    match = _FORM.fullmatch(text)
    if match is None:
        return None
    start, end = day(match["start"]), day(match["end"])
    if start is None or end is None:
        return None
    return Reading(
        prefix=f"VCS-{int(match['issuance'])}-",
        first=int(match["first"]),
        last=int(match["last"]),
        head=f"{match['issuance']}-",
        between="-",
        tail=match["tail"],
        width=len(match["first"]),
        project=match["project"],
        country=match["country"],
        period=(start, end),
    )


write = write_plain
