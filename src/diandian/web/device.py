"""What a device ordered, found by the signed guest cookie; reads only."""

from diandian.certificates.models import Certificate, CertificateState
from diandian.orders.models import Order, OrderState

_MOST = 200


def orders_of(guest_key: str) -> list[Order]:
    """Return a device's orders, newest first; none without a key."""
    if not guest_key:
        return []
    rows = Order.objects.filter(guest_key=guest_key).select_related("scene", "footprint")
    return list(rows.order_by("-id")[:_MOST])


def scenes_lit(guest_key: str) -> int:
    """Return in how many scenes a device has a completed order, shown on a board or not."""
    done = Order.objects.filter(guest_key=guest_key, state=OrderState.COMPLETED)
    return done.filter(scene__isnull=False).values("scene").distinct().count()


def certificates_of(orders: list[Order]) -> dict[str, Certificate]:
    """Return the newest certificate of each order, by the order's reference."""
    refs = [order.ref for order in orders]
    rows = Certificate.objects.filter(order_ref__in=refs)
    rows = rows.exclude(state=CertificateState.SUPERSEDED).order_by("id")
    return {row.order_ref: row for row in rows}
