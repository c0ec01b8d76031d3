"""``./run demo``: the whole product on this machine, with sample data, in one terminal.

A second start keeps the data. It serves the same application as production, by the same server;
what differs is the mode: sandbox gateway, simulated registry, and every page says so.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import socket
import sys
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from diandian.jobs.demo_folder import (
    PASSWORD_FILE,
    SECRET_KEY_FILE,
    DemoError,
    DemoFolder,
    project_dir,
)
from diandian.jobs.processes import Children

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

OPERATOR = "operator"
DATABASE_FILE = "diandian.sqlite3"
# API viewers of a package, 28 MB that no page of ours shows.
_STATIC_LEFT_OUT = ["dmr"]
_PACKAGE = Path(__file__).resolve().parent.parent
_LOG_LIMIT_BYTES = 10_000_000
_START_SECONDS = 90


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asked for."""

    host: str
    port: int
    data: Path
    reset: bool


def _port(text: str) -> int:
    number = int(text) if text.isdecimal() else 0
    if not 1 <= number <= 65_535:  # noqa: PLR2004 - the range of TCP ports
        raise argparse.ArgumentTypeError(f"{text} is not a port (1 to 65535)")
    return number


def read_options(arguments: Sequence[str]) -> Options:
    """Return the options of a command line."""
    parser = argparse.ArgumentParser(prog="./run demo", description=__doc__.split("\n")[0])
    parser.add_argument("--port", type=_port, default=8000, help="port to listen on (8000)")
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 lets phones nearby in"
    )
    parser.add_argument("--data", type=Path, help="data folder (var/demo in the project)")
    parser.add_argument("--reset", action="store_true", help="begin again with fresh sample data")
    given = parser.parse_args(arguments)
    data = given.data or project_dir() / "var" / "demo"
    return Options(given.host, given.port, data, given.reset)


def check_port(host: str, port: int) -> None:
    """Make sure that nobody listens there yet. Raises: DemoError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise DemoError(
                f"Port {port} on {host} cannot be used ({error.strerror or error})."
                f" Nothing was started.\nChoose another port: ./run demo --port {port % 60_000 + 1}"
            ) from error


def set_environment(options: Options, folder: DemoFolder) -> str:
    """Set what the settings read; return the base address. What is already set stays."""
    shown = "localhost" if options.host in {"127.0.0.1", "0.0.0.0", "::1", "::"} else options.host  # noqa: S104
    base = os.environ.setdefault("DIANDIAN_BASE_URL", f"http://{shown}:{options.port}")
    os.environ["DIANDIAN_DATA_DIR"] = str(folder.path)
    os.environ.setdefault("DIANDIAN_MODE", "demo")
    os.environ.setdefault("DIANDIAN_SECRET_KEY", folder.secret(SECRET_KEY_FILE))
    os.environ.setdefault("DATABASE_URL", f"sqlite://{folder.path / DATABASE_FILE}")
    if options.host not in {"127.0.0.1", "::1"}:
        # Asked to be reachable from other devices: they may call this machine by any name.
        os.environ.setdefault("DIANDIAN_ALLOWED_HOSTS", "*")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "diandian.config.settings")
    return base


def _files(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Yield the files below a folder; this runs at every start, and ``Path`` takes much longer."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                yield from _files(Path(entry.path))
            elif not entry.name.endswith((".pyc", ".mo")):
                yield entry


def _packages() -> Iterator[str]:
    """Yield name and version of each installed package, as its folder is called."""
    for place in filter(os.path.isdir, sys.path):
        yield from (name for name in os.listdir(place) if name.endswith(".dist-info"))  # noqa: PTH208


def _fingerprint() -> str:
    """Return a digest of the program as installed: its files, and the packages it stands on."""
    stats = ((entry.path, entry.stat()) for entry in _files(_PACKAGE))
    facts = sorted(f"{path} {stat.st_size} {stat.st_mtime_ns}" for path, stat in stats)
    return hashlib.sha256("\n".join([*facts, *sorted(_packages())]).encode()).hexdigest()


def is_prepared(folder: DemoFolder) -> bool:
    """Tell whether this very program prepared this folder, database included, before."""
    own = folder.path / DATABASE_FILE
    at_home = os.environ["DATABASE_URL"] == f"sqlite://{own}" and own.exists()
    return at_home and folder.note("prepared") == _fingerprint()


def prepare(folder: DemoFolder, say: Callable[[str], None]) -> None:
    """Bring tables, static files, sample data and operator in place."""
    import django  # noqa: PLC0415 - settings read the environment that was just set

    os.environ["DIANDIAN_COLLECTING_STATIC"] = "1"
    django.setup()
    del os.environ["DIANDIAN_COLLECTING_STATIC"]
    say("3/6 database ...")
    _migrate()
    say("4/6 static files ...")
    _collect_static(folder)
    _seed(folder, say)
    _operator(folder.secret(PASSWORD_FILE))
    folder.remember("prepared", _fingerprint())


def _migrate() -> None:
    """Migrate what is not migrated; asking first is quicker than migrating nothing."""
    from django.core.management import call_command  # noqa: PLC0415
    from django.db import connection  # noqa: PLC0415
    from django.db.migrations.executor import MigrationExecutor  # noqa: PLC0415

    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", verbosity=0, interactive=False)


def _collect_static(folder: DemoFolder) -> None:
    """Collect and compress the static files, unless they are those of last time."""
    from importlib.metadata import version  # noqa: PLC0415 - a second start comes without

    from django.core.management import call_command  # noqa: PLC0415

    sources = sorted(path for path in _PACKAGE.glob("*/static/**/*") if path.is_file())
    facts = [f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in sources]
    facts += [version(name) for name in ("django", "django-unfold", "django-htmx", "whitenoise")]
    digest = hashlib.sha256("\n".join(facts).encode()).hexdigest()
    if folder.note("static") != digest or not (folder.path / "static").is_dir():
        call_command(
            "collectstatic",
            verbosity=0,
            interactive=False,
            clear=True,
            ignore_patterns=_STATIC_LEFT_OUT,
        )
        folder.remember("static", digest)


def _seed(folder: DemoFolder, say: Callable[[str], None]) -> None:
    """Put the sample data in, unless the database has scenes already."""
    from diandian.flows.log_fill import fill  # noqa: PLC0415 - models load after the set-up only
    from diandian.jobs.seed import seed  # noqa: PLC0415
    from diandian.scenes.models import Scene  # noqa: PLC0415

    if Scene.objects.exists():
        say("5/6 sample data kept from last time")
        # Data of an older program know no public log.
        fill()
        return
    say("5/6 sample data (first start only) ...")
    folder.begin_filling()
    seed(lambda line: say(f"      {line}"))
    folder.end_filling()


def _operator(password: str) -> None:
    """Make the operator's account, where there is none."""
    from django.contrib.auth import get_user_model  # noqa: PLC0415

    users = get_user_model()
    if not users.objects.filter(username=OPERATOR).exists():
        users.objects.create_superuser(OPERATOR, "operator@example.invalid", password)


def server_command(options: Options) -> list[str]:
    """Return the command of the web server."""
    where = ("--host", options.host, "--port", str(options.port))
    return [sys.executable, "-m", "diandian", "serve", *where]


def answers(host: str, port: int) -> bool:
    """Tell whether the health page answers."""
    target = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    asked = f"GET /healthz HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n"
    try:
        with socket.create_connection((target, port), timeout=2) as connection:
            connection.sendall(asked.encode())
            # One line is all that is asked for; the standard library's client is slow to load.
            return connection.makefile("rb").readline(100).startswith(b"HTTP/1.1 200 ")
    except OSError:
        return False


def _addresses(base: str, folder: DemoFolder, log: Path) -> str:
    return f"""
Diandian · 点点碳中和 is ready. Sample data, sandbox gateway: no money moves.

  Guests            {base}/
  As a QR code      {base}/s/tianfu26?c=p1
  Organiser's desk  {base}/host       any e-mail address; the code is shown, no mail is sent
  Operator's desk   {base}/admin/     user: {OPERATOR}  password: {folder.secret(PASSWORD_FILE)}
  API contract      {base}/api/v1/openapi.json

  Data  {folder.path}
  Log   {log}

Stop with Ctrl-C. The data stays; ./run demo --reset begins again."""


def _run(options: Options, base: str, folder: DemoFolder, say: Callable[[str], None]) -> int:
    """Start the children, tell where everything is, wait for the end; return the exit code."""
    log = folder.path / "demo.log"
    if log.exists() and log.stat().st_size > _LOG_LIMIT_BYTES:
        log.replace(log.with_suffix(".log.1"))
    children = Children(log)
    children.listen_for_signals()
    say("6/6 server and worker ...")
    failed = True
    try:
        children.start("server", server_command(options), os.environ)
        if children.wait_until(lambda: answers(options.host, options.port), _START_SECONDS):
            # After the server: while a page is awaited, the processor is the server's.
            children.start("worker", [sys.executable, "-m", "diandian", "worker"], os.environ)
            say(_addresses(base, folder, log))
            dead = children.watch()
        else:
            dead = children.dead()
        failed = not children.requests_to_stop
        if failed:
            what = f"The {dead.name} has ended" if dead else "The server does not answer"
            say(
                f"\n{what}; everything is being stopped. The end of {log}:\n{children.last_lines()}"
            )
    finally:
        say("\nStopping ... (Ctrl-C again to stop at once)")
        children.stop()
    say("Stopped. The data is kept.")
    return 1 if failed else 0


def _prepare_or_explain(folder: DemoFolder, say: Callable[[str], None]) -> None:
    log = folder.path / "demo.log"
    try:
        if is_prepared(folder):
            say("3-5/6 database, static files and data are those of last time")
            return
        prepare(folder, say)
    except Exception as error:
        with log.open("a") as file:
            traceback.print_exc(file=file)
        raise DemoError(
            f"The demo could not be prepared: {error}\nNothing was started; details are in {log}.\n"
            "Try once more; if it stays so, begin from nothing: ./run demo --reset"
        ) from error


def main(arguments: Sequence[str]) -> int:
    """Run the demo; return the exit code."""
    options = read_options(arguments)
    began = time.monotonic()

    def say(line: str) -> None:
        print(line, flush=True)

    say("1/6 environment ready")
    folder = DemoFolder(options.data)
    log_level = os.environ.get("DIANDIAN_LOG_LEVEL")
    try:
        check_port(options.host, options.port)
        folder.open(reset=options.reset)
        say(f"2/6 data folder {folder.path}")
        base = set_environment(options, folder)
        # While preparing, this terminal shows progress; the log is for what runs afterwards.
        os.environ["DIANDIAN_LOG_LEVEL"] = "WARNING"
        _prepare_or_explain(folder, say)
    except DemoError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped before the start. Run ./run demo to go on from here.", file=sys.stderr)
        return 130
    os.environ["DIANDIAN_LOG_LEVEL"] = log_level or "INFO"
    say(f"    prepared in {time.monotonic() - began:.1f} s")
    return _run(options, base, folder, say)
