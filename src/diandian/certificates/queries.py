"""Reads of certificates; the code on the paper opens one."""

from collections.abc import Collection
from datetime import date
from typing import Any

from django.db.models import Min, OuterRef, QuerySet

from diandian.certificates.models import Certificate, CertificateState
from diandian.kernel.tokens import is_well_formed, normalise_code
from diandian.registry.origin import only_held
from diandian.store.statements import Param, Select, SelectMany
from diandian.verifier import credential

_BY_CODE = Select(lambda: Certificate.objects.filter(code=Param("code")).order_by("-version")[:1])
_CODE_OF_ORDER = Select(
    lambda: (
        Certificate.objects.filter(order_ref=Param("order_ref")).only("code").order_by("-id")[:1]
    )
)
_CURRENT = SelectMany(
    lambda ids: Certificate.objects.filter(
        retirement__id__in=ids, state=CertificateState.CURRENT
    ).order_by("id")
)
_ORDERS: SelectMany[Any] = SelectMany(
    lambda ids: (
        Certificate.objects.filter(retirement__id__in=ids, state=CertificateState.CURRENT)
        .order_by()
        .values_list("retirement_id", "order_ref")
    )
)


def by_code(text: str) -> Certificate | None:
    """Return the newest version of a certificate by its code, however it was typed, or None."""
    code = normalise_code(text)
    if not is_well_formed(code):
        return None
    return _BY_CODE.first(code=code)


def version_of(code: str, version: int) -> Certificate | None:
    """Return one version of a certificate, or None when it is not kept."""
    return Certificate.objects.filter(code=code, version=version).first()


def versions_of(code: str) -> list[Certificate]:
    """Return every kept version of a certificate without its document, newest first."""
    rows = Certificate.objects.filter(code=code).defer("credential")
    return list(rows.order_by("-version"))


def of_order(order_ref: str) -> Certificate | None:
    """Return the newest certificate of an order."""
    return Certificate.objects.filter(order_ref=order_ref).order_by("-id").first()


def orders_of(retirement_ids: Collection[int]) -> dict[int, str]:
    """Return whose certificate is current for each retirement that has one."""
    return dict(_ORDERS.all(list(retirement_ids)))


def current_of(retirement_ids: Collection[int]) -> list[Certificate]:
    """Return the current certificates of retirements, by id."""
    return _CURRENT.all(list(retirement_ids))


def code_of_order(order_ref: str) -> str | None:
    """Return the code of the newest certificate of an order."""
    found = _CODE_OF_ORDER.first(order_ref=order_ref)
    return found.code if found else None


# --- promises -----------------------------------------------------------------------------------


def promised() -> QuerySet[Certificate]:
    """Return the current certificates whose tonnes are only held, the most urgent first."""
    rows = Certificate.objects.filter(state=CertificateState.CURRENT, promised_by__isnull=False)
    return rows.order_by("promised_by", "id")


def overdue(today: date) -> QuerySet[Certificate]:
    """Return the certificates whose promised day has passed: business days, not instants."""
    return promised().filter(promised_by__lt=today)


def first_promise(lane_id: int, span_g: tuple[int, int]) -> date | None:
    """Return the first day by which certificates of some grams of a lane promise a retirement."""
    touching = promised().filter(
        retirement__allocations__lane_id=lane_id,
        retirement__allocations__start_g__lt=span_g[1],
        retirement__allocations__end_g__gt=span_g[0],
    )
    found: date | None = touching.aggregate(day=Min("promised_by"))["day"]
    return found


def kept_outside(after_id: int, limit: int) -> list[Certificate]:
    """Return certificates that still say held while every tonne is retired at its origin (R10).

    By id, from ``after_id`` on; what is returned was not locked.
    """
    rows = promised().filter(~only_held(OuterRef("retirement_id")), id__gt=after_id)
    return list(rows.only("id", "order_ref").order_by("id")[:limit])


def still_promised(ids: Collection[int]) -> list[Certificate]:
    """Return which of some certificates are still current and held, with their retirements."""
    rows = promised().filter(id__in=ids).select_related("retirement")
    return list(rows.order_by("id"))


def record_of(certificate: Certificate) -> dict[str, Any]:
    """Return the signed record: the one source of every page and paper."""
    return credential.record_of(certificate.credential)
