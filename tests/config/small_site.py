"""A small WSGI site behind the product's own entrance and server, in one process with one thread.

Run as a program with a port. ``/seen`` lists the requests that reached the site.
"""

import json
import sys
from functools import partial

import django
from django.conf import settings
from granian.constants import Interfaces
from granian.server import Server

from diandian.config.bodies import Bounds

SECONDS = 1
MOST_BYTES = 4000
LONG = b"0123456789abcde\n" * 1_000_000
_seen = []


class FailsLate(list):
    """An answer that is complete before it fails."""

    def close(self):
        raise OSError("too late to matter")


def site(environ, start):
    path = environ["PATH_INFO"]
    _seen.append(path)
    body = environ["wsgi.input"].read()
    if path == "/fails":
        raise SystemExit(3)
    start("200 OK", [("Content-Type", "application/octet-stream")])
    if path == "/seen":
        return [json.dumps(_seen).encode()]
    if path == "/long":
        return (LONG[at : at + 9000] for at in range(0, len(LONG), 9000))
    if path == "/fails-late":
        return FailsLate([b"whole:", body])
    if path.startswith("/about"):
        return [json.dumps({k: v for k, v in environ.items() if isinstance(v, str)}).encode()]
    return [b"whole:", body]


def entrance(_target):
    from diandian.config.entrance import Entrance

    return Entrance(site, 1, Bounds(body_bytes=MOST_BYTES, seconds=SECONDS))


if __name__ == "__main__":
    settings.configure(LANGUAGES=[("en", "English")])
    django.setup()
    Server("none", port=int(sys.argv[1]), interface=Interfaces.RSGI, websockets=False).serve(
        target_loader=partial(entrance)
    )
