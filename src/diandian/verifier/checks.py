"""One finding of the verifier: what was looked at, whether it holds, and the detail."""

from typing import NamedTuple


class Check(NamedTuple):
    """``key`` is stable and may be translated by a door; ``detail`` is plain English."""

    key: str
    ok: bool
    detail: str = ""

    def __str__(self) -> str:
        """Return key and detail in one line."""
        return f"{self.key}: {self.detail}" if self.detail else self.key


def failed(checks: list[Check]) -> list[Check]:
    """Return the checks that do not hold."""
    return [check for check in checks if not check.ok]
