"""Reads payouts of gateways to our bank."""

from datetime import date, timedelta

from django.db.models import Q

from diandian.reconciliation.errors import UnknownPayoutError
from diandian.reconciliation.models import NUMBER_PREFIX, GatewayPayout, PayoutState

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
    """Return one that may be the same money, and that nobody found at the bank yet."""
    rows = GatewayPayout.objects.filter(
        gateway=payout.gateway,
        mode=payout.mode,
        account=payout.account,
        is_return=payout.is_return,
        amount_minor=payout.amount_minor,
        currency=payout.currency,
        paid_on__range=(payout.paid_on - NEAR, payout.paid_on + NEAR),
    ).exclude(state=PayoutState.REFUSED)
    return rows.filter(Q(bank_ref="") | Q(bank_ref=payout.bank_ref)).first()


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
