"""China certified emission reductions, as in the sample: no public form was found."""

from diandian.registry.serial_formats.base import Reading, read_marked, write_plain

EXAMPLE = "CCER-2025-000001~000120"


def read(text: str) -> Reading | None:
    """Return what a plain text says, None when it does not begin with the mark."""
    return read_marked(text, "CCER")


write = write_plain
