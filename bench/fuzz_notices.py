"""Sends hostile notices to every address for notices until the time is over.

The site runs in this process on a demo of its own; every gateway that has a folder is in use, under
a merchant made up for it. Whatever comes, no answer may be 500 or above, and nothing may be written
but the count of what was refused and notices whose signature was right. A seed plays it again.
"""

from __future__ import annotations

import argparse
import io
import json
import logging
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kit import hostile

from diandian.payments.gateway import gateways

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

KIT = Path(__file__).resolve().parent / "kit"
_START = "/api/v1/notifications"
_LOOK_EVERY = 500


def read_plan() -> argparse.Namespace:
    """Return the plan of the command line."""
    parser = argparse.ArgumentParser(
        prog="./run bench fuzz_notices", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--minutes", type=int, default=10, help="how long (10)")
    parser.add_argument("--requests", type=int, default=10**9, help="at most so many")
    parser.add_argument("--seed", type=int, default=0, help="of the requests; 0: of the time")
    return parser.parse_args()


class Trouble(logging.Handler):
    """Collects what parsers broke on: refused, but a parser should say so itself."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.broken: Counter[str] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        """Count a line of the log by its text."""
        self.broken[record.getMessage()[:200]] += 1


def _signers() -> dict[str, ModuleType]:
    found = {}
    for key in gateways():
        with suppress(ModuleNotFoundError):
            found[key] = import_module(f"kit.signers.{key}")
    return found


def _set_up(folder: Path) -> dict[str, ModuleType]:
    """Make a demo with a merchant at every gateway; return who can sign."""
    os.environ |= {
        "DIANDIAN_DATA_DIR": str(folder),
        "DIANDIAN_MODE": "demo",
        "DIANDIAN_SECRET_KEY": "a fuzzer keeps no secrets",
        "DIANDIAN_LOG_LEVEL": "CRITICAL",
        "DIANDIAN_MISSES_PER_MINUTE": "1000000000",
        "DIANDIAN_BASE_URL": "http://localhost:8000",
        "DIANDIAN_ALLOWED_HOSTS": "localhost",
        "DATABASE_URL": f"sqlite://{folder}/diandian.sqlite3",
        "DJANGO_SETTINGS_MODULE": "diandian.config.settings",
    }
    subprocess.run(
        [sys.executable, str(KIT / "prepare.py")],
        env={**os.environ, "PYTHONPATH": str(KIT.parent)},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    signers = _signers()
    entries = []
    for key in sorted(gateways().keys() - {"sandbox"}):
        facts = signers[key].merchant(folder) if key in signers else _nobody(key)
        entries.append(_entry(key, facts))
    if "sandbox" in signers:
        signers["sandbox"].merchant(folder)
    file = folder / "merchants.toml"
    file.write_text("\n".join(entries), encoding="utf-8")
    os.environ |= {
        "DIANDIAN_MERCHANTS": str(file),
        "DIANDIAN_GATEWAYS": ",".join(sorted(gateways())),
    }
    return signers


def _nobody(key: str) -> dict[str, Any]:
    return {
        "merchant": "1600000001",
        "settlement": "principal",
        "suppliers": ["*"],
        "options": {"principal_confirmed": "yes", "note": f"nobody signs for {key}"},
    }


def _entry(key: str, facts: dict[str, Any]) -> str:
    lines = ["[[merchant]]", f'key = "{key}"', f'gateway = "{key}"', 'mode = "test"']
    options = facts.pop("options")
    lines += [f"{name} = {json.dumps(value)}" for name, value in facts.items()]
    lines += ["[merchant.options]"]
    lines += [f"{name} = {json.dumps(value)}" for name, value in options.items()]
    return "\n".join(lines)


class Site:
    """The site as a server would call it, and what it wrote."""

    def __init__(self) -> None:
        import django  # noqa: PLC0415 - its settings read the environment that was just made

        django.setup()
        from django.core.signals import got_request_exception  # noqa: PLC0415

        self.raised: list[str] = []
        got_request_exception.connect(self._note, weak=False)
        from django.core.wsgi import get_wsgi_application  # noqa: PLC0415

        self._application: Callable[..., Any] = get_wsgi_application()

    def _note(self, **_: object) -> None:
        error = sys.exc_info()[1]
        self.raised.append(f"{type(error).__name__}: {error}"[:200])

    def send(self, sent: hostile.Hostile) -> int:
        """Send a request; return the status."""
        environ: dict[str, Any] = {
            "REQUEST_METHOD": sent.method,
            "PATH_INFO": sent.path.encode().decode("latin-1"),
            "QUERY_STRING": sent.query,
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "8000",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "localhost:8000",
            "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_LENGTH": sent.length or str(len(sent.body)),
            "wsgi.input": io.BytesIO(sent.body),
            "wsgi.errors": sys.stderr,
            "wsgi.url_scheme": "http",
            "wsgi.version": (1, 0),
            "wsgi.multithread": False,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in sent.headers.items():
            key = name.upper().replace("-", "_")
            # As servers hand headers over: their bytes, each as one letter of Latin-1.
            text = value.encode("utf-8", "surrogatepass").decode("latin-1")
            environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = text
        status = [""]

        def start(line: str, *_: object) -> None:
            status[0] = line

        answer = self._application(environ, start)
        b"".join(answer)
        answer.close()
        return int(status[0][:3])

    def rows(self) -> dict[str, int]:
        """Return how many rows each table has, but for the counts of what was refused."""
        from django.apps import apps  # noqa: PLC0415

        return {
            model._meta.db_table: model.objects.count()
            for model in apps.get_models()
            if model.__name__ != "RefusedNotices"
        }


def _addresses() -> list[str]:
    keys = sorted(gateways())
    known = [f"{_START}/{key}" for key in keys] + [f"{_START}/{key}/{key}" for key in keys]
    return known * 4 + [f"{_START}/nowhere", f"{_START}/sandbox/%00", f"{_START}/签/名", _START]


def _next(
    dice: random.Random, number: int, paths: list[str], signers: dict[str, ModuleType]
) -> hostile.Hostile:
    """Return the next request: half of them are signed, or were until they were spoiled."""
    if not signers or dice.randrange(2):
        return hostile.request(paths, dice)
    key = dice.choice(sorted(signers))
    signer = signers[key]
    body = signer.sample(number)
    if dice.randrange(3) == 0:
        # Signed, then spoiled: refused for its signature.
        headers, sent = signer.signed(body), hostile.spoiled(body, dice)
        is_whole = sent == body  # at times nothing is spoiled
        return hostile.Hostile(
            f"{_START}/{key}/{key}", body=sent, headers=headers, is_signed=is_whole
        )
    # Spoiled, then signed: what a gateway would never send, believed for its signature.
    body = hostile.spoiled(body, dice)[: 65_536 + 1]
    headers = signer.signed(body)
    return hostile.Hostile(f"{_START}/{key}/{key}", body=body, headers=headers, is_signed=True)


def _differences(site: Site, before: dict[str, int], believed: int) -> list[str]:
    now = site.rows()
    wrong = [
        f"{table}: {before[table]} -> {count}"
        for table, count in now.items()
        if count != before[table] and table != "payments_notification"
    ]
    kept = now["payments_notification"] - before["payments_notification"]
    if kept > believed:
        wrong.append(f"{kept} notices were kept, {believed} had a right signature")
    return wrong


def run(plan: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Send until the time is over; return what was found."""
    signers = _set_up(folder)
    site = Site()
    trouble = Trouble()
    parsers = logging.getLogger("diandian.flows.notice_intake")
    parsers.setLevel(logging.ERROR)
    parsers.addHandler(trouble)
    parsers.propagate = False
    logging.getLogger("django").handlers.clear()
    for name in ("django.request", "django.security"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    seed = plan.seed or int(time.monotonic())
    print(f"  seed {seed}; gateways {', '.join(sorted(gateways()))}; signed for: {sorted(signers)}")
    dice, paths, statuses = random.Random(seed), _addresses(), Counter[int]()
    bad: list[str] = []
    before, believed, number = site.rows(), 0, 0
    until = time.monotonic() + plan.minutes * 60
    while time.monotonic() < until and number < plan.requests and len(bad) < 20:
        sent = _next(dice, number, paths, signers)
        number += 1
        try:
            status = site.send(sent)
        except Exception as error:  # noqa: BLE001 - what a server would make a 500 of
            status = 500
            bad.append(f"request {number} of seed {seed}: {type(error).__name__}: {error}"[:300])
        statuses[status] += 1
        believed += sent.is_signed and status == 200
        if status >= 500:
            why = site.raised[-1] if site.raised else "nobody said why"
            bad.append(f"request {number} of seed {seed}: {status} for {sent.path}: {why}")
        if number % _LOOK_EVERY == 0:
            bad += _differences(site, before, believed)
    bad += _differences(site, before, believed)
    return {
        "bench": "fuzz_notices",
        "seed": seed,
        "requests": number,
        "statuses": {str(status): count for status, count in sorted(statuses.items())},
        "believed": believed,
        "parsers_broke": dict(trouble.broken.most_common(10)),
        "bad": bad,
    }


def main() -> None:
    """Fuzz; end with one line of JSON; exit 1 when something bad was found."""
    plan = read_plan()
    with tempfile.TemporaryDirectory(prefix="diandian-fuzz-", ignore_cleanup_errors=True) as path:
        found = run(plan, Path(path) / "data")
    print(f"  {found['requests']} requests, answered {found['statuses']}")
    for text, count in found["parsers_broke"].items():
        print(f"  a parser broke {count} times: {text}")
    for line in found["bad"]:
        print(f"  BAD {line}")
    print(json.dumps(found, ensure_ascii=False))
    sys.exit(1 if found["bad"] else 0)


if __name__ == "__main__":
    main()
