"""Books what gateways keep for themselves, line by line of their statements, each once.

Where the supplier collects, the gateway's fee is the supplier's and nothing is booked.
*Source:* payments design, section 8.
"""

from collections.abc import Container, Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from django.db import transaction

from diandian.kernel.canonical import digest_hex
from diandian.kernel.money import Money
from diandian.ledger import actions as ledger_actions
from diandian.ledger import rules as ledger_rules
from diandian.ledger.actions import JournalRequest
from diandian.ledger.errors import PostedDifferentlyError
from diandian.reconciliation import rules
from diandian.reconciliation.models import GatewayDay
from diandian.reconciliation.rules import Item

KIND = "gateway_fee"
_PORTION = 500
NOT_OURS = ("gateway_split",)


def money_kind(kinds: Container[str]) -> str:
    """Return which of some statements tells how our money moved; nothing when there is none."""
    return next((kind for kind in ("funds", "trades") if kind in kinds), "")


def are_ours(day: GatewayDay) -> bool:
    """Tell whether money and fees of a day are ours, and not a supplier's own."""
    return day.settlement not in NOT_OURS


def source_ref(day: GatewayDay, key: str) -> str:
    """Return the reference under which a line's fee is booked."""
    of_line = digest_hex([day.gateway, day.mode, day.account, day.day.isoformat(), key])
    return f"{KIND}:{day.gateway}:{of_line[:32]}"


def book(day: GatewayDay, items: Sequence[Item], *, at: datetime) -> list[Item]:
    """Book the fees of lines that agree; return the items, those that differ from a booking so.

    Idempotent by: the line. In portions, so that no sale waits for a long day.
    """
    if not are_ours(day):
        return list(items)
    charged = [item for item in items if _is_charged(item)]
    refused: set[str] = set()
    for start in range(0, len(charged), _PORTION):
        refused |= _book_portion(day, charged[start : start + _PORTION], at)
    return [
        replace(item, outcome="fee_diff", detail="booked_otherwise")
        if item.key in refused
        else item
        for item in items
    ]


def _is_charged(item: Item) -> bool:
    return (
        item.outcome == rules.MATCHED
        and item.is_of_line
        and item.line is not None
        and rules.fee_of(item.line) != 0
        and not _is_booked_with_it(item)
    )


def _is_booked_with_it(item: Item) -> bool:
    """Tell whether a chargeback's fee was booked with it, when the gateway told of it."""
    is_told = item.kind == "dispute" and item.fact is not None and item.fact.fee_minor is not None
    return is_told and item.detail != rules.FEE_ALONE


def _book_portion(day: GatewayDay, items: Iterable[Item], at: datetime) -> set[str]:
    """Book some fees together; return the keys of those that are booked otherwise already."""
    requests = {item.key: _request(day, item) for item in items}
    try:
        with transaction.atomic():
            ledger_actions.post_many(list(requests.values()), at=at)
    except PostedDifferentlyError:
        return {key for key, request in requests.items() if not _is_booked(request, at)}
    return set()


def _is_booked(request: JournalRequest, at: datetime) -> bool:
    try:
        with transaction.atomic():
            ledger_actions.post_many([request], at=at)
    except PostedDifferentlyError:
        return False
    return True


def _request(day: GatewayDay, item: Item) -> JournalRequest:
    line = item.line
    assert line is not None, "a fee is of a line"
    fee_minor = rules.fee_of(line)
    is_dispute = item.kind == "dispute"
    build = ledger_rules.build_dispute_fee if is_dispute else ledger_rules.build_gateway_fee
    lines = build(Money(abs(fee_minor), line.currency), gateway=day.gateway, merchant=day.account)
    if fee_minor < 0:
        # The gateway gave a fee back.
        lines = [each.swapped() for each in lines]
    return JournalRequest(
        kind=KIND,
        source_ref=source_ref(day, item.key),
        owner_ref=f"merchant:{day.merchant_key}",
        lines=lines,
    )
