"""Checks that what suppliers are owed is whole, and that nothing was paid twice."""

from collections.abc import Iterator

from django.db.models import F, Q, Sum
from django.db.models.functions import Coalesce

from diandian.audit.breaches import Breach, asked
from diandian.kernel.canonical import digest_hex
from diandian.settlement.models import (
    Batch,
    BatchState,
    Line,
    LineState,
    Rail,
    Return,
    Split,
    SplitState,
)

_SENT = (BatchState.SUBMITTED, BatchState.PAID, BatchState.RECONCILED)


def check() -> list[Breach]:
    """Return every breach of S1 to S4."""
    return asked(_paid_once, _returns_counted, _sealed, _batches_add_up)


def _paid_once() -> Iterator[Breach]:
    """S1: a part that a gateway divided has one leg that was paid, of exactly its amount.

    And what goes by bank has none: it would be paid twice.
    """
    legs = Q(splits__state=SplitState.PAID)
    gateway = Line.objects.filter(rail=Rail.GATEWAY, state=LineState.PAID).annotate(
        moved_minor=Coalesce(Sum("splits__amount_minor", filter=legs), 0)
    )
    for line in gateway:
        # What was forgone was never moved; everything else went back after it.
        later = line.returns.filter(state=SplitState.PAID).exclude(way="forgone")
        back_later = later.aggregate(total=Coalesce(Sum("amount_minor"), 0))["total"]
        if line.moved_minor != line.leg.amount_minor + back_later:
            yield Breach("S1", f"line:{line.id}", "was paid, but not by one leg of its amount")
    for split in Split.objects.filter(state=SplitState.PAID).exclude(
        line__state__in=(LineState.PAID, LineState.REVERSING, LineState.REVERSED)
    ):
        yield Breach("S1", f"split:{split.split_no}", "was paid, but its line does not say so")
    for split in Split.objects.filter(line__rail=Rail.BANK, state=SplitState.PAID):
        yield Breach("S1", f"split:{split.split_no}", "was paid, and its part goes by bank too")


def _returns_counted() -> Iterator[Breach]:
    """S2: what came back of a line is what its returns add up to, and never more than it was."""
    done = Q(returns__state=SplitState.PAID)
    rows = Line.objects.annotate(
        back=Coalesce(Sum("returns__amount_minor", filter=done), 0),
        given=Coalesce(Sum("returns__refund_minor", filter=done), 0),
    )
    wrong = rows.exclude(back=F("returned_minor"), given=F("refunded_minor"))
    for line in wrong:
        yield Breach("S2", f"line:{line.id}", "its returns do not add up to what it says")
    for found in Return.objects.filter(refund_minor__gt=F("line__gross_minor")):
        yield Breach("S2", f"return:{found.return_no}", "more goes back than came in")


def _sealed() -> Iterator[Breach]:
    """S3: a locked payout has the statement that it was locked with."""
    for batch in Batch.objects.exclude(digest="").iterator(chunk_size=100):
        if digest_hex(batch.statement) != batch.digest:
            yield Breach("S3", f"payout:{batch.number}", "its statement is not what was locked")


def _batches_add_up() -> Iterator[Breach]:
    """S4: what was locked to be paid is what its statement adds up to; what is sent has lines."""
    for batch in Batch.objects.exclude(digest="").exclude(state=BatchState.CANCELLED):
        said = batch.statement["totals"]["supplier_minor"]
        if said != batch.net_minor:
            yield Breach("S4", f"payout:{batch.number}", f"pays {batch.net_minor} of {said}")
        if batch.lines.count() != len(batch.statement["lines"]):
            yield Breach("S4", f"payout:{batch.number}", "has other lines than were locked")
