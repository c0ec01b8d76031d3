"""Chengdu certified emission reductions, as in the sample: the exchange published no form to us."""

from diandian.registry.serial_formats.base import Reading, read_marked, write_plain

EXAMPLE = "CDCER-2025-000001~000120"


def read(text: str) -> Reading | None:
    """Return what a plain text says, None when it does not begin with the mark."""
    return read_marked(text, "CD")


write = write_plain
