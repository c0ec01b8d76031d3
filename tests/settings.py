"""Settings of the tests: the product's own, read from an environment that this file makes first.

``DIANDIAN_TEST_DATABASE`` chooses the database: sqlite (a file, as in the demo) or postgres.
"""

import os
import tempfile
from pathlib import Path

from tests.places import postgres_url

DATABASE_KIND = os.environ.get("DIANDIAN_TEST_DATABASE", "sqlite")
FOLDER = tempfile.TemporaryDirectory(prefix="diandian-test-")


def _database_url() -> str:
    if DATABASE_KIND == "sqlite":
        return f"sqlite://{FOLDER.name}/unused.sqlite3"
    if DATABASE_KIND != "postgres":
        raise SystemExit("DIANDIAN_TEST_DATABASE is sqlite or postgres")
    url, reason = postgres_url()
    if not url:
        raise SystemExit(f"DIANDIAN_TEST_DATABASE=postgres, but {reason}")
    # A name of its own, so that two runs at once do not meet.
    return f"{url}_{os.getpid()}"


def _make_environment() -> None:
    """Set what the product's settings read; nothing of the caller's own set-up shines through."""
    for name in [name for name in os.environ if name.startswith("DIANDIAN_")]:
        if not name.startswith("DIANDIAN_TEST_"):
            del os.environ[name]
    data = Path(FOLDER.name) / "data"
    (data / "static").mkdir(parents=True)
    os.environ |= {
        "DIANDIAN_DATA_DIR": str(data),
        "DIANDIAN_SECRET_KEY": "tests only, opens nothing",
        "DIANDIAN_BASE_URL": "http://testserver",
        "DIANDIAN_LOG_LEVEL": "WARNING",
        "DATABASE_URL": _database_url(),
        # Test data need not survive a power cut.
        "PGOPTIONS": f"{os.environ.get('PGOPTIONS', '')} -c synchronous_commit=off".strip(),
    }


_make_environment()

from diandian.config.settings import *  # noqa: E402, F403 - after the environment is made

# All tests come from one address; what a limit does is tested with limits of its own.
DOWNLOADS_PER_MINUTE = 10_000

# Passwords of tests guard nothing; tests/config/test_door.py looks at the product's own way.
PASSWORD_HASHERS = ["tests.hashers.QuickArgon2"]

# A thread of its own would write into the database of another test.
WRITE_BEHIND = False
