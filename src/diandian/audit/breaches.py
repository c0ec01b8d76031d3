"""The shape in which every room reports a broken invariant."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule that does not hold. ``rule``: its number in the design; ``subject_ref``: where."""

    rule: str
    subject_ref: str
    detail: str

    def __str__(self) -> str:
        return f"{self.rule} {self.subject_ref}: {self.detail}"
