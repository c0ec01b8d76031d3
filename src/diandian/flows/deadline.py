"""Until when a paid order is tried to be retired, before people decide about it.

*Source:* market study, M6, and design of the registry, M6: every paid order ends retired or
refunded, with a clock.
"""

from datetime import datetime, timedelta

from django.conf import settings

from diandian.orders.models import Intake, IntakeState, Order, OrderState

# Failures before people are asked; the fifth comes after some eight minutes.
GIVE_UP_AFTER = 5


def of(intake: Intake) -> datetime:
    """Return the deadline of a paid order: what people decided, or hours after its payment.

    Where its guest could withdraw, the hours begin when that ended: nothing is retired before.
    Where the gateway named no time of the payment, when we heard of it counts.
    """
    if intake.keep_until is not None:
        return intake.keep_until
    order = intake.order
    paid_at = order.paid_by.paid_at if order.paid_by else None
    begins = max(filter(None, (paid_at or intake.created_at, order.retire_after)))
    return begins + timedelta(hours=settings.PAID_ORDER_HOURS)


def told_to_guest(order: Order) -> datetime | None:
    """Return the deadline of a paid order that does not get its turn; None while it is not late."""
    if order.state != OrderState.PAID:
        return None
    intake = _intake(order)
    if intake is None or (intake.attempts < GIVE_UP_AFTER and intake.keep_until is None):
        return None
    return of(intake)


def missed(order: Order) -> Intake | None:
    """Return the place in the queue of an order under review because it could not be retired."""
    if order.state != OrderState.REVIEW:
        return None
    intake = _intake(order)
    is_missed = intake and intake.state == IntakeState.PARKED and intake.attempts >= GIVE_UP_AFTER
    return intake if is_missed else None


def _intake(order: Order) -> Intake | None:
    return Intake.objects.select_related("order__paid_by").filter(order=order).first()
