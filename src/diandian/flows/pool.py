"""Whole tonnes behind grams: the open tonne is completed by us, and asked for at its registry.

Guests buy kilograms, registries retire tonnes. When the day nears by which certificates of an open
tonne promise its retirement, we buy what is left of it ourselves: a retirement in the platform's
name, at the project's price without our fee, our own cost in the books. What is sold whole, or is
due, stands on the operator's list; once it is entered as retired outside, certificates follow.
*Source:* market study, M2; design of the registry, section 3.3 (R10); product design, section 4.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction

from diandian.audit import actions as audit_actions
from diandian.certificates import queries as certificate_queries
from diandian.flows import log_entries, sales
from diandian.kernel.clock import business_day, now
from diandian.kernel.money import Money
from diandian.ledger import actions as ledger_actions
from diandian.ledger import rules as ledger_rules
from diandian.orders.models import Offer
from diandian.orders.pricing import price
from diandian.registry import queries as registry_queries
from diandian.registry.errors import BatchNotOpenError
from diandian.registry.models import Project, Retirement
from diandian.registry.pool import actions as pool_actions
from diandian.registry.pool import queries as pool_queries
from diandian.registry.pool.queries import Pool, PoolTonne
from diandian.transparency import actions as log_actions

log = logging.getLogger(__name__)

# A registry takes some days to retire what it is asked for; the promise is the last of them.
COMPLETED_BEFORE = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class DueTonne:
    """A tonne on its way to be retired at its registry.

    ``due``: the first promise on a certificate of it, None when none waits. ``cost``: what the rest
    would cost us now, None where nothing is left or no price is known.
    """

    tonne: PoolTonne
    due: date | None
    cost: Money | None

    @property
    def completed_on(self) -> date | None:
        """Return the day from which we buy the rest ourselves; None when nothing waits."""
        return self.due - COMPLETED_BEFORE if self.due else None

    def is_asked_for(self, today: date) -> bool:
        """Tell whether its registry should retire it now: it is sold whole, or its day is near."""
        near = self.completed_on is not None and self.completed_on <= today
        return near or not self.tonne.rest_g

    def is_overdue(self, today: date) -> bool:
        """Tell whether a promise was not kept."""
        return self.due is not None and self.due < today


@dataclass(frozen=True, slots=True)
class ClassPool:
    """The pool of one credit class: an issuing programme with its projects."""

    programme: str
    names: dict[str, str]
    pool: Pool


def tonnes() -> list[DueTonne]:
    """Return every tonne that is sold from and only held, the most urgent first."""
    prices = _newest_offers()
    found = []
    for tonne in pool_queries.only_held():
        due = certificate_queries.first_promise(tonne.lane_id, tonne.span_g)
        offer = prices.get(tonne.batch.project_id)
        cost = cost_of(tonne.rest_g, offer) if offer and tonne.rest_g else None
        found.append(DueTonne(tonne, due, cost))
    return sorted(found, key=lambda each: (each.due or date.max, each.tonne.batch.id))


def by_class(projects: Iterable[Project] | None = None) -> list[ClassPool]:
    """Return the pool of each credit class, by its code."""
    rows = list(registry_queries.projects(active_only=False) if projects is None else projects)
    pools = pool_queries.pools(rows)
    sums: dict[str, Pool] = defaultdict(Pool)
    for row in rows:
        sums[row.programme.code] += pools.get(row.id, Pool())
    names = {row.programme.code: row.programme.names for row in rows}
    return [ClassPool(code, names[code], pool) for code, pool in sorted(sums.items())]


def complete_due(limit: int = 16, *, at: datetime | None = None) -> int:
    """Complete open tonnes whose promised day is near; none while sales are stopped.

    Idempotent by: each tonne. Returns how many were completed.
    """
    at = at or now()
    if not sales.may_retire(at=at):
        return 0
    today, done = business_day(at), 0
    for due in tonnes():
        if done == limit:
            break
        if due.tonne.rest_g and due.is_asked_for(today):
            done += complete_tonne(due.tonne, at=at) is not None
    return done


def complete_tonne(tonne: PoolTonne, *, at: datetime | None = None) -> Retirement | None:
    """Buy and retire what nobody has of an open tonne; None when nothing of it is free.

    Held grams are left to those who hold them. Idempotent by: the batch and the tonne.
    Locks: the lane, the trail, the head of the public log.
    """
    at = at or now()
    batch, number = tonne.batch, tonne.number
    try:
        with transaction.atomic():
            retirement = pool_actions.complete(lane_id=tonne.lane_id, tonne=number, at=at)
            if retirement is None:
                return None
            cost = _book(retirement, at)
            audit_actions.record(
                actor_ref="platform",
                action="tonne.completed",
                subject_ref=f"batch:{batch.public_id}",
                details={
                    "tonne": number,
                    "mass_g": retirement.mass_g,
                    "retirement": retirement.public_id,
                    "cost": f"{cost.decimal()} {cost.currency}" if cost else "",
                },
                at=at,
            )
            ranges = registry_queries.ranges_of(retirement)
            log_actions.append_many([log_entries.retired(retirement, ranges)], at=at)
    except BatchNotOpenError:
        log.warning("tonne %s of %s is not completed: its batch may not serve", number, batch)
        return None
    log.info("tonne %s of %s is completed with %s g", number, batch, retirement.mass_g)
    return retirement


def cost_of(mass_g: int, offer: Offer) -> Money:
    """Return what a mass costs us at an offer: its supplier's part, without our fee."""
    return price(
        mass_g,
        price_per_tonne_minor=offer.price_per_tonne_minor,
        fee_basis_points=0,
        fee_minimum_minor=0,
        currency=offer.currency,
    ).supplier


def _book(retirement: Retirement, at: datetime) -> Money | None:
    """Book our cost, owed to the supplier; nothing where a project never had a price."""
    offer = _newest_offers().get(retirement.project_id)
    if offer is None:
        return None
    cost = cost_of(retirement.mass_g, offer)
    ledger_actions.post(
        kind="completion",
        source_ref=f"{retirement.source_ref}:completion",
        owner_ref=retirement.source_ref,
        lines=ledger_rules.build_completion(cost, supplier_ref=retirement.project.supplier_ref),
        at=at,
    )
    return cost


def _newest_offers() -> dict[int, Offer]:
    """Return the offer of each project that stands, else its last one."""
    return {row.project_id: row for row in Offer.objects.order_by("is_active", "id")}
