"""Reads of certificates; the code on the paper opens one."""

from typing import Any

from diandian.certificates.models import Certificate
from diandian.kernel.tokens import is_well_formed, normalise_code
from diandian.verifier import credential


def by_code(text: str) -> Certificate | None:
    """Return the certificate of a code, however it was typed, or None."""
    code = normalise_code(text)
    if not is_well_formed(code):
        return None
    return Certificate.objects.filter(code=code).first()


def of_order(order_ref: str) -> Certificate | None:
    """Return the newest certificate of an order."""
    return Certificate.objects.filter(order_ref=order_ref).order_by("-id").first()


def record_of(certificate: Certificate) -> dict[str, Any]:
    """Return the signed record: the one source of every page and paper."""
    return credential.record_of(certificate.credential)
