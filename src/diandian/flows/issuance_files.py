"""Enters a whole file of issuances, or nothing of it; and says first what it would enter.

The dry run is the run itself, taken back: every row is written into the registry, sees the rows
before it, and is refused by the same rules and the same database. Trail and log, for which others
wait, are told last and only when nothing is refused.
*Source:* design of the registry, sections 0 and 3 (R3, R4, R9, R10).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from django.db import transaction

from diandian.audit import actions as audit_actions
from diandian.flows.issuance import Written, tell_batch, write_batch
from diandian.flows.issuance_tables import Problem, Row, Table, read
from diandian.footprints import evidence as files
from diandian.kernel.errors import DiandianError
from diandian.registry.errors import FileGoneError, SerialOverlapError
from diandian.registry.models import CreditBatch, Project
from diandian.registry.stock import may_serve

_FOLDER = "issuances"
# Which column of the file a refusal is about, where the refusal itself does not say.
_ABOUT = {
    "not_found": "project",
    "serial_format": "serials",
    "serial_overlap": "serials",
    "issued_differently": "source_ref",
    "growth_claimed": "period_start",
    "not_verified_so_much": "verified_tonnes",
    "evidence": "retired_first",
    "site": "site",
}


@dataclass(frozen=True, slots=True)
class Entered:
    """What became, or would become, of a row. Units: grams.

    ``state``: "new", "known" (on record already, the same) or "refused"; ``batch``: its number,
    "" while it is only looked at. ``sells``: whether its grams may be bought.
    """

    row: Row
    state: str
    batch: str = ""
    vintage_year: int = 0
    total_g: int = 0
    buffer_g: int = 0
    sells: bool = False
    is_ex_ante: bool = False
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a file."""

    rows: tuple[Entered, ...]
    digest: str

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Return every problem, by row and column."""
        return tuple(problem for row in self.rows for problem in row.problems)

    @property
    def new(self) -> tuple[Entered, ...]:
        """Return what is entered, or would be."""
        return tuple(row for row in self.rows if row.state == "new")

    @property
    def known(self) -> int:
        """Return how many rows are on record already."""
        return sum(row.state == "known" for row in self.rows)

    @property
    def total_g(self) -> int:
        """Return the grams that are entered, or would be."""
        return sum(row.total_g for row in self.new)

    @property
    def for_sale_g(self) -> int:
        """Return those of them that may be bought."""
        return sum(row.total_g - row.buffer_g for row in self.new if row.sells)


def look_at(data: bytes) -> Outcome:
    """Say what a file would enter, and every row that would be refused; nothing is entered.

    Locks, for a moment: the projects of its rows. Raises: FileRefusedError.
    """
    table = read(data)
    with transaction.atomic():
        rows, _ = _try(table)
        transaction.set_rollback(True)
    return Outcome(_told(rows), table.digest)


def _told(rows: Iterable[Entered]) -> tuple[Entered, ...]:
    """Return rows that were taken back: numbers of batches that do not stand mean nothing."""
    return tuple(replace(row, batch=row.batch if row.state == "known" else "") for row in rows)


def enter(data: bytes, *, actor_ref: str) -> Outcome:
    """Enter every row of a file in one commit, or nothing while one of them is refused.

    Idempotent by: each row's reference, else its serials; the same file again changes nothing.
    Raises: FileRefusedError.
    """
    table = read(data)
    with transaction.atomic():
        rows, written = _try(table)
        outcome = Outcome(tuple(rows), table.digest)
        if outcome.problems:
            transaction.set_rollback(True)
            return Outcome(_told(outcome.rows), table.digest)
        for each in written:
            tell_batch(each, actor_ref=actor_ref)
        if outcome.new:
            audit_actions.record(
                actor_ref=actor_ref,
                action="issuances.entered",
                subject_ref=f"file:{table.digest[:16]}",
                details={"sha256": table.digest, "entered": len(outcome.new)},
            )
    return outcome


def keep(data: bytes, digest: str) -> None:
    """Keep a file that was looked at until somebody says to enter it, or forgets it."""
    files.sweep(_FOLDER)
    files.write(f"{_FOLDER}/{digest}", data)


def enter_kept(digest: str, *, actor_ref: str) -> Outcome:
    """Enter the file that was looked at, by its digest. Raises: FileGoneError."""
    if not files.is_digest(digest):
        raise FileGoneError
    data = files.read(f"{_FOLDER}/{digest}", digest)
    if data is None:
        raise FileGoneError
    outcome = enter(data, actor_ref=actor_ref)
    if not outcome.problems:
        files.remove(f"{_FOLDER}/{digest}")
    return outcome


# --- rows ---------------------------------------------------------------------------------------


def _try(table: Table) -> tuple[list[Entered], list[Written]]:
    """Write rows one after another; a refused one leaves nothing and the next is tried."""
    # All at once and in one order, so that two files never wait for each other.
    codes = {row.project for row in table.rows}
    list(Project.objects.select_for_update(no_key=True).filter(code__in=codes).order_by("id"))
    made: dict[str, int] = {}
    rows, written = [], []
    for row in table.rows:
        entered, book = _one(row, made)
        if book is not None:
            written.append(book)
        if entered.state == "new":
            made[entered.batch] = row.number
        rows.append(entered)
    return rows, written


def _one(row: Row, made: dict[str, int]) -> tuple[Entered, Written | None]:
    if row.issuance is None:
        return Entered(row, "refused", problems=row.problems), None
    try:
        with transaction.atomic():
            written = write_batch(project_code=row.project, issuance=row.issuance)
    except DiandianError as error:
        return Entered(row, "refused", problems=(_problem(row, error, made),)), None
    return _entered(row, written.batch, is_known=not written.is_new), written


def _entered(row: Row, batch: CreditBatch, *, is_known: bool) -> Entered:
    return Entered(
        row,
        "known" if is_known else "new",
        batch=batch.public_id,
        vintage_year=batch.vintage_year,
        total_g=batch.total_g,
        buffer_g=batch.buffer_g,
        sells=may_serve(batch),
        is_ex_ante=batch.is_ex_ante,
    )


def _problem(row: Row, error: DiandianError, made: dict[str, int]) -> Problem:
    if isinstance(error, SerialOverlapError):
        # Another row of the file has no number of a batch that anybody could look up.
        number, _, raw = str(error.params["other"]).partition(" ")
        if number in made:
            error = SerialOverlapError(text=error.params["text"], other=f"#{made[number]} {raw}")
    column = getattr(error, "field", "")
    return Problem(row.number, _ABOUT.get(error.code, column) or "serials", error)
