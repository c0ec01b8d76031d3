"""One mail to each person of an organisation whose certificates a recall has met.

Guests have no address: pages, API and feed tell them. *Source:* market study, M7.
"""

import logging
from collections.abc import Mapping

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils.translation import gettext, override

from diandian.audit import actions as audit_actions
from diandian.flows import recall_told
from diandian.jobs.outcomes import NobodyError, PutOffError
from diandian.people import queries as people
from diandian.registry.recalls.queries import recall_by_public_id
from diandian.ui.format import pick

log = logging.getLogger(__name__)


def tell_organisation(payload: Mapping[str, object]) -> None:
    """Leave one mail for each of an organisation's people, by their numbers, never addresses.

    Idempotent by: recall and person, who may belong to several organisations.
    Raises: NobodyError when nobody is left in it.
    """
    organisation = people.organisation_of_ref(str(payload["holder"]))
    members = people.members_of(organisation) if organisation else []
    if organisation is None or not members:
        raise NobodyError(recall_told.NOBODY)
    audit_actions.publish_many(
        recall_told.MAIL,
        {
            f"recall:{payload['recall']}:mail:{member.person_id}": {
                "recall": payload["recall"],
                "person": member.person_id,
                "organisation": organisation.id,
                "language": payload["language"],
            }
            for member in members
        },
    )


def send(payload: Mapping[str, object]) -> None:
    """Send one mail. A mail server's error is tried again.

    Raises: NobodyError for who was erased meanwhile or never signed in; PutOffError without a mail
    server, so that it is sent once there is one.
    """
    person = people.person_by_id(int(str(payload["person"])))
    if person is None or not person.agreed_at:
        raise NobodyError(recall_told.NOBODY)
    recall = recall_by_public_id(str(payload["recall"]))
    language = str(payload["language"])
    if not settings.EMAIL_URL:
        log.info(
            "no mail server: person %s is not told of recall %s yet", person.id, recall.public_id
        )
        raise PutOffError(recall_told.NO_SERVER)
    with override(language):
        body = gettext(
            "Credits behind certificates of your organisation were recalled.\n\n"
            "Project: %(project)s\nWhy: %(why)s\n\n"
            "What was done for each certificate stands on its own page, and all of it here:\n"
            "%(address)s\n\n"
            "You need do nothing. What was printed before says what was true that day; please"
            " print papers anew."
        )
        message = EmailMessage(
            subject=gettext("Recall %(number)s: credits of your certificates")
            % {"number": recall.public_id},
            body=body
            % {
                "project": pick(recall.batch.project.names, language).replace("|", ""),
                "why": pick(recall.texts, language),
                "address": f"{settings.BASE_URL}/recalls/{recall.public_id}",
            },
            to=[person.email],
            headers={"Auto-Submitted": "auto-generated"},
        )
        message.send()
