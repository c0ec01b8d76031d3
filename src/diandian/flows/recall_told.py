"""Who was told of a recall, who still waits and why.

Only organisations have an address: one message for each that ordered what a recall met, and from
it one mail for each of its people. *Source:* market study, M7.
"""

from dataclasses import dataclass

from django.db import transaction

from diandian.audit import actions, queries
from diandian.audit.models import OutboxState
from diandian.registry.models import Recall

TELL, MAIL = "recall.tell", "recall.mail"
# Why a message was not sent, as its event keeps it.
NO_SERVER, NOBODY = "no mail server", "nobody to tell"


@dataclass(slots=True)
class Told:
    """Organisations that a recall met, and what became of the mail to each of their people.

    ``organisations_open``: whose people were not looked up yet. ``organisations_empty``: with
    nobody left. ``no_server`` and ``trying`` wait; ``nobody`` is erased or never signed in.
    """

    organisations: int = 0
    organisations_open: int = 0
    organisations_empty: int = 0
    people: int = 0
    told: int = 0
    no_server: int = 0
    trying: int = 0
    given_up: int = 0
    nobody: int = 0

    def add(self, kind: str, state: str, error: str, count: int) -> None:
        """Count messages of one outcome."""
        if kind == TELL:
            self.organisations += count
            if state == OutboxState.PENDING:
                self.organisations_open += count
            elif state == OutboxState.DEAD:
                self.given_up += count
            elif error == NOBODY:
                self.organisations_empty += count
            return
        self.people += count
        if state == OutboxState.DEAD:
            self.given_up += count
        elif state == OutboxState.PENDING:
            waits_for_server = error == NO_SERVER
            self.no_server += count if waits_for_server else 0
            self.trying += 0 if waits_for_server else count
        elif error == NOBODY:
            self.nobody += count
        else:
            self.told += count


def keys_of(recall: Recall) -> str:
    """Return how the keys of a recall's messages begin."""
    return f"recall:{recall.public_id}:"


def told_of(recall: Recall) -> Told:
    """Return who was told of a recall."""
    found = Told()
    for outcome in queries.outcomes((TELL, MAIL), keys_of(recall)):
        found.add(*outcome)
    return found


@transaction.atomic
def tell_again(recall: Recall, *, actor_ref: str) -> int:
    """Let the worker try anew what it gave up. Returns how many messages."""
    count = actions.revive((TELL, MAIL), keys_of(recall))
    if count:
        actions.record(
            actor_ref=actor_ref,
            action="recall.told_again",
            subject_ref=f"recall:{recall.public_id}",
            details={"messages": count},
        )
    return count
