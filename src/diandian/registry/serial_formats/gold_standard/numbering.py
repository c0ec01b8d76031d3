"""Gold Standard credits: country, project, vintage, issuance, then the first and the last number.

As in published rows of its registry, where the stated quantity is that of the range with both ends:
7 for ``GS1-1-PA-GS2940-22-2023-28803-38582-38588``. The registry itself publishes no form.
"""

import re

from diandian.registry.serial_formats.base import Reading, read_form, write_plain

EXAMPLE = "GS1-1-PA-GS2940-22-2023-28803-38582-38588"
_FORM = re.compile(
    r"(?P<head>GS[0-9]-[0-9]{1,3}-(?P<country>[A-Z]{2})-GS(?P<project>[0-9]{1,6})-[0-9]{1,4}"
    r"-(?P<vintage>[0-9]{4})-[0-9]{1,8}-)(?P<first>[0-9]{1,15})-(?P<last>[0-9]{1,15})"
)


def read(text: str) -> Reading | None:
    """Return what a plain text says, None when it is not of this form."""
    return read_form(_FORM, text)


write = write_plain
