"""Which events have whom to tell: the whole list, on one page.

An event is delivered at least once; every handler must bear being called again with the same event.
"""

import logging
from collections.abc import Callable, Mapping

from diandian.audit import actions as audit_actions
from diandian.audit.models import OutboxEvent
from diandian.flows import promises, recall_told, remedy
from diandian.jobs import recall_mail
from diandian.jobs.outcomes import NobodyError, PutOffError

log = logging.getLogger(__name__)

Handler = Callable[[Mapping[str, object]], None]


def note_completion(payload: Mapping[str, object]) -> None:
    """Leave a line for the operator; mail and other channels to guests do not exist yet."""
    log.info("order %s is completed", payload.get("order"))


def note_version(payload: Mapping[str, object]) -> None:
    """Leave a line for the operator: a certificate says something new; guests have no address."""
    log.info("certificate %s has version %s", payload.get("code"), payload.get("version"))


SUBSCRIBERS: dict[str, tuple[Handler, ...]] = {
    "order.completed": (note_completion,),
    promises.FOLLOW: (promises.follow_on,),
    promises.FOLLOWED: (note_version,),
    remedy.ANSWERED: (note_version,),
    recall_told.TELL: (recall_mail.tell_organisation,),
    recall_told.MAIL: (recall_mail.send,),
}

_LEASE_SECONDS = 60


def deliver(limit: int) -> int:
    """Deliver waiting events; a failing one waits longer each time. Returns how many."""
    events = audit_actions.claim_events(tuple(SUBSCRIBERS), limit, _LEASE_SECONDS)
    audit_actions.finish_many([event for event in events if _is_delivered(event)])
    return len(events)


def _is_delivered(event: OutboxEvent) -> bool:
    try:
        for handler in SUBSCRIBERS[event.kind]:
            handler(event.payload)
    except PutOffError as told:
        audit_actions.put_off(event, str(told))
        return False
    except NobodyError as told:
        audit_actions.finish_without(event, str(told))
        return False
    except Exception as error:
        log.exception("event %s could not be delivered", event.key)
        audit_actions.fail(event, f"{type(error).__name__}: {error}")
        return False
    return True
