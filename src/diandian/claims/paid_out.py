"""The words that say that a supplier has its part; only once it is so.

Of sample data and of the sandbox the sentence says that no money moved.
"""

from collections.abc import Mapping
from typing import Any

from diandian.claims.phrases import amount, pick

_PAID = {
    "zh-Hans": "{total} 中的 {reached} 已付给{project}，付款日期 {day}。",
    "en": "Of {total}, {reached} went to {project}, paid {day}.",
    "nl": "Van {total} ging {reached} naar {project}, betaald op {day}.",
}
_NOT_REAL = {
    "zh-Hans": "（示例：没有真实付款）",
    "en": " (Sample: no money moved.)",
    "nl": " (Voorbeeld: er is geen geld betaald.)",
}


def paid_out(
    record: Mapping[str, Any], lang: str, *, total_minor: int, reached_minor: int, day: str
) -> str:
    """Return the sentence for a part that its supplier has.

    ``total_minor``: what the guest paid and did not get back; ``day``: ISO 8601.
    """
    currency = record["money"]["currency"]
    project = pick(record["project"]["names"], lang).replace("|", "")
    said = _PAID[lang].format(
        total=amount(total_minor, currency, lang),
        reached=amount(reached_minor, currency, lang),
        project=project,
        day=day,
    )
    return said + (_NOT_REAL[lang] if record["no_money_moved"] else "")
