"""A person's data erased everywhere at once; what was retired and paid stays, without the person.

Erased: the name, the answers, the places, the tie to the device, the lines on the boards. Kept:
grams, serials, money and the certificate's code, so that the register still adds up (R5, R11).
An order is erased by its secret link, all orders of a device by the device's key, and either by an
operator; a name that harms others is taken off the boards alone.
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
from diandian.leaderboards.models import Standing
from diandian.orders import actions, queries
from diandian.orders.errors import OrderNotFoundError
from diandian.orders.models import Order
from diandian.registry import actions as registry_actions
from diandian.ui import rendered


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
def erase_order(
    order: Order, *, actor_ref: str = "guest", reason: str = "", at: datetime | None = None
) -> str:
    """Erase the person of one order. Returns the code of its certificate, or nothing.

    On the boards, the scene that this order lit is no longer counted, and a name that is the same
    as the erased one goes. Locks: the order. Idempotent: a second call changes nothing.
    """
    at = at or now()
    locked = lock_order(order.id)
    if is_erased(locked):
        return certificate_queries.code_of_order(order.ref) or ""
    if locked.guest_key:
        leaderboard_actions.forget_order(
            locked.guest_key, source_ref=locked.ref, display_name=locked.beneficiary_name
        )
    code = _erase(locked, at)
    audit_actions.record(
        actor_ref=actor_ref,
        action="person.erased",
        subject_ref=order.ref,
        details={"reason": reason} if reason else None,
        at=at,
    )
    return code


def is_erased(order: Order) -> bool:
    """Tell whether an order's person was erased: every order is placed with a digest."""
    return not order.body_sha256


def order_named(text: str) -> Order:
    """Return the order that an operator names by its number, its link or its certificate's code.

    Raises: OrderNotFoundError.
    """
    word = text.strip().rstrip("/").rpartition("/")[2]
    certificate = certificate_queries.by_code(word)
    ref = certificate.order_ref if certificate else f"order:{word.removeprefix('order:')}"
    order = queries.order_of_ref(ref)
    if order is not None:
        return order
    if not word:
        raise OrderNotFoundError
    return queries.order_by_token(word)


@transaction.atomic
def leave_boards(guest_key: str) -> None:
    """Take a person off every board; orders that are still under way no longer add them."""
    actions.take_off_boards(guest_key)
    leaderboard_actions.leave(guest_key)


@transaction.atomic
def hide_board_name(
    row: Standing, *, reason: str, actor_ref: str, at: datetime | None = None
) -> bool:
    """Show a person without a name on every board, now and later; certificates do not change.

    The trail says who hid it and why, never the name. Idempotent: False when it was hidden already.
    """
    assert reason, "an operator says why"
    if not leaderboard_actions.hide_name(row.guest_key, at=at or now()):
        return False
    audit_actions.record(
        actor_ref=actor_ref,
        action="board.name_hidden",
        subject_ref=f"standing:{row.id}",
        details={"reason": reason},
        at=at,
    )
    return True


def _erase(order: Order, at: datetime) -> str:
    """Erase one locked order's person. Returns the code of its certificate, or nothing."""
    certificate = certificate_queries.of_order(order.ref)
    if order.footprint is not None:
        footprint_actions.erase(order.footprint, at=at)
    if certificate is not None:
        registry_actions.erase_beneficiary(certificate.retirement, at=at)
        certificate_actions.take_name_out(certificate, at=at)
        code = certificate.code
        # Papers with the name leave the disk too, once nobody can make them again.
        transaction.on_commit(lambda: rendered.forget(code))
    actions.erase_name(order)
    return certificate.code if certificate is not None else ""
