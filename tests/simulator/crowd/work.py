"""What the worker of a crowd does about payments again and again; the office does the rest."""

from diandian.flows import expiry, fulfil, payment_events, refund
from diandian.jobs import subscribers

# As much at a time as the worker would have done since it last came by.
_AT_ONCE = 400


def poll():
    return payment_events.poll_due(_AT_ONCE)


WORK = (
    lambda: payment_events.retry_notices(_AT_ONCE),
    poll,
    lambda: expiry.release_expired(_AT_ONCE),
    fulfil.drain,
    lambda: refund.continue_refunds(_AT_ONCE),
    lambda: subscribers.deliver(_AT_ONCE),
)
