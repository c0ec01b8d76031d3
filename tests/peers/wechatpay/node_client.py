"""Runs the Node client against the peer; says in one line why it cannot where it cannot."""

import fcntl
import json
import shutil
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_name("node")
FOLDER = Path(__file__).parents[3] / "var" / "node-wechatpay"
PACKAGE = "wechatpay-axios-plugin"
INSTALL = (
    "install",
    "--no-audit",
    "--no-fund",
    "--ignore-scripts",
    "--no-package-lock",
    "--loglevel=error",
    "--fetch-retries=0",
    "--fetch-timeout=20000",
)
LONGEST_S = 180


def installed():
    """Install the client once; return the path of Node, else "" and the reason."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return "", "Node is not installed"
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        pinned = (SOURCE / "package.json").read_text(encoding="utf-8")
        here = FOLDER / "package.json"
        is_there = (FOLDER / "node_modules" / PACKAGE).is_dir()
        if is_there and here.is_file() and here.read_text(encoding="utf-8") == pinned:
            return node, ""
        here.write_text(pinned, encoding="utf-8")
        try:
            subprocess.run(
                [npm, *INSTALL],
                cwd=FOLDER,
                check=True,
                capture_output=True,
                text=True,
                timeout=LONGEST_S,
            )
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            return "", f"npm could not install {PACKAGE}"
    return node, ""


def run(node, facts):
    """Return what the client saw in its day."""
    done = subprocess.run(
        [node, str(SOURCE / "client.cjs"), str(FOLDER)],
        input=json.dumps(facts),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.strip().splitlines()[-1])
