"""Reads requests about money that wait for a second person."""

from diandian.kernel.errors import NotFoundError
from diandian.payments.models import MoneyRequest, MoneyRequestKind, MoneyRequestState, Refund


def waiting() -> list[MoneyRequest]:
    """Return the requests that wait, longest first."""
    rows = MoneyRequest.objects.filter(state=MoneyRequestState.WAITING)
    return list(rows.select_related("payment", "refund"))


def says_paid_otherwise(refund: Refund) -> bool:
    """Tell whether somebody says that a refund was paid by other means, and nobody decided yet."""
    return MoneyRequest.objects.filter(
        refund=refund, kind=MoneyRequestKind.OTHERWISE, state=MoneyRequestState.WAITING
    ).exists()


def request_by_number(number: int) -> MoneyRequest:
    """Return a request. Raises: NotFoundError."""
    found = MoneyRequest.objects.select_related("payment", "refund").filter(id=number).first()
    if found is None:
        raise NotFoundError
    return found
