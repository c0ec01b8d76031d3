"""Climate Action Reserve: ``CAR-1-US-293-1-120-CA-2006-102-1 to 29251`` are 29,251 credits.

Both ends are part of the range; a published page counts one too few.
*Source:* design of the registry, section 1.1.
"""

import re

from diandian.registry.serial_formats.base import Reading, read_form, write_plain

EXAMPLE = "CAR-1-US-293-1-120-CA-2006-102-1 to 29251"
_FORM = re.compile(
    r"(?P<head>CAR-[0-9]{1,3}-(?P<country>[A-Z]{2})(?:-[0-9]{1,6}){3}-[A-Z]{2,4}"
    r"-(?P<vintage>[0-9]{4})-[0-9]{1,8}-)(?P<first>[0-9]{1,15}) TO (?P<last>[0-9]{1,15})"
)


def read(text: str) -> Reading | None:
    """Return what a plain text says, None when it is not of this form."""
    return read_form(_FORM, text)


write = write_plain
