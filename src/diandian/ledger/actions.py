"""Books journals: once per source reference, never changed, corrected only by a reversal.

No balance is kept anywhere: sales would wait for each other at the row that all of them touch.
*Source:* design of the registry, section 4.2; M1 to M6.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from diandian.kernel.canonical import digest_hex
from diandian.kernel.clock import business_day
from diandian.ledger import queries
from diandian.ledger.errors import (
    AlreadyReversedError,
    DayClosedError,
    PostedDifferentlyError,
)
from diandian.ledger.models import Journal, Transfer
from diandian.ledger.rules import TransferLine
from diandian.store.inserts import Insert, InsertMany, NewIds
from diandian.store.running import pipelined, set_off
from diandian.store.transactions import joined, require_transaction

_NEW_JOURNALS = Insert(Journal, skip_conflicts=True, conflict_column="source_ref")
_JOURNALS = InsertMany(
    Journal,
    "id",
    "source_ref",
    "body_sha256",
    "kind",
    "owner_ref",
    "reverses_id",
    shared=("business_day", "created_at"),
)
_TRANSFERS = InsertMany(
    Transfer, "journal_id", "debit_code", "credit_code", "currency", "amount_minor"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalRequest:
    """A business event to book: once per ``source_ref``, on behalf of ``owner_ref``."""

    kind: str
    source_ref: str
    owner_ref: str
    lines: Sequence[TransferLine]
    reverses: Journal | None = None

    def digest(self) -> str:
        """Return the SHA-256 of the content, to tell a repetition from a contradiction."""
        return digest_hex(
            {
                "kind": self.kind,
                "owner_ref": self.owner_ref,
                "lines": [
                    [line.debit_code, line.credit_code, line.amount_minor, line.currency]
                    for line in self.lines
                ],
            },
            # Texts and whole numbers, as lines see to when they are made.
            is_checked=True,
        )


def post(
    *, kind: str, source_ref: str, owner_ref: str, lines: Sequence[TransferLine], at: datetime
) -> Journal:
    """Book one journal. Idempotent by: ``source_ref``. Raises: PostedDifferentlyError."""
    request = JournalRequest(kind=kind, source_ref=source_ref, owner_ref=owner_ref, lines=lines)
    journals = post_many([request], at=at)
    assert len(journals) == 1, "one request, one journal"
    return journals[0]


def post_many(requests: Sequence[JournalRequest], *, at: datetime) -> list[Journal]:
    """Book journals in four statements, however many; returned in the order asked.

    Idempotent by: each ``source_ref``. Of two that race with one reference the second gets the
    first one's journal; among many at once it ends in an IntegrityError and is asked again.
    Raises: PostedDifferentlyError when a reference is known with another body, DayClosedError.
    """
    if not requests:
        return []
    with joined(), pipelined():
        # One alone is nearly always new: written first, looked up only when it was there.
        alone = _write_alone(requests[0], at) if len(requests) == 1 else None
        if alone is not None:
            return [alone]
        book = ask_post_many(requests, at=at)
        set_off()
        return book()


def ask_post_many(
    requests: Sequence[JournalRequest], *, at: datetime
) -> Callable[[], list[Journal]]:
    """Ask what booking journals must know; ``post_many`` in two halves.

    Calling what it returns books them, in the same transaction.
    Raises: as ``post_many``, when it is called.
    """
    require_transaction()
    assert requests, "something is booked"
    is_open = _is_open(requests, at)
    ids = NewIds(Journal, len(requests))
    known_journals = queries.ask_journals_by_source(request.source_ref for request in requests)

    def book() -> list[Journal]:
        bodies = [(request, request.digest()) for request in requests]
        known = known_journals()
        fresh = _once_each(bodies, known)
        if fresh and not is_open:
            raise DayClosedError(day=business_day(at), through=queries.closed_through())
        made = _write(fresh, ids.read()[: len(fresh)], at)
        booked = known | {journal.source_ref: journal for journal in made}
        assert len(booked) == len({request.source_ref for request in requests}), "once per source"
        return [booked[request.source_ref] for request in requests]

    return book


def _is_open(requests: Iterable[JournalRequest], at: datetime) -> bool:
    """Tell whether something may be booked on a day; look through what is asked."""
    assert all(request.lines for request in requests), "a journal moves money"
    assert all(request.source_ref for request in requests), "a journal has a source"
    assert at.tzinfo is not None, "instants are aware"
    return business_day(at) > queries.closed_through()


def _write_alone(request: JournalRequest, at: datetime) -> Journal | None:
    """Write one journal and what it moves; nothing where reference or day is closed to it."""
    if not _is_open([request], at):
        return None
    journal = Journal(
        source_ref=request.source_ref,
        body_sha256=request.digest(),
        kind=request.kind,
        owner_ref=request.owner_ref,
        reverses=request.reverses,
        business_day=business_day(at),
        created_at=at,
    )
    if not _NEW_JOURNALS.run([journal]):
        return None
    _TRANSFERS.along(_moved(journal.id, request))
    return journal


def _write(
    fresh: Sequence[tuple[JournalRequest, str]], ids: Sequence[int], at: datetime
) -> list[Journal]:
    """Write new journals and what they move."""
    rows = [_row(number, *each) for number, each in zip(ids, fresh, strict=True)]
    dated = {"business_day": business_day(at), "created_at": at}
    _JOURNALS.along(rows, **dated)
    _TRANSFERS.along(
        [
            moved
            for number, (request, _) in zip(ids, fresh, strict=True)
            for moved in _moved(number, request)
        ]
    )
    made: list[Journal] = _JOURNALS.instances(rows, **dated)
    assert len(made) == len(fresh), "nobody else books these now"
    return made


def _once_each(
    bodies: Iterable[tuple[JournalRequest, str]], known: Mapping[str, Journal]
) -> list[tuple[JournalRequest, str]]:
    """Leave out what is booked already or asked twice; refuse what contradicts.

    ``bodies``: requests with their digests.
    """
    digests = {source_ref: journal.body_sha256 for source_ref, journal in known.items()}
    once = {}
    for request, digest in bodies:
        if digests.setdefault(request.source_ref, digest) != digest:
            raise PostedDifferentlyError(source_ref=request.source_ref)
        if request.source_ref not in known:
            once[request.source_ref] = (request, digest)
    return list(once.values())


def _row(number: int, request: JournalRequest, digest: str) -> tuple[object, ...]:
    assert request.owner_ref, "a journal is for somebody"
    return (
        number,
        request.source_ref,
        digest,
        request.kind,
        request.owner_ref,
        request.reverses.id if request.reverses else None,
    )


def _moved(journal_id: int, request: JournalRequest) -> list[tuple[object, ...]]:
    """Return a journal's transfers as rows; each line was checked when it was made (M1)."""
    return [
        (journal_id, line.debit_code, line.credit_code, line.currency, line.amount_minor)
        for line in request.lines
    ]


def reverse(journal: Journal, source_ref: str, at: datetime) -> Journal:
    """Undo a journal by its mirror image; the journal itself stays.

    Idempotent by: ``source_ref``. Raises: AlreadyReversedError when another reversal exists.
    """
    assert journal.id is not None, "only what is booked can be reversed"
    assert source_ref != journal.source_ref, "a reversal has a reference of its own"
    with joined():
        earlier = queries.reversal_of(journal)
        if earlier is not None and earlier.source_ref != source_ref:
            raise AlreadyReversedError(source_ref=journal.source_ref)
        assert journal.reverses_id is None, "a reversal is corrected by a new booking"
        mirror = [line.swapped() for line in queries.lines_of(journal)]
        request = JournalRequest(
            kind="reversal",
            source_ref=source_ref,
            owner_ref=journal.owner_ref,
            lines=mirror,
            reverses=journal,
        )
        return post_many([request], at=at)[0]
