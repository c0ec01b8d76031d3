"""Runs every check of the code, or with ``--fix`` lets the tools mend what they can."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
TEMPLATES = "src/diandian"

# The two that take long stand first, so that they run beside each other.
CHECKS = {
    "types": ["mypy", "--no-error-summary"],
    "house rules": ["python", "-m", "pytest", "-q", "tests/house"],
    "format": ["ruff", "format", "--check", "--quiet", "."],
    "lint": ["ruff", "check", "--quiet", "."],
    "imports": ["lint-imports", "--no-logo"],
    "templates": ["djlint", TEMPLATES, "--lint", "--quiet"],
    "django": ["python", "-m", "diandian", "check", "--fail-level", "WARNING"],
    "migrations": ["python", "-m", "diandian", "makemigrations", "--check", "--dry-run"],
}
FIXES = {
    "lint": ["ruff", "check", "--fix", "--quiet", "."],
    "format": ["ruff", "format", "--quiet", "."],
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one tool came to."""

    name: str
    content: bool
    said: str
    seconds: float


def run(name: str, command: list[str], data_dir: str) -> Outcome:
    """Run one tool of the environment."""
    began = time.monotonic()
    # The checks need no database of anybody: an empty folder stands in.
    environment = {**os.environ, "DIANDIAN_DATA_DIR": data_dir}
    environment.pop("DATABASE_URL", None)
    done = subprocess.run(
        [str(BIN / command[0]), *command[1:]],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Outcome(name, done.returncode == 0, done.stdout, time.monotonic() - began)


def main(arguments: list[str]) -> int:
    """Run all checks or fixes, telling of each; return 1 when one complains."""
    fixing = arguments == ["--fix"]
    steps = FIXES if fixing else CHECKS
    failed = []
    # What mends changes files that the next one reads.
    with (
        tempfile.TemporaryDirectory() as data_dir,
        ThreadPoolExecutor(max_workers=1 if fixing else 2) as pool,
    ):
        begun = [pool.submit(run, name, command, data_dir) for name, command in steps.items()]
        for number, done in enumerate(as_completed(begun), start=1):
            found = done.result()
            verdict = "ok" if found.content else "FAILED"
            line = f"{number}/{len(steps)} {found.name} ... {verdict}, {found.seconds:.1f} s"
            print(line, flush=True)
            if not found.content:
                failed.append(found.name)
                print(found.said)
    print("Everything is in order." if not failed else f"To mend: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
