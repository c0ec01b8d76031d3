"""What this machine has for tests: PostgreSQL, a browser, Node with a package."""

import os
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import quote

NODE_FOLDER = Path(__file__).parents[1] / "var" / "node"


def postgres_url() -> tuple[str, str]:
    """Return the address of a PostgreSQL that answers, else an empty text and the reason."""
    import psycopg

    host = os.environ.get("PGHOST", "127.0.0.1")
    port = os.environ.get("PGPORT", "5432")
    user = os.environ.get("PGUSER", "postgres")
    password = os.environ.get("PGPASSWORD", "")
    try:
        psycopg.connect(
            host=host, port=port, user=user, password=password, dbname="postgres", connect_timeout=3
        ).close()
    except psycopg.OperationalError as error:
        reason = str(error).strip().splitlines()[-1]
        return "", f"no PostgreSQL for user {user} at {host}:{port} ({reason})"
    secret = f":{quote(password)}" if password else ""
    return f"postgresql://{quote(user)}{secret}@{host}:{port}/diandian", ""


def on_a_file(database: dict[str, Any], folder: str) -> None:
    """Let tests use a SQLite file: in memory, locks and journal differ from what the product uses.

    Test data need not survive a power cut. Other databases are left as they are.
    """
    if database["ENGINE"].endswith("sqlite3"):
        database.setdefault("TEST", {})["NAME"] = f"{folder}/test.sqlite3"
        options = database["OPTIONS"]
        options["init_command"] = options["init_command"].replace(
            "synchronous=FULL", "synchronous=OFF"
        )


def chromium() -> str:
    """Return the path of a Chromium, else an empty text."""
    names = ("chromium", "chromium-browser", "google-chrome")
    asked = os.environ.get("CHROMIUM")
    return asked or next((path for name in names if (path := shutil.which(name))), "")


def node_with(package: str) -> tuple[str, str]:
    """Return the path of a Node beside which a package is installed, else "" and the reason."""
    node = shutil.which("node")
    if node is None:
        return "", "Node is not installed"
    if not (NODE_FOLDER / "node_modules" / package).is_dir():
        return "", f"not installed: npm install --ignore-scripts --prefix var/node {package}"
    return node, ""
