"""Reads of certificates; the code on the paper opens one."""

from typing import Any

from diandian.certificates.models import Certificate
from diandian.kernel.tokens import is_well_formed, normalise_code
from diandian.verifier import credential

# Asked for every guest: fixed text spares the building of the same query each time.
_BY_CODE = "SELECT * FROM certificates_certificate WHERE code = %s"
_CODE_OF_ORDER = """SELECT id, code FROM certificates_certificate
    WHERE order_ref = %s ORDER BY id DESC LIMIT 1"""


def by_code(text: str) -> Certificate | None:
    """Return the certificate of a code, however it was typed, or None."""
    code = normalise_code(text)
    if not is_well_formed(code):
        return None
    return next(iter(Certificate.objects.raw(_BY_CODE, [code])), None)


def of_order(order_ref: str) -> Certificate | None:
    """Return the newest certificate of an order."""
    return Certificate.objects.filter(order_ref=order_ref).order_by("-id").first()


def code_of_order(order_ref: str) -> str | None:
    """Return the code of the newest certificate of an order."""
    found = next(iter(Certificate.objects.raw(_CODE_OF_ORDER, [order_ref])), None)
    return found.code if found else None


def record_of(certificate: Certificate) -> dict[str, Any]:
    """Return the signed record: the one source of every page and paper."""
    return credential.record_of(certificate.credential)
