"""Signing in at a desk: after some failures, the address and the name wait a quarter of an hour.

Asked before the password is looked at, so that neither guesses nor our processor are spent on it.
A name waits for everybody: whoever guesses can keep its owner out for that long, and no longer.
*Source:* ``settings.SIGN_IN_FAILURES``.
"""

import logging

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.forms import AuthenticationForm

from diandian.ui import limits

log = logging.getLogger(__name__)


class SignInForm(AuthenticationForm):  # type: ignore[misc]  # unfold publishes no types
    """Name and password; failures are counted for the address and for the name."""

    def clean(self) -> dict[str, object]:
        """Return what was typed. Raises: ValidationError after too many failures, or another."""
        name = str(self.cleaned_data.get("username") or "")
        if limits.too_many_failures(self.request, name):
            # Without name and address: the log is read by more people than the desk.
            log.warning("signing in was refused after too many failures")
            raise ValidationError(
                _(
                    "Signing in failed too often from your network or with this name. You were"
                    " not signed in, and the password was not looked at. Please wait a quarter"
                    " of an hour and try again."
                ),
                code="too_many_failures",
            )
        try:
            cleaned: dict[str, object] = super().clean()
        except ValidationError:
            limits.note_failure(self.request, name)
            raise
        return cleaned
