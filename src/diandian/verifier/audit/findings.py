"""What an audit finds, named so that somebody can go and look."""

from collections.abc import Iterable, Iterator

import msgspec

# A hostile log could break a rule in every entry: beyond this, findings are counted only.
MOST = 500


class Finding(msgspec.Struct, frozen=True):
    """One breach: the rule, a sentence, and the indices of the entries that show it.

    ``rule``: "head", "tree", "entry", "key", "quorum", or R1 to R12 of the registry's invariants.
    """

    rule: str
    text: str
    entries: tuple[int, ...] = ()
    batch: str = ""

    def __str__(self) -> str:
        """Return it in one line."""
        where = f" [entry {', '.join(str(index) for index in self.entries)}]"
        return f"{self.rule}: {self.text}{where if self.entries else ''}"


class Findings(msgspec.Struct):
    """The breaches found so far, in order, each once; ``more`` counts what is not kept."""

    kept: list[Finding] = []
    more: int = 0

    def add(self, rule: str, text: str, *entries: int, batch: str = "") -> None:
        """Keep a finding."""
        self.extend([Finding(rule, text, entries, batch)])

    def extend(self, findings: Iterable[Finding]) -> None:
        """Keep several findings."""
        for finding in findings:
            if len(self.kept) >= MOST:
                self.more += 1
            elif finding not in self.kept:
                self.kept.append(finding)

    def __iter__(self) -> Iterator[Finding]:
        """Go through what is kept."""
        return iter(self.kept)

    def __bool__(self) -> bool:
        """Tell whether anything was found."""
        return bool(self.kept)
