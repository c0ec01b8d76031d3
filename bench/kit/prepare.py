"""Fills an empty database as the demo does, and adds credits that no bench can sell out."""

from __future__ import annotations

import os
import sys
from datetime import timedelta
from pathlib import Path

from diandian.jobs.demo import prepare
from diandian.jobs.demo_folder import DemoFolder
from diandian.kernel.clock import business_day, now

PROJECT = "sample-rooftop-solar"
# 500,000 t in one batch: all guests of a bench take from one lane, the hardest case.
SERIALS = "CDCER-SAMPLE-BENCH-000001~500000"


def main() -> None:
    """Prepare the folder named by the environment."""
    folder = DemoFolder(Path(os.environ["DIANDIAN_DATA_DIR"]))
    folder.open(reset=False)
    prepare(folder, print)
    add_stock()


def add_stock(source_ref: str = "bench:stock") -> None:
    """Issue the large batch, retired outside as a whole."""
    # Models load after Django's set-up, which ``prepare`` does.
    from diandian.flows.issuance import (  # noqa: PLC0415
        Issuance,
        OutsideRetirement,
        issue_batch,
    )

    at, today = now(), business_day()
    year = today.replace(year=today.year - 1, month=1, day=1)
    issue_batch(
        project_code=PROJECT,
        actor_ref="bench",
        issuance=Issuance(
            serial_text=SERIALS,
            vintage_year=year.year,
            period_start=year,
            period_end=year.replace(month=12, day=31),
            custody="external",
            source_ref=source_ref,
            verified_by="Sample verifier",
            verified_on=today,
            is_sample=True,
            # The oldest is used first: every journey takes from this batch alone.
            issued_at=at - timedelta(days=3650),
            retired=[
                OutsideRetirement(
                    first_tonne=1,
                    last_tonne=500_000,
                    reference="SAMPLE-BENCH",
                    retired_at=at,
                    is_simulated=True,
                )
            ],
        ),
    )


if __name__ == "__main__":
    sys.exit(main())
