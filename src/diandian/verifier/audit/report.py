"""The report of an audit, for people and for programs."""

from collections.abc import Iterator

import msgspec

from diandian.kernel.mass import GRAMS_PER_KG
from diandian.verifier.audit.findings import Finding
from diandian.verifier.audit.verdict import Balance, Sums

CLEAN, BREACHED = 0, 1
_GRAM_DIGITS = 3


class Signature(msgspec.Struct):
    """Who signed the head, and when if they say so (seconds since 1970)."""

    name: str
    key_id: str
    timestamp_s: int | None


class Past(msgspec.Struct):
    """A closed log that the audited one continues."""

    origin: str
    size: int
    root: str


class Report(msgspec.Struct):
    """All that one run found."""

    source: str
    checked_at: str
    origin: str = ""
    size: int = 0
    root: str = ""
    continues: list[Past] = []
    new_entries: int = 0
    signatures: list[Signature] = []
    quorum: str = ""
    closed_at: int | None = None
    counts: dict[str, int] = {}
    batches: list[Sums] = []
    recalls: list[Balance] = []
    findings: list[Finding] = []
    findings_not_listed: int = 0
    remarks: list[str] = []

    @property
    def status(self) -> int:
        """Return the exit status: clean, or not."""
        return BREACHED if self.findings else CLEAN

    def to_json(self) -> bytes:
        """Return the report for programs."""
        return msgspec.json.format(msgspec.json.encode({"ok": not self.findings, **self._plain()}))

    def _plain(self) -> dict[str, object]:
        plain: dict[str, object] = msgspec.to_builtins(self)
        return plain


def kg(mass_g: int) -> str:
    """Return grams as kilograms, with every gram.

    >>> kg(1234567)
    '1,234.567'
    """
    whole, rest = divmod(mass_g, GRAMS_PER_KG)
    return f"{whole:,}.{rest:03d}" if rest else f"{whole:,}"


def _head(report: Report) -> Iterator[str]:
    yield f"Audit of {report.origin or report.source}, {report.checked_at}"
    if report.root:
        yield f"  {report.size:,} entries ({report.new_entries:,} new), root {report.root}"
    for past in report.continues:
        yield f"  continues {past.origin}: {past.size:,} entries, root {past.root}"
    for item in report.signatures:
        when = f", at {item.timestamp_s} s since 1970" if item.timestamp_s is not None else ""
        yield f"  signed by {item.name} (key {item.key_id}{when})"
    if report.quorum:
        yield f"  witnesses: {report.quorum}"
    if report.closed_at is not None:
        yield f"  the log was closed by entry {report.closed_at}"
    if report.counts:
        counts = ", ".join(f"{kind} {count:,}" for kind, count in sorted(report.counts.items()))
        yield f"  entries by type: {counts}"


def _batch(found: Sums) -> Iterator[str]:
    marks = [found.custody, *(["sample"] if found.is_sample else [])]
    marks += ["frozen"] if found.is_frozen else []
    yield ""
    yield (
        f"Batch {found.batch}: {found.programme}, {found.project}, {found.vintage} "
        f"({', '.join(marks)})"
    )
    rows = (
        ("issued", found.issued_g),
        ("retired", found.retired_g),
        ("cancelled", found.cancelled_g),
        ("reversed", found.reversed_g),
        ("buffer", found.buffer_g),
        ("free", found.free_g),
        ("recalled", found.recalled_g),
        ("retired while frozen", found.retired_while_frozen_g),
    )
    for name, grams in rows:
        if grams or name in {"issued", "retired", "free"}:
            yield f"  {name:<21}{kg(grams):>20} kg"
    if found.simulated_tonnes:
        yield f"  {found.simulated_tonnes:,} t retired in a simulated registry: they prove nothing"
    for first, last in found.awaited:
        yield f"  still only held: serials {first} to {last}, not retired outside yet"


def _recall(found: Balance) -> Iterator[str]:
    yield ""
    yield (
        f"Recall {found.recall} of {found.batch}: {kg(found.affected_g)} kg in retirements; "
        f"replaced {kg(found.replaced_g)}, buffer {kg(found.buffer_g)}, "
        f"short {kg(found.short_g)}, open {kg(found.open_g)} kg"
    )


def lines(report: Report) -> Iterator[str]:
    """Yield the report for people, line by line."""
    yield from _head(report)
    for batch in report.batches:
        yield from _batch(batch)
    for recall in report.recalls:
        yield from _recall(recall)
    yield ""
    for remark in report.remarks:
        yield f"Note: {remark}."
    for finding in report.findings:
        yield f"FOUND {finding}"
    if report.findings_not_listed:
        yield f"FOUND {report.findings_not_listed:,} more, not listed"
    yield "NOT CLEAN" if report.findings else "CLEAN: every gram is used at most once"
