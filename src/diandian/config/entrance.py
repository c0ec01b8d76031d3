"""The entrance: what granian calls for each request, in front of the site and its few threads.

A request waits here, in the event loop, until its body is whole (``bodies``); only then is it given
to a thread, which runs the site as any WSGI server would. Nor does a thread wait for a reader: an
answer goes out whole, from memory or, when it is long, from a file. *Source:* PEP 3333, RSGI 1.
"""

from __future__ import annotations

import io
import logging
import os
import sys
from contextlib import suppress
from http import HTTPStatus
from itertools import chain
from pathlib import Path
from queue import SimpleQueue
from stat import S_ISREG
from tempfile import NamedTemporaryFile, gettempdir
from threading import Thread
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext

from diandian.config.bodies import Bodies, Bounds, RefusedError
from diandian.kernel.clock import now
from diandian.kernel.errors import N_

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterable

    from granian._granian import RSGIHTTPProtocol as HTTPProtocol
    from granian.rsgi import Scope

    Site = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
    Call = tuple[Scope, HTTPProtocol, bytearray, asyncio.Future[None]]

_log = logging.getLogger(__name__)
# Longer answers are written down first.
_MEMORY_BYTES = 1_048_576
# The server opens such a file at once; its name is of no use afterwards.
_FILE_SECONDS = 60
_FILE_BEGINS, _FILE_ENDS = "diandian-", ".answer"
# Older ones were left by a worker that was killed; no answer takes so long to write.
_LEFT_SECONDS = 3_600
_STOP_SECONDS = 4
_NEVER = {"GET", "HEAD", "OPTIONS"}
_BARE = {"CONTENT_TYPE", "CONTENT_LENGTH"}
_REASONS = {
    HTTPStatus.BAD_REQUEST: N_("What was sent broke off. Nothing was done. Please send it again."),
    HTTPStatus.REQUEST_TIMEOUT: N_(
        "What was sent arrived too slowly. Nothing was done. Please try again where the network is"
        " better."
    ),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: N_(
        "What was sent is larger than anything we take. Nothing was done. Please send a smaller"
        " file."
    ),
}


class Entrance:
    """An RSGI application: bodies awaited in the loop, the site run by ``threads`` threads."""

    def __init__(self, site: Site, threads: int, bounds: Bounds | None = None) -> None:
        self._site = site
        self._bodies = Bodies(bounds or Bounds())
        self._calls: SimpleQueue[Call | None] = SimpleQueue()
        self._files: set[Path] = set()
        self._threads = [
            Thread(target=self._work, name=f"site-{number}", daemon=True)
            for number in range(threads)
        ]

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start the threads: here, because this is after the fork."""
        self._loop = loop
        sweep_answers(Path(gettempdir()), at=now().timestamp())
        for thread in self._threads:
            thread.start()

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let the threads end what they are at."""
        del loop
        for _ in self._threads:
            self._calls.put(None)
        for thread in self._threads:
            thread.join(_STOP_SECONDS / len(self._threads))
        for path in [*self._files]:
            self._remove(path)

    async def __call__(self, scope: Scope, proto: HTTPProtocol) -> None:
        """Answer one request."""
        body = bytearray()
        if _has_body(scope):
            try:
                body = await self._bodies.read(scope.headers, proto)
            except RefusedError as refusal:
                _refuse(scope, proto, refusal.status)
                return
        answered = self._loop.create_future()
        self._calls.put((scope, proto, body, answered))
        try:
            await answered
        finally:
            self._bodies.release(body)

    def _work(self) -> None:
        """Run the site for one request after the other, until a None."""
        while (call := self._calls.get()) is not None:
            scope, proto, body, answered = call
            try:
                self._answer(proto, environ(scope, body))
            except BaseException:  # noqa: BLE001 - no request takes a thread along
                _log.exception("a request failed: %s %s", scope.method, scope.path)
                proto.response_empty(500, [])
            self._loop.call_soon_threadsafe(_settle, answered)
            # Nothing of a request stays until the next one comes.
            del call, scope, proto, body, answered

    def _answer(self, proto: HTTPProtocol, about: dict[str, Any]) -> None:
        status, headers = 500, list[tuple[str, str]]()

        def start(line: str, fields: list[tuple[str, str]], exc_info: object = None) -> None:
            nonlocal status, headers
            del exc_info
            status, headers = int(line.partition(" ")[0]), fields

        answer = self._site(about, start)
        try:
            kept, parts = bytearray(), iter(answer)
            for part in parts:
                kept += part
                if len(kept) > _MEMORY_BYTES:
                    self._answer_by_file(proto, status, headers, chain([bytes(kept)], parts))
                    return
            proto.response_bytes(status, headers, bytes(kept))
        finally:
            if hasattr(answer, "close"):
                answer.close()

    def _answer_by_file(
        self,
        proto: HTTPProtocol,
        status: int,
        headers: list[tuple[str, str]],
        parts: Iterable[bytes],
    ) -> None:
        """Write a long answer down at the site's speed; the server reads it at the reader's."""
        with NamedTemporaryFile(prefix=_FILE_BEGINS, suffix=_FILE_ENDS, delete=False) as file:
            path = Path(file.name)
            self._files.add(path)
            try:
                file.writelines(parts)
            except BaseException:
                self._remove(path)
                raise
            length = ("Content-Length", str(file.tell()))
        stated = any(name.lower() == "content-length" for name, _ in headers)
        proto.response_file(status, headers if stated else [*headers, length], file.name)
        self._loop.call_soon_threadsafe(self._loop.call_later, _FILE_SECONDS, self._remove, path)

    def _remove(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        self._files.discard(path)


def sweep_answers(folder: Path, *, at: float) -> int:
    """Remove files of long answers that a killed worker left in a folder; return how many.

    By name and age (an hour before ``at``, in seconds since 1970), and our own alone: others may
    write to the same folder. Safe in several workers; what cannot be removed stays.
    """
    removed = 0
    for path in folder.glob(f"{_FILE_BEGINS}*{_FILE_ENDS}"):
        with suppress(OSError):
            facts = path.lstat()
            is_ours = not hasattr(os, "getuid") or facts.st_uid == os.getuid()
            if S_ISREG(facts.st_mode) and is_ours and facts.st_mtime < at - _LEFT_SECONDS:
                path.unlink()
                removed += 1
    return removed


def environ(scope: Scope, body: bytes | bytearray) -> dict[str, Any]:
    """Return what PEP 3333 says of a request whose body is whole."""
    server, _, port = scope.server.rpartition(":")
    about: dict[str, Any] = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        # PEP 3333: bytes, written as the characters of the same numbers.
        "PATH_INFO": scope.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "SERVER_NAME": server.strip("[]"),
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    if scope.authority:
        about["HTTP_HOST"] = scope.authority
    for name, value in scope.headers.items():
        # A proxy that replaces X-Forwarded-Proto lets X_Forwarded_Proto through; both have one key.
        if "_" in name:
            continue
        key = name.replace("-", "_").upper()
        if key not in _BARE:
            key = f"HTTP_{key}"
        if key in about and key != "HTTP_HOST":
            value = f"{about[key]}{'; ' if key == 'HTTP_COOKIE' else ','}{value}"  # noqa: PLW2901
        about[key] = value
    return about


def _has_body(scope: Scope) -> bool:
    headers = scope.headers
    if "transfer-encoding" in headers:
        return True
    length = headers.get("content-length")
    if length is None:
        # HTTP/2 need not state one.
        return scope.http_version.startswith("2") and scope.method not in _NEVER
    return bool(length != "0")


def _settle(answered: asyncio.Future[None]) -> None:
    if not answered.done():
        answered.set_result(None)


def _refuse(scope: Scope, proto: HTTPProtocol, status: HTTPStatus) -> None:
    """Say why in every language, since nothing of the request is known; then hang up."""
    lines = []
    for code, _ in settings.LANGUAGES:
        with translation.override(code):
            lines.append(gettext(_REASONS[status]))
    headers = [("content-type", "text/plain; charset=utf-8"), ("cache-control", "no-store")]
    if scope.http_version.startswith("1"):
        headers.append(("connection", "close"))
    proto.response_str(status, headers, "\n".join([*dict.fromkeys(lines), ""]))
