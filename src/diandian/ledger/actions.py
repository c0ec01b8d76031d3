"""Books journals: once per source reference, never changed, corrected only by a reversal.

No balance is kept anywhere: sales would wait for each other at the row that all of them touch.
*Source:* design of the registry, section 4.2; M1 to M6.
"""

from collections.abc import Iterable, Mapping, Sequence
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
from diandian.store.statements import Insert
from diandian.store.transactions import joined

_JOURNALS = Insert(Journal)
_NEW_JOURNALS = Insert(Journal, skip_conflicts=True, conflict_column="source_ref")
_TRANSFERS = Insert(Transfer)


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
            }
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
    """Book journals in three statements, however many; returned in the order asked.

    Idempotent by: each ``source_ref``. Of two that race with one reference the second gets the
    first one's journal; among many at once it ends in an IntegrityError and is asked again.
    Raises: PostedDifferentlyError when a reference is known with another body, DayClosedError.
    """
    assert all(request.lines for request in requests), "a journal moves money"
    assert all(request.source_ref for request in requests), "a journal has a source"
    with joined():
        # One alone is nearly always new: written first, looked up only when it was there.
        is_open = business_day(at) > queries.closed_through()
        alone = _write(_once_each(requests, {}), at) if is_open and len(requests) == 1 else []
        if alone:
            return alone
        known = queries.journals_by_source(request.source_ref for request in requests)
        fresh = _once_each(requests, known)
        if fresh and not is_open:
            raise DayClosedError(day=business_day(at), through=queries.closed_through())
        made = _write(fresh, at)
        assert len(made) == len(fresh), "nobody else books these now"
    booked = known | {journal.source_ref: journal for journal in made}
    assert len(booked) == len({request.source_ref for request in requests}), "once per source"
    return [booked[request.source_ref] for request in requests]


def _write(fresh: Sequence[tuple[JournalRequest, str]], at: datetime) -> list[Journal]:
    """Write journals and what they move; nothing of one alone whose reference is taken."""
    made = [_journal(request, digest, at) for request, digest in fresh]
    if len(made) == 1:
        if not _NEW_JOURNALS.run(made):
            return []
    else:
        _JOURNALS.run(made)
    _TRANSFERS.run(
        [
            _transfer(journal, line)
            for journal, (request, _) in zip(made, fresh, strict=True)
            for line in request.lines
        ]
    )
    return made


def _once_each(
    requests: Iterable[JournalRequest], known: Mapping[str, Journal]
) -> list[tuple[JournalRequest, str]]:
    """Leave out what is booked already or asked twice; refuse what contradicts."""
    digests = {source_ref: journal.body_sha256 for source_ref, journal in known.items()}
    fresh = []
    for request in requests:
        digest = request.digest()
        earlier = digests.setdefault(request.source_ref, digest)
        if earlier != digest:
            raise PostedDifferentlyError(source_ref=request.source_ref)
        if request.source_ref not in known:
            fresh.append((request, digest))
    once = {request.source_ref: (request, digest) for request, digest in fresh}
    assert not once.keys() & known.keys(), "what is booked is not booked again"
    return list(once.values())


def _journal(request: JournalRequest, digest: str, at: datetime) -> Journal:
    assert at.tzinfo is not None, "instants are aware"
    assert request.owner_ref, "a journal is for somebody"
    return Journal(
        source_ref=request.source_ref,
        body_sha256=digest,
        kind=request.kind,
        owner_ref=request.owner_ref,
        reverses=request.reverses,
        business_day=business_day(at),
        created_at=at,
    )


def _transfer(journal: Journal, line: TransferLine) -> Transfer:
    assert line.amount_minor > 0, "M1"
    assert line.debit_code != line.credit_code, "M1"
    return Transfer(
        journal=journal,
        debit_code=line.debit_code,
        credit_code=line.credit_code,
        currency=line.currency,
        amount_minor=line.amount_minor,
    )


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
