"""Paid orders to retired grams: money, retirement, certificate and outbox in one commit.

``drain`` takes many orders a transaction; with one order it is the synchronous path. Orders whose
batch may not serve are left out in one pass; any other poison order is split off by halving, so
that it cannot stop the others. *Source:* registry design, section 4.2.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction

from diandian.audit import actions as audit_actions
from diandian.certificates import actions as certificate_actions
from diandian.certificates.record import Facts, Shared, build
from diandian.emissions.life.certified import is_year
from diandian.flows import deadline, line_claims, log_entries, postings, refund, review, sales
from diandian.flows.deadline import GIVE_UP_AFTER
from diandian.flows.locks import lock_intakes
from diandian.kernel import tokens
from diandian.kernel.clock import business_day, now
from diandian.kernel.collector import collector_held
from diandian.kernel.errors import DiandianError
from diandian.kernel.money import Money
from diandian.leaderboards import actions as leaderboard_actions
from diandian.leaderboards.actions import Light
from diandian.ledger import actions as ledger_actions
from diandian.ledger.actions import JournalRequest
from diandian.ledger.models import Journal
from diandian.orders import actions, queries
from diandian.orders.models import Intake, Order
from diandian.registry import actions as registry_actions
from diandian.registry import queries as registry_queries
from diandian.registry.actions import RetireRequest
from diandian.registry.errors import BatchNotOpenError
from diandian.registry.models import Retirement
from diandian.registry.queries import RetiredRange
from diandian.store.running import pipelined, set_off
from diandian.transparency import actions as log_actions
from diandian.transparency.errors import LogRefusedError

log = logging.getLogger(__name__)

# The platform completes a part-tonne itself at the latest by then (market study, M2).
RETIRE_WITHIN = timedelta(days=14)


def drain(limit: int = queries.MOST_AT_ONCE, *, at: datetime | None = None) -> int:
    """Fulfil waiting orders, oldest first. Returns how many were fulfilled; none when stopped."""
    at = at or now()
    if not sales.may_retire(at=at):
        return 0
    return _fulfil_or_split(queries.waiting_order_ids(limit, due_at=at), at)


def fulfil_order(order_id: int, *, at: datetime | None = None) -> bool:
    """Fulfil one paid order now. Idempotent by the order: False when it is not waiting, or held.

    False too while sales are stopped: it waits in the intake.
    """
    if not sales.may_retire(at=at):
        return False
    return bool(_fulfil_or_split([order_id], at or now()))


def _fulfil_or_split(order_ids: list[int], at: datetime) -> int:
    if not order_ids:
        return 0
    try:
        return _fulfil(order_ids, at)
    except LogRefusedError as error:
        # The signer refused it meanwhile. It is no fault of any order: all of them wait.
        log.error("nothing is retired: %s", error)  # noqa: TRY400
        return 0
    except Exception as error:  # noqa: BLE001 - whatever one order does, the others go on
        failed = _named(order_ids, error)
        if not failed and len(order_ids) == 1:
            failed = {order_ids[0]: error}
        if failed:
            _fail_all(failed, at)
            return _fulfil_or_split([each for each in order_ids if each not in failed], at)
        half = len(order_ids) // 2
        return _fulfil_or_split(order_ids[:half], at) + _fulfil_or_split(order_ids[half:], at)


def _named(order_ids: Sequence[int], error: Exception) -> dict[int, Exception]:
    """Return the orders that a refusal names with their reasons: owners in idle batches."""
    by_owner = error.by_owner if isinstance(error, BatchNotOpenError) else {}
    return {each: by_owner[ref] for each in order_ids if (ref := f"order:{each}") in by_owner}


def _fail_all(errors: Mapping[int, Exception], at: datetime) -> None:
    """Count failures, in one commit, then end what has failed for good, each on its own."""
    intakes = Intake.objects.select_related("order__paid_by").filter(order_id__in=errors)
    failed = [(intake, errors[intake.order_id]) for intake in intakes]
    with transaction.atomic():
        for intake, error in failed:
            log.error("order %s could not be fulfilled", intake.order_id, exc_info=error)
            actions.note_failure(intake, str(error), due=deadline.of(intake), at=at)
    for intake, error in failed:
        if intake.attempts >= GIVE_UP_AFTER:
            _end(intake, error, at)


def _end(intake: Intake, error: Exception, at: datetime) -> None:
    """End what fails for good: what can never succeed is refunded, faults of ours are for people.

    What may still succeed waits until its deadline, then people decide.
    """
    if isinstance(error, DiandianError) and not error.retryable:
        refund.give_up(intake, str(error), at=at)
    elif not isinstance(error, DiandianError) or at >= deadline.of(intake):
        review.keeps_failing(intake, error, at=at)


@transaction.atomic
def _fulfil(order_ids: list[int], at: datetime) -> int:
    """Fulfil orders in one commit.

    Locks: orders in id order, covered scenes, lanes, the head of the public log.
    """
    with collector_held, pipelined():
        return _fulfil_locked(order_ids, at)


def _fulfil_locked(order_ids: list[int], at: datetime) -> int:
    intakes = lock_intakes(order_ids, at=at)
    orders = [intake.order for intake in intakes]
    if not orders:
        return 0
    for order in orders:
        line_claims.complete(order)
    sold = postings.sales(orders)
    journals, retirements, ranges_by_id, logged = book_and_retire(
        sold, [_wish(order) for order in orders], at=at
    )
    pairs = list(zip(orders, retirements, strict=True))
    places = {place.entry["retirement"]: place for place in logged}
    certificate_actions.issue(_certificates(pairs, ranges_by_id, places, at), at=at)
    actions.complete(pairs, list(zip(orders, journals, strict=False)), at=at)
    leaderboard_actions.light_many([_light(order) for order in orders if _is_shown(order)], at=at)
    audit_actions.publish_many(
        "order.completed", {f"{order.ref}:completed": {"order": order.id} for order in orders}
    )
    return len(orders)


class Retired(NamedTuple):
    """What ``book_and_retire`` wrote. ``ranges_by_id``: by the retirements' ids."""

    journals: list[Journal]
    retirements: list[Retirement]
    ranges_by_id: dict[int, list[RetiredRange]]
    logged: list[log_actions.Place]


def book_and_retire(
    sales: Sequence[JournalRequest], wishes: Sequence[RetireRequest], *, at: datetime
) -> Retired:
    """Book sales, retire what was bought, and enter it in the public log; each in its order.

    Each room asks what it must know before any writes, and says what waits for an answer last: so
    the server writes one room's rows while the next one's are made.
    Inside the caller's transaction and ``pipelined``. Locks and raises: as each of them.
    """
    book = ledger_actions.ask_post_many(sales, at=at)
    retiring = registry_actions.Retiring(wishes, at=at)
    set_off()
    journals = book()
    retiring.write()
    append = log_actions.ask_append(len(wishes), at=at)
    retirements, ranges_by_id = retiring.finish()
    logged = append(log_entries.all_retired(retirements, ranges_by_id))
    return Retired(journals, retirements, ranges_by_id, logged)


def _wish(order: Order) -> RetireRequest:
    scene = order.scene
    return RetireRequest(
        owner_ref=order.ref,
        source_ref=f"{order.ref}:retirement",
        subject={"display_name": order.beneficiary_name, "order": order.ref},
        purpose=_purpose(order),
        context_ref=f"scene:{scene.id}" if scene else "",
        holder_kind=order.holder_kind,
        claim_from=scene.starts_on if scene else None,
        claim_to=scene.ends_on if scene else None,
        is_sample=bool(scene and scene.is_sample) or order.project.is_sample,
    )


def _purpose(order: Order) -> str:
    """Return what the grams are for, as the register says it."""
    if is_year(order.quote.estimate):
        return "life"
    return "trip" if order.footprint_id or order.quote.estimate else "lump_sum"


def _certificates(
    pairs: Sequence[tuple[Order, Retirement]],
    ranges_by_id: Mapping[int, Sequence[RetiredRange]],
    places: Mapping[str, log_actions.Place],
    at: datetime,
) -> list[certificate_actions.Issue]:
    upstream_by_id = registry_queries.upstream_states(ranges_by_id)
    wanted, shared = [], Shared()
    for order, retirement in pairs:
        ranges = ranges_by_id[retirement.id]
        quote = order.quote
        estimate = order.footprint.estimate if order.footprint else quote.estimate
        facts = Facts(
            code=tokens.new_code(),
            language=order.language,
            display_name=order.beneficiary_name,
            retirement=retirement,
            ranges=ranges,
            batch=ranges[0].batch_row,
            upstream=upstream_by_id[retirement.id],
            scene=order.scene,
            estimate=estimate,
            supplier=Money(quote.supplier_minor, quote.currency),
            fee=Money(quote.fee_minor, quote.currency),
            issued_at=at,
            retire_by=business_day(at + RETIRE_WITHIN),
            log=places[retirement.public_id].record(),
            shared=shared,
        )
        wanted.append(certificate_actions.Issue(retirement, order.ref, build(facts)))
    return wanted


def _is_shown(order: Order) -> bool:
    """Tell whether an order lights its scene on the boards, for a guest who asked to be shown."""
    return bool(order.on_board and order.scene_id is not None and order.guest_key)


def _light(order: Order) -> Light:
    assert order.scene_id is not None, "only what is shown lights a scene"
    return Light(order.guest_key, order.scene_id, order.beneficiary_name, order.ref)
