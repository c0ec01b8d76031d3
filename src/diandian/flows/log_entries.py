"""What the public log says of each change of the grams: rows of the registry in, entries out.

Nothing of a person stands in them: a retirement names its seal, never its name. Erasing a name
takes the seal's salt away and changes no entry, so it has none of its own. What somebody typed and
the log's list does not allow (a reference with spaces) is named by its digest.
*Source:* decision 0027; design of the registry, section 5; L5.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from diandian.registry.models import (
    Allocation,
    CreditBatch,
    Lane,
    Recall,
    Retirement,
    UpstreamRetirement,
)
from diandian.registry.queries import RetiredRange
from diandian.registry.recalls.rules import Step
from diandian.transparency.rules import instant
from diandian.verifier.entries import problem_of

Entry = dict[str, Any]
# As many hexadecimal digits as the shortest member takes.
_DIGEST_LENGTH = 32


# Entries of one commit say the same again and again; what they share is also looked at once.
@lru_cache(maxsize=1024)
def _named(kind: str, member: str, text: str) -> str:
    """Return a text as the log may hold it: itself, or its digest."""
    if not problem_of(kind, member, text):
        return text
    return "sha256-" + hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_LENGTH]


@lru_cache(maxsize=1024)
def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def is_code(reason: str) -> bool:
    """Tell whether a reason is a code, as the log holds it: 1 to 40 of a-z, 0-9 and the hyphen."""
    return not problem_of("freeze", "reason", reason)


def issued(batch: CreditBatch, lanes: Iterable[Lane]) -> Entry:
    """Return the entry of an issuance with its stretches."""
    block, project = batch.serial_block, batch.project
    return {
        "type": "issue",
        "batch": batch.public_id,
        "programme": _named("issue", "programme", project.programme.code),
        "project": _named("issue", "project", project.code),
        "prefix": _named("issue", "prefix", block.prefix),
        "first": block.first,
        "last": block.last,
        "vintage": batch.vintage_year,
        "custody": str(batch.custody),
        "ex_ante": batch.is_ex_ante,
        "lanes": [[str(lane.kind), lane.lo, lane.hi] for lane in lanes],
        "sample": batch.is_sample,
    }


def retired_outside(batch: CreditBatch, row: UpstreamRetirement) -> Entry:
    """Return the entry of tonnes that the issuing registry retired."""
    return {
        "type": "upstream",
        "batch": batch.public_id,
        "first": row.first_serial,
        "last": row.last_serial,
        "reference": _named("upstream", "reference", row.reference),
        "retired_at": instant(row.retired_at),
        "evidence": row.evidence_sha256,
        "simulated": row.is_simulated,
    }


def retired(retirement: Retirement, ranges: Sequence[RetiredRange]) -> Entry:
    """Return the entry of a retirement with its exact grams."""
    replaced = retirement.replaces if retirement.replaces_id else None
    return {
        "type": "retire",
        "retirement": retirement.public_id,
        "ranges": [[piece.batch, piece.start_g, piece.end_g] for piece in ranges],
        "commit": retirement.subject_commit,
        "purpose": _named("retire", "purpose", retirement.purpose),
        "claim_from": _day(retirement.claim_from),
        "claim_to": _day(retirement.claim_to),
        "replaces": replaced.public_id if replaced else None,
        "sample": retirement.is_sample,
    }


def all_retired(
    retirements: Iterable[Retirement], ranges_by_id: Mapping[int, Sequence[RetiredRange]]
) -> list[Entry]:
    """Return the entries of many retirements, in their order."""
    return [retired(row, ranges_by_id[row.id]) for row in retirements]


def cancelled(batch: CreditBatch, links: Sequence[Allocation], reason: str) -> Entry:
    """Return the entry of grams taken out without a claim: of the buffer, a reversal.

    ``reason``: a code, such as ``fire`` or ``entered-twice``.
    """
    (kind,) = {link.kind for link in links}
    (source_ref,) = {link.source_ref for link in links}
    return {
        "type": str(kind),
        "ref": source_ref,
        "ranges": [[batch.public_id, link.start_g, link.end_g] for link in links],
        "reason": reason,
    }


def frozen(batch: CreditBatch, reason: str) -> Entry:
    """Return the entry of a batch that serves no more for now. ``reason``: a code."""
    return {"type": "freeze", "batch": batch.public_id, "reason": reason}


def thawed(batch: CreditBatch, reason: str) -> Entry:
    """Return the entry of a batch that may serve again. ``reason``: a code."""
    return {"type": "thaw", "batch": batch.public_id, "reason": reason}


def recalled(recall: Recall) -> Entry:
    """Return the entry of grams that no longer stand, once a second person approved."""
    return {
        "type": "recall",
        "recall": recall.public_id,
        "batch": recall.batch.public_id,
        "start_g": recall.start_g,
        "end_g": recall.end_g,
        "reason": recall.reason,
    }


def remedied(
    recall: Recall, retirement: Retirement, step: Step, replacement: Retirement | None
) -> Entry:
    """Return the entry of one step for one retirement; ``short_g`` is what is open after it."""
    return {
        "type": "remedy",
        "recall": recall.public_id,
        "retirement": retirement.public_id,
        "outcome": step.outcome,
        "replacement": replacement.public_id if replacement else None,
        "short_g": step.short_g,
    }


def done_at(entry: Entry, at: datetime) -> Entry:
    """Return an entry with the instant at which it was done, for what is entered later."""
    return {"at": instant(at), **entry}
