"""The one mail of the desk: a code to sign in with. Without a mail server the demo shows it."""

import logging
import smtplib

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils.translation import gettext

from diandian.kernel.errors import N_, DiandianError, Fixer

log = logging.getLogger(__name__)


class MailError(DiandianError):
    """The mail server did not take the mail."""

    code = "mail"
    fixer = Fixer.OPERATOR
    retryable = True
    message = N_(
        "The mail with the code could not be sent; this is our fault. You were not signed in."
        " Please try again in some minutes."
    )


class NoMailError(DiandianError):
    """A real site without a mail server."""

    code = "no_mail"
    fixer = Fixer.OPERATOR
    message = N_(
        "This site cannot send mail yet, so nobody can sign in. Nothing was sent. Please write to"
        " whoever runs it."
    )


def is_shown_instead() -> bool:
    """Tell whether codes are shown on the page: in a demo without a mail server only."""
    return bool(settings.TEST_MODE) and not settings.EMAIL_URL


def send_code(email: str, code: str) -> None:
    """Send a code in the visitor's language. Raises: MailError, NoMailError.

    In a demo without a mail server it goes to the log instead.
    """
    if is_shown_instead():
        log.info("sample, no mail is sent: the sign-in code for %s is %s", email, code)
        return
    if not settings.EMAIL_URL:
        raise NoMailError
    body = gettext(
        "Your code for signing in at Diandian: %(code)s\n\n"
        "It works once, for ten minutes. If you did not ask for it, you need not do anything;"
        " never tell it to anybody."
    )
    message = EmailMessage(
        subject=gettext("Your sign-in code: %(code)s") % {"code": code},
        body=body % {"code": code},
        to=[email],
        headers={"Auto-Submitted": "auto-generated"},
    )
    try:
        message.send()
    except (smtplib.SMTPException, OSError) as error:
        # Without the address: the log is read by more people than the desk.
        log.exception("a sign-in code could not be sent")
        raise MailError from error
