"""Prefix and number, ``~`` between first and last: for registries without a form of their own."""

from diandian.registry.serial_formats.base import Reading, read_marked, write_plain

EXAMPLE = "AB-2025-000001~000120"


def read(text: str) -> Reading | None:
    """Return what a plain text says, None when it is not of this form."""
    return read_marked(text)


write = write_plain
