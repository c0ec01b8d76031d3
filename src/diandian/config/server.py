"""``diandian serve``: the web server, its site loaded once and its workers forked from it.

Loading is most of a start. Done once, before the fork, it costs half, the workers share its memory,
and a site that cannot be loaded is told once instead of by each worker in turn. Where a fork is not
safe (outside Linux) each worker loads the site by itself, as granian does.
"""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import sys
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

from granian.constants import Interfaces
from granian.server import Server

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diandian.config.entrance import Entrance

TARGET = "diandian.config.wsgi:application"
# Fresh processes twice a day: what leaks, leaks little.
_LIFETIME_SECONDS = 43_200
_STOP_SECONDS = 8


def load() -> None:
    """Load the site for the workers to come, and leave no connection open that they would share.

    Raises: RuntimeError on unsafe settings, and on a database without its guards.
    """
    # Nothing that is loaded is ever garbage; looking for some takes an eighth of the time.
    gc.disable()
    import_module(TARGET.partition(":")[0])
    import_module("diandian.config.entrance")
    # Only now: settings read the environment, and models need the apps.
    from django.conf import settings  # noqa: PLC0415
    from django.db import connections  # noqa: PLC0415

    from diandian.config import urls  # noqa: PLC0415

    if not settings.TEST_MODE:
        # In earnest nobody's first request waits, and what cannot be loaded shows now.
        for addresses in urls.LATER.values():
            import_module(addresses)
    connections.close_all()
    # Left alone by later collections, these pages of memory stay shared between the workers.
    gc.freeze()
    gc.enable()


def _entrance(threads: int, target: str) -> Entrance:
    """Return what a worker answers with."""
    from diandian.config.entrance import Entrance  # noqa: PLC0415 - as above

    module, _, name = target.partition(":")
    return Entrance(getattr(import_module(module), name), threads)


def read_options(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the options of a command line."""
    parser = argparse.ArgumentParser(prog="diandian serve", description=__doc__.split("\n")[0])
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, default=8000, help="port to listen on (8000)")
    parser.add_argument("--workers", type=int, default=2, help="processes (2)")
    parser.add_argument("--threads", type=int, default=4, help="threads of each (4)")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> None:
    """Serve until SIGTERM or Ctrl-C."""
    options = read_options(arguments)
    server = Server(
        TARGET,
        address=options.host,
        port=options.port,
        interface=Interfaces.RSGI,
        workers=options.workers,
        websockets=False,
        respawn_failed_workers=True,
        workers_lifetime=_LIFETIME_SECONDS,
        workers_kill_timeout=_STOP_SECONDS,
    )
    if sys.platform.startswith("linux"):
        multiprocessing.set_start_method("fork")
        server.on_startup(load)
    server.serve(target_loader=partial(_entrance, options.threads))
