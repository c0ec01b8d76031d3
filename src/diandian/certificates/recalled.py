"""The next version of a record some of whose grams were recalled: what stands, what replaces it.

The ranges of old stay as they were signed. ``recalls`` says in order what each recall took away and
what was put in its place, so that anybody can work out what stands now.
*Source:* market study, M7; registry design, section 3.4; C1.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings

from diandian.certificates.record import instant, level_of, range_of, retired_at, upstream_of
from diandian.registry.models import Recall, Retirement
from diandian.registry.queries import RetiredRange, UpstreamState
from diandian.registry.recalls.standing import Loss


class NextVersions:
    """Makes the next versions of records that recalls have met; what a commit shares is said once.

    ``logged``: places in the public log of new replacements, by their numbers.
    """

    def __init__(self, *, at: datetime, logged: Mapping[str, Mapping[str, Any]]) -> None:
        self._issued_at, self._logged = instant(at), logged
        self._heads: dict[int, dict[str, Any]] = {}

    def of(
        self,
        earlier: Mapping[str, Any],
        *,
        replaced_sha256: str,
        losses: Sequence[Loss],
        promised: tuple[Retirement, UpstreamState] | None = None,
    ) -> dict[str, Any]:
        """Return the next version of a record.

        ``promised``: of a record that still promises to retire, and where its standing tonnes are
        now. ``replaced_sha256``: digest of the document that this one replaces.
        """
        assert losses, "something was recalled"
        short_g = sum(loss.short_g for loss in losses)
        standing_g = earlier["mass_g"] - short_g
        assert 0 <= standing_g <= earlier["mass_g"], "no gram invented"
        known = _places(earlier)
        record: dict[str, Any] = {
            **earlier,
            "version": earlier["version"] + 1,
            "replaces": {"version": earlier["version"], "sha256": replaced_sha256},
            "issued_at": self._issued_at,
            "state": "short" if short_g else "remedied",
            "standing_g": standing_g,
            "recalls": [self._loss(loss, known) for loss in losses],
            "own_factors": earlier.get("own_factors"),
        }
        if promised is not None and promised[1].state == "retired":
            record["retire_by"] = None
            record["retired_at"] = instant(retired_at(*promised))
            record["upstream"] = upstream_of(earlier["upstream"]["custody"], promised[1])
        record["claim"] = {**earlier["claim"], "level": level_of(record)}
        return record

    def _loss(self, loss: Loss, known: Mapping[str, Any]) -> dict[str, Any]:
        head = self._heads.get(loss.recall.id)
        if head is None:
            head = self._heads[loss.recall.id] = _head(loss.recall)
        return {
            **head,
            "affected_g": loss.affected_g,
            "buffer_g": loss.buffer_g,
            "replaced_g": loss.replaced_g,
            "short_g": loss.short_g,
            "ranges": [range_of(piece) for piece in loss.ranges],
            "replacements": [
                _replacement(row, ranges, self._logged.get(row.public_id, known.get(row.public_id)))
                for row, ranges in loss.replacements
            ],
        }


def _places(earlier: Mapping[str, Any]) -> dict[str, Any]:
    """Return the places in the log of the replacements that a record names already."""
    return {
        each["retirement"]: each["log"]
        for recall in earlier.get("recalls", ())
        for each in recall["replacements"]
    }


def _head(recall: Recall) -> dict[str, Any]:
    return {
        "recall": recall.public_id,
        "kind": recall.kind,
        "reason": recall.reason,
        "at": instant(recall.approved_at),
        "page": f"{settings.BASE_URL}/recalls/{recall.public_id}",
    }


def _replacement(
    row: Retirement, ranges: Sequence[RetiredRange], log: Mapping[str, Any] | None
) -> dict[str, Any]:
    project = row.project
    return {
        "retirement": row.public_id,
        "retired_at": instant(row.retired_at),
        "project": project.code,
        "names": project.names,
        "programme": project.programme.code,
        "vintage_year": row.vintage_year,
        "ranges": [range_of(piece) for piece in ranges],
        "log": dict(log) if log else None,
    }
