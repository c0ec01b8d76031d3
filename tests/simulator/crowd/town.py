"""Where a crowd plays: grams for everybody, the banks of its gateways, and the verdict."""

from collections import Counter
from dataclasses import dataclass
from datetime import date

from diandian.flows import issuance
from tests.simulator.crowd import verdict
from tests.simulator.crowd.banks import SandboxBank
from tests.simulator.crowd.crowd import Counts, Crowd
from tests.simulator.stage import PERIOD, PROJECTS

_TONNES = 90_000


@dataclass(frozen=True, slots=True)
class Told:
    """What a crowd came to."""

    counts: Counts
    ends: Counter


def play(stage, *, payments, seed, report=lambda _: None):
    """Let a crowd pay at a fresh stage and judge the end. Raises: BreachError."""
    stage.fresh()
    for number, code in enumerate(PROJECTS, start=1):
        _issue(stage, code, number * 1_000_000)
    crowd = Crowd(stage, [SandboxBank(stage.peer)], seed=seed, projects=PROJECTS)
    crowd.play(payments, report=report)
    return Told(crowd.counts, verdict.judge(crowd))


def _issue(stage, code, first):
    issuance.issue_batch(
        project_code=code,
        issuance=issuance.Issuance(
            serial_text=f"S-2025-{first:09d}~{first + _TONNES - 1:09d}",
            vintage_year=2025,
            period_start=PERIOD[0],
            period_end=PERIOD[1],
            custody="external",
            source_ref=f"crowd:{code}",
            verified_by="Verifier",
            verified_on=date(2026, 1, 31),
            issued_at=stage.now,
        ),
        actor_ref="operator:crowd",
    )
