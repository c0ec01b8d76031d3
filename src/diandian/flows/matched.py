"""Whether a payment stands in its gateway's own statement; only then its supplier is paid.

*Source:* payments design, section 10.
"""

from django.conf import settings

from diandian.payments import merchants
from diandian.payments.models import Payment
from diandian.reconciliation import queries as reconciliation


def is_matched(payment: Payment) -> bool:
    """Tell whether a statement bears a payment out; where a gateway has none, nothing can.

    Raises: UnknownGatewayError.
    """
    gateway = merchants.gateway_of(payment.gateway)
    if not gateway.capabilities(merchants.of_payment(payment).context).statements:
        return True
    return stands_on_statement(payment)


def stands_on_statement(payment: Payment) -> bool:
    """Tell whether a statement bears a payment out, whatever its gateway offers now."""
    return reconciliation.is_matched(payment.payment_no, settings.SIGN_ALONE_MINOR)
