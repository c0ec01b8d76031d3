"""What issuing registries should retire for us, above the list of what they have retired."""

from typing import Any

from django.http import HttpRequest, HttpResponse

from diandian.flows import pool
from diandian.kernel.clock import business_day


class ShowsTonnes:
    """A list to read that begins with what its operator has to do outside."""

    list_before_template = "office/desk/tonnes.html"

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the list, and above it the tonnes to retire, the most urgent first."""
        today, found = business_day(), pool.tonnes()
        tonnes = [
            {
                "is": due,
                "asked": due.is_asked_for(today),
                "late": due.is_overdue(today),
            }
            for due in found
        ]
        page: HttpResponse = super().changelist_view(  # type: ignore[misc]
            request, (extra_context or {}) | {"tonnes": tonnes}
        )
        return page
