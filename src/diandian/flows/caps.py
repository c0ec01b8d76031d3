"""How much may be held by people who have not paid: nobody empties a project by ordering alone.

A hold costs its owner nothing for twenty minutes. Two rules keep that harmless:

- One device has at most ``UNPAID_ORDERS_PER_GUEST`` unpaid orders. The key is that of the guest's
  cookie, nothing more is kept of a person; orders without a key (programs) are not counted here.
- Large orders together hold unpaid at most as many grams as stay free for everybody else: half of
  what is to be had. Guests' trips are below the bound and never meet it, so a full hall on the last
  tonnes is not turned away; what is paid no longer counts, so a large buyer goes on in steps.
"""

from django.conf import settings

from diandian.orders import queries, rules
from diandian.orders.errors import HeldUnpaidError, TooManyUnpaidError
from diandian.orders.models import Order
from diandian.registry import queries as registry_queries


def refuse_many_unpaid(order: Order) -> None:
    """Refuse an order just written when its device has too many. Raises: TooManyUnpaidError.

    Two at the same moment may both pass: the bound is against hoarding, not exact.
    """
    limit = settings.UNPAID_ORDERS_PER_GUEST
    if order.guest_key and queries.unpaid_of_guest(order.guest_key) > limit:
        raise TooManyUnpaidError(limit=limit)


def refuse_hoarding(order: Order) -> None:
    """Refuse a large order just written and held when too little stays free.

    After the hold: its lane's lock lets one such order in after the other. Raises: HeldUnpaidError.
    """
    if order.mass_g <= rules.LARGE_ORDER_G:
        return
    free_g = registry_queries.available_g(order.project_id)
    unpaid_g = queries.large_unpaid_g(order.project_id)
    if unpaid_g > free_g:
        limit_g = rules.large_limit_g(
            free_g=free_g + order.mass_g, large_unpaid_g=unpaid_g - order.mass_g
        )
        raise HeldUnpaidError(limit_kg=limit_g // 1000)
