"""How long a bad batch takes to find every certificate behind it: 100,000 of them in one process.

All of it counts: from the approval until each certificate has a next version, signed, that says
remedied or openly short. Making the certificates beforehand does not count.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from kit.machine import Server

RUN = Path(__file__).resolve().parent / "kit" / "recall_run.py"


def measure(given: argparse.Namespace, folder: str, database_url: str) -> dict[str, Any]:
    """Fill a database and recall its batch, in a process of its own; return the figures."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("DIANDIAN_")}
    environment = ours | {
        "DIANDIAN_DATA_DIR": f"{folder}/data",
        "DIANDIAN_MODE": "demo",
        "DIANDIAN_BASE_URL": "https://bench.example",
        "DIANDIAN_SECRET_KEY": "a bench keeps no secrets",
        "DIANDIAN_LOG_LEVEL": "WARNING",
        "DATABASE_URL": database_url,
        "DJANGO_SETTINGS_MODULE": "diandian.config.settings",
    }
    command = [sys.executable, str(RUN), f"--certificates={given.certificates}"]
    command.append(f"--replaced={given.replaced}")
    (Path(folder) / "data").mkdir()
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    *said, figures = done.stdout.splitlines()
    print("\n".join(said), flush=True)
    found: dict[str, Any] = json.loads(figures)
    return found


def main() -> None:
    """Measure what was asked for; end with one line of JSON."""
    parser = argparse.ArgumentParser(prog="./run bench recall", description=__doc__.split("\n")[0])
    parser.add_argument("--certificates", type=int, default=100_000, help="behind the batch")
    parser.add_argument("--replaced", type=int, default=80, help="per cent that stock can replace")
    parser.add_argument("--only", choices=("sqlite", "postgres"), default="")
    given = parser.parse_args()
    figures: dict[str, Any] = {"bench": "recall", "certificates": given.certificates}
    if given.only != "postgres":
        print("SQLite", flush=True)
        with tempfile.TemporaryDirectory(prefix="diandian-bench-") as folder:
            found = measure(given, folder, f"sqlite://{folder}/diandian.sqlite3")
        figures |= {f"sqlite_{name}": value for name, value in found.items()}
    server = Server.found() if given.only != "sqlite" else None
    if server is not None:
        print("PostgreSQL", flush=True)
        with (
            server.database("recall") as database,
            tempfile.TemporaryDirectory(prefix="diandian-bench-") as folder,
        ):
            found = measure(given, folder, server.url(database))
        figures |= {f"postgres_{name}": value for name, value in found.items()}
    elif given.only != "sqlite":
        print("PostgreSQL does not answer (PGHOST, PGPORT, PGUSER): left out", flush=True)
    print(json.dumps(figures, ensure_ascii=False))


if __name__ == "__main__":
    main()
