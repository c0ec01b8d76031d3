"""American Carbon Registry: ``ACR-US-192-2010-203-1-5000`` are 5,000 credits, both ends included.

Its exports write ``1 to 5000`` as well; a block is written back in the form in which it came.
*Source:* design of the registry, section 1.1.
"""

import re

from diandian.registry.serial_formats.base import Reading, read_form, write_plain

EXAMPLE = "ACR-US-192-2010-203-1-5000"
_FORM = re.compile(
    r"(?P<head>ACR-(?P<country>[A-Z]{2})-(?P<project>[0-9]{1,6})-(?P<vintage>[0-9]{4})"
    r"-[0-9]{1,8}-)(?P<first>[0-9]{1,15})(?:-| TO )(?P<last>[0-9]{1,15})"
)


def read(text: str) -> Reading | None:
    """Return what a plain text says, None when it is not of this form."""
    return read_form(_FORM, text)


write = write_plain
