"""Runs the tests: all on SQLite, then those with a database again on PostgreSQL where it answers.

With arguments, only what they name is run, once, on ``DIANDIAN_TEST_DATABASE`` (sqlite).
``--checked`` says that ``./run check`` has just run the house rules: they are left out.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.places import postgres_url  # noqa: E402 - found beside the tools

CHECKED = "--checked"
NOTHING_COLLECTED = 5
# By file (tests/sharing.py): what a file's fixtures make is made once.
PARALLEL = ("-n", "2", "--dist", "loadfile")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run of pytest came to."""

    name: str
    exit_code: int
    counts: dict[str, int]
    seconds: float

    def line(self) -> str:
        """Return the outcome as one line."""
        counts = ", ".join(f"{number} {word}" for word, number in self.counts.items() if number)
        verdict = "ok" if self.exit_code == 0 else "FAILED"
        return f"  {self.name:<12}{verdict:<8}{counts or 'no tests'}, {self.seconds:.0f} s"


def counts_of(report: Path) -> dict[str, int]:
    """Return passed, failed, errors and skipped of a JUnit report."""
    if not report.exists():
        return {}
    suite = ET.parse(report).getroot().find("testsuite")  # noqa: S314 - pytest wrote it just now
    if suite is None:
        return {}
    total, failed, errors, skipped = (
        int(suite.get(name, "0")) for name in ("tests", "failures", "errors", "skipped")
    )
    passed = total - failed - errors - skipped
    return {"passed": passed, "failed": failed, "errors": errors, "skipped": skipped}


def run(name: str, database: str, arguments: list[str]) -> Outcome:
    """Run pytest once on one database."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", f"--junit-xml={report}", *arguments]
        environment = {**os.environ, "DIANDIAN_TEST_DATABASE": database}
        code = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
        counts = counts_of(report)
    # A marker that no test has yet is no fault of the code.
    if code == NOTHING_COLLECTED and "-m" in arguments:
        code = 0
    return Outcome(name, code, counts, time.monotonic() - began)


def main(arguments: list[str]) -> int:
    """Run the suite; return the exit code."""
    notes: list[str] = []
    if arguments not in ([], [CHECKED]):
        database = os.environ.get("DIANDIAN_TEST_DATABASE", "sqlite")
        outcomes = [run(database, database, arguments)]
    else:
        print("2/2 tests on SQLite", flush=True)
        left = ["--ignore=tests/house"] if arguments else []
        outcomes = [run("SQLite", "sqlite", ["-q", *PARALLEL, *left])]
        url, reason = postgres_url()
        if url:
            print("\nAgain on PostgreSQL: tests that use a database", flush=True)
            again = ["-q", *PARALLEL, "-m", "db or postgres or concurrency"]
            outcomes.append(run("PostgreSQL", "postgres", again))
        else:
            notes.append(f"  PostgreSQL  skipped: {reason}")
    print("\nSummary")
    for line in [*(outcome.line() for outcome in outcomes), *notes]:
        print(line)
    return max(abs(outcome.exit_code) for outcome in outcomes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
