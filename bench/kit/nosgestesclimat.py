"""Another calculator of a life, beside ours: nosgestesclimat, run by publicodes in Node.

Both packages (MIT) are installed into a temporary folder and removed; nothing of theirs is kept.
Where Node or the network is missing, there is no figure.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).with_suffix(".mjs")
PACKAGES = ("publicodes", "@incubateur-ademe/nosgestesclimat")
INSTALL = ("install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")
LONGEST_S = 300


def measured(rounds: int, evaluations: int) -> dict[str, Any] | str:
    """Return what the script measured, or why there is nothing."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return "Node is not installed"
    with tempfile.TemporaryDirectory(prefix="diandian-bench-") as folder:
        script = shutil.copy(SCRIPT, folder)
        try:
            _run([npm, *INSTALL, *PACKAGES], folder)
            said = _run([node, script, str(rounds), str(evaluations)], folder)
        except subprocess.CalledProcessError as error:
            last = (error.stderr or error.stdout).strip().splitlines()[-1:]
            return f"it did not run: {' '.join(last)[:200]}"
        except subprocess.TimeoutExpired:
            return f"it took more than {LONGEST_S} s"
    found: dict[str, Any] = json.loads(said.strip().splitlines()[-1])
    return found


def _run(command: list[str], folder: str) -> str:
    done = subprocess.run(
        command, cwd=folder, check=True, capture_output=True, text=True, timeout=LONGEST_S
    )
    return done.stdout
