"""Runs every check of the code, or with ``--fix`` lets the tools mend what they can."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
TEMPLATES = "src/diandian"

CHECKS = {
    "format": ["ruff", "format", "--check", "--quiet", "."],
    "lint": ["ruff", "check", "--quiet", "."],
    "types": ["mypy", "--no-error-summary"],
    "imports": ["lint-imports", "--no-logo"],
    "templates": ["djlint", TEMPLATES, "--lint", "--quiet"],
    "django": ["python", "-m", "diandian", "check", "--fail-level", "WARNING"],
    "migrations": ["python", "-m", "diandian", "makemigrations", "--check", "--dry-run"],
    "house rules": ["python", "-m", "pytest", "-q", "tests/house"],
}
FIXES = {
    "lint": ["ruff", "check", "--fix", "--quiet", "."],
    "format": ["ruff", "format", "--quiet", "."],
}


def run(command: list[str], data_dir: str) -> tuple[bool, str]:
    """Run one tool of the environment; return whether it is content, and what it said."""
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
    return done.returncode == 0, done.stdout


def main(arguments: list[str]) -> int:
    """Run all checks or fixes, telling of each; return 1 when one complains."""
    steps = FIXES if arguments == ["--fix"] else CHECKS
    failed = []
    with tempfile.TemporaryDirectory() as data_dir:
        for number, (name, command) in enumerate(steps.items(), start=1):
            print(f"{number}/{len(steps)} {name} ...", end=" ", flush=True)
            began = time.monotonic()
            content, said = run(command, data_dir)
            print(f"{'ok' if content else 'FAILED'}, {time.monotonic() - began:.1f} s", flush=True)
            if not content:
                failed.append(name)
                print(said)
    print("Everything is in order." if not failed else f"To mend: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
