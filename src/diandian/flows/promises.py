"""Certificates that were issued while their tonnes were only held outside: the promise kept.

When the issuing registry has retired those tonnes, each certificate gets a next version that says
so; the one before stays as it was signed, superseded. A few hundred certificates a commit, so that
ten thousand of them can be stopped and taken up again anywhere.
*Source:* design of the registry, section 3.3 (R10) and C1, C2; market study, M2.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from diandian.audit import actions as audit_actions
from diandian.certificates import actions as certificate_actions
from diandian.certificates import queries as certificate_queries
from diandian.certificates.models import Certificate
from diandian.certificates.record import retired_since
from diandian.flows.locks import lock_orders_of_refs
from diandian.kernel.clock import business_day, now
from diandian.registry import queries as registry_queries
from diandian.registry.models import Retirement
from diandian.registry.queries import RetiredRange
from diandian.registry.recalls.standing import losses_of, standing_ranges

log = logging.getLogger(__name__)

FOLLOW = "certificates.follow"
FOLLOWED = "certificate.retired"
AT_ONCE = 200
_REASON = "The issuing registry has retired these tonnes; a newer version says so."
_NAMED = 10


@dataclass(frozen=True, slots=True)
class Portion:
    """One commit of the work: how many certificates followed, and where the next portion begins."""

    followed: int
    after_id: int
    is_last: bool


@dataclass(frozen=True, slots=True)
class Promises:
    """Certificates whose tonnes are only held: how many, how many too late, the first of those."""

    open: int
    overdue: int
    first_day: date | None
    codes: tuple[str, ...]


def follow(after_id: int = 0, *, limit: int = AT_ONCE, at: datetime | None = None) -> Portion:
    """Write the next version of certificates whose tonnes are all retired outside by now.

    Idempotent: what followed is no longer found. Locks: the orders, in id order; an order that
    somebody else is just changing is left out, and found by the next ``follow`` from the beginning.
    """
    at = at or now()
    found = certificate_queries.kept_outside(after_id, limit)
    if not found:
        return Portion(0, after_id, is_last=True)
    with transaction.atomic():
        locked = lock_orders_of_refs([row.order_ref for row in found])
        # Read after the lock: before it, a name may have been erased or a version written.
        rows = certificate_queries.still_promised(
            [row.id for row in found if row.order_ref in locked]
        )
        followed = _supersede(rows, at)
    return Portion(followed, found[-1].id, is_last=len(found) < limit)


def _supersede(rows: list[Certificate], at: datetime) -> int:
    ranges = _standing([row.retirement for row in rows])
    upstream = registry_queries.upstream_states(ranges)
    rows = [row for row in rows if upstream[row.retirement_id].state == "retired"]
    if not rows:
        return 0
    records = (
        retired_since(
            certificate_queries.record_of(row),
            replaced_sha256=row.sha256,
            retirement=row.retirement,
            upstream=upstream[row.retirement_id],
            at=at,
        )
        for row in rows
    )
    written = certificate_actions.supersede(rows, records, reason=_REASON, at=at)
    audit_actions.publish_many(
        FOLLOWED,
        {
            f"certificate:{row.code}:v{record['version']}": {
                "code": row.code,
                "version": record["version"],
            }
            for row, record in zip(rows, written, strict=True)
        },
    )
    audit_actions.record(
        actor_ref="platform",
        action="certificates.followed",
        subject_ref=f"certificates:{len(rows)}",
        details={"first": rows[0].code, "last": rows[-1].code},
        at=at,
    )
    return len(rows)


def _standing(retirements: Sequence[Retirement]) -> dict[int, list[RetiredRange]]:
    """Return the ranges that stand: recalled tonnes need no retirement outside any more."""
    ranges = registry_queries.ranges_of_many(retirements)
    losses = losses_of(list(ranges))
    return {
        id_: standing_ranges(found, losses[id_]) if id_ in losses else found
        for id_, found in ranges.items()
    }


def ask_to_follow(key: str, after_id: int = 0) -> None:
    """Leave it to the worker to follow, in the caller's transaction. Idempotent by: ``key``."""
    audit_actions.publish(
        kind=FOLLOW, key=f"{key}:{after_id}", payload={"key": key, "after": after_id}
    )


def follow_on(payload: Mapping[str, object]) -> None:
    """Do one portion, and leave the next one to the worker. Bears being called again."""
    portion = follow(int(str(payload["after"])))
    if not portion.is_last:
        ask_to_follow(str(payload["key"]), portion.after_id)


def follow_all() -> int:
    """Follow every retirement outside that is known by now, portion by portion."""
    done, portion = 0, follow()
    while True:
        done += portion.followed
        if portion.is_last:
            return done
        portion = follow(portion.after_id)


def sweep() -> int:
    """Follow what no event told of: a certificate that was just being issued meanwhile."""
    return follow().followed


def standing(at: datetime | None = None) -> Promises:
    """Return how many promises are open, and which are overdue on the business day."""
    today = business_day(at or now())
    late = certificate_queries.overdue(today)
    first = certificate_queries.promised().first()
    return Promises(
        open=certificate_queries.promised().count(),
        overdue=late.count(),
        first_day=first.promised_by if first else None,
        codes=tuple(late.values_list("code", flat=True)[:_NAMED]),
    )


def warn_overdue(at: datetime | None = None) -> int:
    """Tell the operator of promises that were not kept. Returns how many."""
    found = standing(at)
    if found.overdue:
        log.error(
            "%d certificates were promised to be retired outside by now and are not; the first: %s",
            found.overdue,
            ", ".join(found.codes),
        )
    return found.overdue
