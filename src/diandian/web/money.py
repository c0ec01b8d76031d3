"""Where guests' money went, for everybody: by project and month, and of one certificate.

Read live from what was paid; no account, no order, and nothing before it is so.
*Source:* payments design, section 9; market study, M8.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.http import HttpRequest, StreamingHttpResponse

from diandian.claims.paid_out import paid_out
from diandian.kernel.memory import ttl_cache
from diandian.kernel.money import Money
from diandian.registry.queries import projects
from diandian.settlement import queries
from diandian.ui import cells

_SHOWN = 12
_COLUMNS = (
    *("month", "project", "currency", "orders", "paid_by_guests_minor", "suppliers_part_minor"),
    *("fee_minor", "reached_suppliers_minor"),
)


@dataclass(frozen=True, slots=True)
class Row:
    """A month of a project. ``parts``: what guests paid, the project's part, our fee, what came."""

    month: date
    code: str
    names: Mapping[str, str]
    parts: tuple[Money, Money, Money, Money]


@ttl_cache(20)
def by_month(project_code: str = "") -> list[Row]:
    """Return where the money of retired orders went, the newest months first."""
    names = {project.code: project.names for project in projects(active_only=False)}
    found = queries.by_project_and_month(project_code, limit=_SHOWN)
    return [
        Row(each.month, code, names.get(code, {"en": code}), each.parts)
        for each in found
        for code in [each.project_code]
    ]


def _rows() -> Iterator[dict[str, object]]:
    for each in queries.by_project_and_month(limit=10_000):
        yield {
            "month": f"{each.month:%Y-%m}",
            "project": each.project_code,
            "currency": each.currency,
            "orders": each.count,
            "paid_by_guests_minor": each.gross_minor,
            "suppliers_part_minor": each.supplier_minor,
            "fee_minor": each.fee_minor,
            "reached_suppliers_minor": each.reached_minor,
        }


def suppliers_csv(_request: HttpRequest) -> StreamingHttpResponse:
    """Send where the money went, by project and month."""
    return cells.as_csv("diandian-suppliers", _COLUMNS, _rows())


def paid_line(record: dict[str, Any], order_ref: str, lang: str) -> str:
    """Return that the supplier of a certificate's order has its part; "" before it has."""
    line = queries.line_of_order(order_ref) if record["money"] else None
    day = queries.paid_on(line) if line else None
    if line is None or day is None or not line.reached.amount_minor:
        return ""
    return paid_out(
        record,
        lang,
        total_minor=line.gross_minor - line.refunded_minor,
        reached_minor=line.reached.amount_minor,
        day=day.isoformat(),
    )
