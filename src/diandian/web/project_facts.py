"""What is on file about a project's ground and batches, in words, for the project's page."""

from typing import Any

from django.utils.translation import gettext

from diandian.kernel.errors import N_
from diandian.registry import disclosure
from diandian.registry.disclosure import HIGH, WIDE, BatchShown

CLASSES = {
    "allowance": N_("allowance of an emissions trading system"),
    "ccer": N_("China Certified Emission Reduction (CCER)"),
    "puhui": N_("carbon-inclusion (puhui) reduction"),
    "other": N_("credit of another mechanism"),
}
DECLARED = {
    "committed": N_("the host country will make one"),
    "not_required": N_("not required"),
    "unknown": N_("not known"),
}
ADJUSTED = {
    "not_started": N_("not begun"),
    "pending": N_("under way"),
    "completed": N_("completed"),
}


_MARGIN = 60


def of(project: Any) -> dict[str, Any]:  # noqa: ANN401 - a row of the registry
    """Return sites and batches for ``web/projects/_site.html``."""
    return {
        "sites": [
            {
                "site": site,
                "points": " ".join(f"{x},{y}" for x, y in site.outline),
                "place": f"{_degrees(site.latitude)}, {_degrees(site.longitude)}",
            }
            for site in disclosure.sites(project)
        ],
        "frame": f"-{_MARGIN} -{_MARGIN} {WIDE + 2 * _MARGIN} {HIGH + 2 * _MARGIN}",
        "batches": [_batch(each) for each in disclosure.batches(project)],
    }


def _degrees(units: int) -> str:
    """Write an angle with four decimals, about ten metres."""
    sign = "-" if units < 0 else ""
    whole, rest = divmod((abs(units) + 500) // 1000, 10_000)
    return f"{sign}{whole}.{rest:04d}"


def _batch(each: BatchShown) -> dict[str, Any]:
    batch = each.batch
    return {
        "shown": each,
        "batch": batch,
        "credit_class": gettext(CLASSES[batch.credit_class]),
        "declared": gettext(DECLARED[batch.adjustment_declaration]),
        "adjusted": gettext(ADJUSTED[batch.adjustment_status]),
    }
