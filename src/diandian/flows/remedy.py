"""What is put in the place of recalled grams: the batch's buffer, or a new retirement, or nothing.

All of a portion is one commit: reversal, replacements, their money, the steps on record and the
next versions of the certificates. The recall's row is locked by the caller, so portions take turns.
*Source:* registry design, section 3.4 (R12, M6); market study, M7.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from diandian.audit import actions as audit_actions
from diandian.certificates import actions as certificate_actions
from diandian.certificates import queries as certificate_queries
from diandian.certificates.models import Certificate
from diandian.certificates.recalled import NextVersions
from diandian.flows import log_entries
from diandian.flows.log_entries import Entry
from diandian.kernel.mass import GRAMS_PER_TONNE
from diandian.kernel.money import Money
from diandian.ledger import actions as ledger_actions
from diandian.ledger import rules as ledger_rules
from diandian.orders import offers
from diandian.registry import actions as registry_actions
from diandian.registry import queries as registry_queries
from diandian.registry.actions import RetireRequest
from diandian.registry.models import Recall, RecallKind, RemedyOutcome, Retirement
from diandian.registry.queries import UpstreamState
from diandian.registry.recalls import actions as recall_actions
from diandian.registry.recalls import lots as recall_lots
from diandian.registry.recalls import rules as recall_rules
from diandian.registry.recalls.rules import Lot, Piece, Span, Step
from diandian.registry.recalls.standing import Fresh, Known, Loss, losses_of, standing_ranges
from diandian.transparency import actions as log_actions
from diandian.transparency.actions import Place

ANSWERED = "certificate.recalled"
_HOLD = timedelta(hours=1)
_REASON = "Some of these tonnes were recalled; a newer version says what was done."


@dataclass(slots=True)
class Need:
    """A retirement with recalled grams that nothing stands for yet; ``step``: the last one.

    ``spans``: its grams in the recall's batch, where it is met for the first time.
    """

    retirement: Retirement
    root_id: int
    affected_g: int
    missing_g: int
    step: int = 0
    spans: Sequence[Span] = ()
    steps: list[Step] = field(default_factory=list)
    replacements: list[Retirement | None] = field(default_factory=list)

    def answer(
        self, outcome: RemedyOutcome, mass_g: int, replacement: Retirement | None = None
    ) -> None:
        """Add a step."""
        assert 0 <= mass_g <= self.missing_g, "never more than what is missing"
        self.step += 1
        self.missing_g -= mass_g
        self.steps.append(
            Step(
                retirement_id=self.retirement.id,
                root_id=self.root_id,
                step=self.step,
                outcome=outcome.value,
                affected_g=self.affected_g,
                remedied_g=mass_g,
                short_g=self.missing_g,
                replacement_id=replacement.id if replacement else None,
            )
        )
        self.replacements.append(replacement)


def remedy(recall: Recall, needs: Sequence[Need], *, at: datetime, is_retry: bool = False) -> int:
    """Answer needs in the caller's transaction; return how many retirements got a step.

    A retry only answers what it can replace whole. Locks: lanes by id, the trail, the head of
    the log, after the orders and the recall, which the caller holds.
    """
    if not needs:
        return 0
    # All lanes are locked before the trail is: the house's order.
    lots = recall_lots.lots_for(recall)
    entries = []
    if recall.kind == RecallKind.REVERSAL and not is_retry:
        entries += _from_buffer(recall, needs, at)
    made = _replace(recall, needs, lots, at, whole=is_retry)
    entries += [log_entries.retired(*each) for each in made.values()]
    for need in needs:
        if not need.steps and not is_retry:
            need.answer(RemedyOutcome.SHORT, 0)
    answered = [need for need in needs if need.steps]
    if not answered:
        return 0
    steps = [step for need in answered for step in need.steps]
    numbers = recall_actions.write_remedies(recall, steps, at=at)
    _record(recall, answered, at)
    entries += [
        log_entries.remedied(recall, need.retirement, step, replacement)
        for need in answered
        for step, replacement in zip(need.steps, need.replacements, strict=True)
    ]
    # Before a backup came back the log may have told of the same answers: those stand.
    places = log_actions.append_new(entries, at=at)
    met = {need.retirement.id: need.spans for need in answered if need.spans}
    fresh = Fresh(recall, list(zip(numbers, steps, strict=True)), made, met)
    _certificates(fresh, places, at)
    return len(answered)


def free_g(recall: Recall) -> int:
    """Return the grams that may replace recalled ones now; nothing is locked or written."""
    lots = recall_lots.lots_for(recall, locks=False)
    return sum(lot.free_g for lot in _priced(lots, _prices(lots)) if lot.free_g > 0)


def _prices(lots: Iterable[Lot]) -> dict[int, Money]:
    return offers.prices_per_tonne({lot.project_id for lot in lots})


def _priced(lots: Iterable[Lot], prices: Mapping[int, Money]) -> list[Lot]:
    """Return the lots with a price: nobody knows what a tonne costs that was never offered."""
    return [lot for lot in lots if lot.project_id in prices]


def _from_buffer(recall: Recall, needs: Iterable[Need], at: datetime) -> list[Entry]:
    """Let the batch's buffer answer first: one cancellation for the whole portion."""
    left_g = before_g = recall_lots.buffer_left_g(recall.batch)
    first = 0
    for need in needs:
        take_g = min(left_g, need.missing_g)
        if take_g:
            first = first or need.retirement.id
            left_g -= take_g
            need.answer(RemedyOutcome.BUFFER, take_g)
    if before_g == left_g:
        return []
    links = registry_actions.cancel(
        batch=recall.batch,
        mass_g=before_g - left_g,
        reason=recall.reason,
        source_ref=f"{_ref(recall)}:buffer:{first}",
        from_buffer=True,
        at=at,
    )
    return [log_entries.cancelled(recall.batch, links, recall.reason)]


def _replace(
    recall: Recall, needs: Iterable[Need], lots: Sequence[Lot], at: datetime, *, whole: bool
) -> Known:
    """Retire what may replace; return the new retirements with their ranges, by id."""
    open_needs = [need for need in needs if need.missing_g]
    prices = _prices(lots)
    lots = _priced(lots, prices)
    wanted = _planned(recall, open_needs, lots, whole=whole)
    if not wanted:
        return {}
    recall_actions.hold_pieces(
        [(owner_ref, piece) for _, owner_ref, piece in wanted], expires_at=at + _HOLD
    )
    made, ranges = registry_actions.retire_all(
        [_wish(recall, need, owner_ref) for need, owner_ref, _ in wanted], at=at
    )
    for (need, _, piece), replacement in zip(wanted, made, strict=True):
        assert replacement.mass_g == piece.mass_g, "R7"
        replacement.replaces = need.retirement
        need.answer(RemedyOutcome.REPLACED, piece.mass_g, replacement)
    _pay(recall, made, prices, f"{wanted[0][1]}:money", at)
    return {row.id: (row, ranges[row.id]) for row in made}


def _planned(
    recall: Recall, needs: Iterable[Need], lots: Sequence[Lot], *, whole: bool
) -> list[tuple[Need, str, Piece]]:
    wanted = []
    for need in needs:
        # What is used up is not looked at again for each of the others.
        lots = [lot for lot in lots if lot.free_g > 0]
        if not lots:
            break
        pieces = recall_rules.replace(lots, need.missing_g, whole=whole)
        for number, piece in enumerate(pieces, start=need.step + 1):
            wanted.append((need, f"{_ref(recall)}:{need.retirement.id}:{number}", piece))
    return wanted


def _wish(recall: Recall, need: Need, owner_ref: str) -> RetireRequest:
    """Return the retirement that stands in; the holder is named by the first one alone."""
    old = need.retirement
    return RetireRequest(
        owner_ref=owner_ref,
        source_ref=f"{owner_ref}:retirement",
        subject={"replaces": old.public_id, "recall": recall.public_id},
        purpose="remedy",
        context_ref=_ref(recall),
        holder_kind=old.holder_kind,
        claim_from=old.claim_from,
        claim_to=old.claim_to,
        is_sample=old.is_sample,
        replaces_id=old.id,
    )


def _ref(recall: Recall) -> str:
    return f"recall:{recall.public_id}"


# --- money --------------------------------------------------------------------------------------


def _pay(
    recall: Recall,
    made: Sequence[Retirement],
    prices: Mapping[int, Money],
    source_ref: str,
    at: datetime,
) -> None:
    """Owe the owners of the new grams their price, in the same commit (M6); parts count as one."""
    masses_g: dict[int, int] = {}
    projects = {}
    for row in made:
        masses_g[row.project_id] = masses_g.get(row.project_id, 0) + row.mass_g
        projects[row.project_id] = row.project
    ledger_actions.post_many(
        [
            ledger_actions.JournalRequest(
                kind="remedy",
                source_ref=f"{source_ref}:{project_id}",
                owner_ref=_ref(recall),
                lines=ledger_rules.build_remedy(
                    _price(prices[project_id], mass_g),
                    supplier_ref=projects[project_id].supplier_ref,
                ),
            )
            for project_id, mass_g in sorted(masses_g.items())
        ],
        at=at,
    )


def _price(per_tonne: Money, mass_g: int) -> Money:
    """Return what grams cost. Rounding: up, so that no owner gets less."""
    return Money(-(-per_tonne.amount_minor * mass_g // GRAMS_PER_TONNE), per_tonne.currency)


# --- certificates -------------------------------------------------------------------------------


def _certificates(fresh: Fresh, places: Iterable[Place], at: datetime) -> None:
    """Write the next version of the certificates of chains; their orders are locked."""
    logged = {
        place.entry["retirement"]: place.record()
        for place in places
        if place.entry["type"] == "retire"
    }
    rows = certificate_queries.current_of({step.root_id for _, step in fresh.steps})
    if not rows:
        return
    losses = losses_of([row.retirement_id for row in rows], fresh)
    promised = _promised([row for row in rows if row.promised_by], losses)
    following = NextVersions(at=at, logged=logged)
    # Each is made when it is signed, while the database writes the ones before.
    records = (
        following.of(
            certificate_queries.record_of(row),
            replaced_sha256=row.sha256,
            losses=losses[row.retirement_id],
            promised=promised.get(row.retirement_id),
        )
        for row in rows
    )
    written = certificate_actions.supersede(rows, records, reason=_REASON, at=at)
    audit_actions.publish_many(
        ANSWERED,
        {
            f"certificate:{row.code}:v{record['version']}": {
                "code": row.code,
                "version": record["version"],
                "recall": fresh.recall.public_id,
                "state": record["state"],
            }
            for row, record in zip(rows, written, strict=True)
        },
    )


def _promised(
    rows: Sequence[Certificate], losses: Mapping[int, Sequence[Loss]]
) -> dict[int, tuple[Retirement, UpstreamState]]:
    """Return where the standing tonnes are of certificates that promise to retire them."""
    retirements = {row.retirement_id: row.retirement for row in rows}
    ranges = registry_queries.ranges_of_many(retirements.values())
    standing = {id_: standing_ranges(found, losses[id_]) for id_, found in ranges.items()}
    states = registry_queries.upstream_states(standing)
    return {id_: (retirements[id_], state) for id_, state in states.items()}


def _record(recall: Recall, answered: Sequence[Need], at: datetime) -> None:
    audit_actions.record(
        actor_ref="platform",
        action="recall.answered",
        subject_ref=_ref(recall),
        details={
            "retirements": len(answered),
            "first": answered[0].retirement.public_id,
            "last": answered[-1].retirement.public_id,
            "short_g": sum(need.missing_g for need in answered),
        },
        at=at,
    )
