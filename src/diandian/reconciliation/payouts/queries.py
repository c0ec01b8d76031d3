"""Reads payouts of gateways to our bank."""

from datetime import date, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from diandian.reconciliation.errors import UnknownPayoutError
from diandian.reconciliation.models import (
    NUMBER_PREFIX,
    GatewayPayout,
    PayoutState,
    StatementRow,
)

# A bank takes some days; what was paid out longer apart is other money.
NEAR = timedelta(days=7)


def by_id(number: int) -> GatewayPayout:
    """Return a payout. Raises: UnknownPayoutError."""
    found = GatewayPayout.objects.filter(id=number).first()
    if found is None:
        raise UnknownPayoutError
    return found


def by_ref(
    gateway: str, mode: str, account: str, payout_ref: str, *, is_return: bool
) -> GatewayPayout | None:
    """Return what is known under a gateway's number, in one direction."""
    mine = GatewayPayout.objects.filter(gateway=gateway, mode=mode, account=account)
    living = mine.exclude(state=PayoutState.REFUSED)
    return living.filter(payout_ref=payout_ref, is_return=is_return).first()


def like(payout: GatewayPayout) -> GatewayPayout | None:
    """Return another that may be the same money, and that nobody found at the bank yet."""
    rows = _alike(payout).exclude(id=payout.id)
    return rows.filter(Q(bank_ref="") | Q(bank_ref=payout.bank_ref)).first()


def by_hand_like(payout: GatewayPayout) -> GatewayPayout | None:
    """Return one that people entered, that no statement tells, and that may be the same money."""
    return _by_hand(_alike(payout)).first()


def _alike(payout: GatewayPayout) -> QuerySet[GatewayPayout]:
    rows = GatewayPayout.objects.filter(
        gateway=payout.gateway,
        mode=payout.mode,
        account=payout.account,
        is_return=payout.is_return,
        amount_minor=payout.amount_minor,
        currency=payout.currency,
        paid_on__range=(payout.paid_on - NEAR, payout.paid_on + NEAR),
    )
    return rows.exclude(state=PayoutState.REFUSED)


def _by_hand(rows: QuerySet[GatewayPayout]) -> QuerySet[GatewayPayout]:
    """Narrow down to what people entered and no statement tells by its number."""
    told = StatementRow.objects.filter(
        kind="payout",
        gateway_ref=OuterRef("payout_ref"),
        file__day__gateway=OuterRef("gateway"),
        file__day__mode=OuterRef("mode"),
        file__day__account=OuterRef("account"),
    )
    return rows.filter(Q(payout_ref="") | ~Exists(told), row=None)


def booked_by_hand(limit: int) -> list[GatewayPayout]:
    """Return what people booked and no statement tells, newest first."""
    return list(_by_hand(GatewayPayout.objects.filter(state=PayoutState.BOOKED))[:limit])


def is_told(payout: GatewayPayout) -> bool:
    """Tell whether a statement tells of a payout, so that nobody undoes it."""
    return not _by_hand(GatewayPayout.objects.filter(id=payout.id)).exists()


def of_day(gateway: str, mode: str, account: str, day: date, refs: set[str]) -> list[GatewayPayout]:
    """Return the payouts of an account on a day, and those of some numbers on any day."""
    mine = GatewayPayout.objects.filter(gateway=gateway, mode=mode, account=account)
    return list(mine.filter(Q(paid_on=day) | Q(payout_ref__in=sorted(refs - {""}))))


def waiting() -> list[GatewayPayout]:
    """Return what one person entered and a second one decides about, oldest first."""
    return list(GatewayPayout.objects.filter(state=PayoutState.ASKED).order_by("id"))


def on_the_way() -> list[GatewayPayout]:
    """Return what left a gateway, and that nobody found at the bank yet, oldest first."""
    booked = GatewayPayout.objects.filter(state=PayoutState.BOOKED, bank_ref="")
    return list(booked.order_by("paid_on", "id"))


def newest(limit: int) -> list[GatewayPayout]:
    """Return what was booked and has arrived, newest first."""
    booked = GatewayPayout.objects.filter(state=PayoutState.BOOKED).exclude(bank_ref="")
    return list(booked[:limit])


def id_of(number: str) -> int | None:
    """Return which payout a number of ours stands for; None when it is none."""
    digits = number.removeprefix(NUMBER_PREFIX)
    return int(digits) if number.startswith(NUMBER_PREFIX) and digits.isdecimal() else None
