"""A person's data erased everywhere at once; what was retired and paid stays, without the person.

Erased: the name, the answers, the places, the tie to the device, the lines on the boards. Kept:
grams, serials, money and the certificate's code, so that the register still adds up (R5, R11).
"""

from datetime import datetime

from django.db import transaction

from diandian.audit import actions as audit_actions
from diandian.certificates import actions as certificate_actions
from diandian.certificates import queries as certificate_queries
from diandian.flows.locks import lock_order
from diandian.footprints import actions as footprint_actions
from diandian.kernel.clock import now
from diandian.leaderboards import actions as leaderboard_actions
from diandian.orders import actions
from diandian.orders.models import Order
from diandian.registry import actions as registry_actions


@transaction.atomic
def erase_guest(guest_key: str, *, at: datetime | None = None) -> list[str]:
    """Erase what this device's orders know of a person. Returns the codes of their certificates.

    Locks: the orders, in id order. Idempotent: a second call finds nothing.
    """
    at = at or now()
    assert guest_key, "without a key every order without one would be found"
    ids = Order.objects.filter(guest_key=guest_key).order_by("id").values_list("id", flat=True)
    codes = [code for order_id in ids if (code := _erase(lock_order(order_id), at))]
    leaderboard_actions.leave(guest_key)
    if ids:
        audit_actions.record(
            actor_ref="guest", action="person.erased", subject_ref=f"orders:{len(ids)}", at=at
        )
    return codes


@transaction.atomic
def leave_boards(guest_key: str) -> None:
    """Take a person off every board; orders that are still under way no longer add them."""
    actions.take_off_boards(guest_key)
    leaderboard_actions.leave(guest_key)


def _erase(order: Order, at: datetime) -> str:
    """Erase one order's person. Returns the code of its certificate, or nothing."""
    certificate = certificate_queries.of_order(order.ref)
    if order.footprint is not None:
        footprint_actions.erase(order.footprint, at=at)
    if certificate is not None:
        registry_actions.erase_beneficiary(certificate.retirement, at=at)
        certificate_actions.take_name_out(certificate, at=at)
    actions.erase_name(order)
    return certificate.code if certificate is not None else ""
