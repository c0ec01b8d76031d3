"""Reads the public files of a log from a folder or an http address, a little ahead of the reader.

Nothing is trusted here: lengths are limited, times too, and only http and https are followed.
"""

import time
import urllib.error
import urllib.request
import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO, Protocol
from urllib.parse import urlsplit

from diandian.verifier.tiles import MAX_BUNDLE_BYTES, Tile, read_tile

SMALL_BYTES = 262_144
_TIMEOUT_S = 30
_TRIES = 3
_PAUSE_S = 1
_AT_ONCE = 8
_GONE = frozenset({404, 410})
_WEB = ("http", "https")


class SourceError(Exception):
    """A file of the log could not be read; nothing can be said about it."""


class Source(Protocol):
    """Where the public files lie."""

    def read(self, path: str, limit: int = MAX_BUNDLE_BYTES) -> bytes:
        """Return a file. Raises: FileNotFoundError, SourceError."""

    def ahead(self, tiles: Iterable[Tile]) -> Iterator[bytes]:
        """Return files in order. Raises: FileNotFoundError, SourceError."""


class Folder:
    """A copy of the log on this machine."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def read(self, path: str, limit: int = MAX_BUNDLE_BYTES) -> bytes:
        """Return a file. Raises: FileNotFoundError, SourceError."""
        try:
            with (self._root / path).open("rb") as file:
                data = file.read(limit + 1)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise SourceError(f"{path}: {error.strerror or error}") from error
        if len(data) > limit:
            raise SourceError(f"{path} is longer than {limit} bytes")
        return data

    def ahead(self, tiles: Iterable[Tile]) -> Iterator[bytes]:
        """Return files in order. Raises: FileNotFoundError, SourceError."""
        return (read_tile(self.read, tile) for tile in tiles)


class _SameWeb(urllib.request.HTTPRedirectHandler):
    """Follows redirects to http and https only, and never from https down to http."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        """Return the request to follow with. Raises: SourceError."""
        old, new = urlsplit(req.full_url).scheme, urlsplit(newurl).scheme
        if new not in _WEB or (old == "https" and new != "https"):
            raise SourceError(f"the log redirects to {newurl[:100]}: not followed")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _unpacked(data: bytes, limit: int) -> bytes:
    packed = zlib.decompressobj(wbits=31)
    plain = packed.decompress(data, limit + 1)
    if not packed.eof and len(plain) <= limit:
        raise zlib.error("it is cut off")
    return plain


class Site:
    """A log on the web."""

    def __init__(self, address: str) -> None:
        self._address = address.rstrip("/")
        self._opener = urllib.request.build_opener(_SameWeb)

    def read(self, path: str, limit: int = MAX_BUNDLE_BYTES) -> bytes:
        """Return a file; try again when the log is busy. Raises: FileNotFoundError, SourceError."""
        reason = ""
        for tries_left in reversed(range(_TRIES)):
            try:
                return self._once(path, limit)
            except urllib.error.HTTPError as error:
                if error.code in _GONE:
                    raise FileNotFoundError(path) from error
                reason = f"the log answers {error.code}"
                if error.code < 500 and error.code != 429:  # noqa: PLR2004
                    raise SourceError(f"{path}: {reason}") from error
            except (OSError, HTTPException, zlib.error) as error:
                reason = str(error) or type(error).__name__
            if tries_left:
                time.sleep(_PAUSE_S)
        raise SourceError(f"{path}: {reason}")

    def _once(self, path: str, limit: int) -> bytes:
        request = urllib.request.Request(  # noqa: S310 - the scheme was checked when opened
            f"{self._address}/{path}",
            headers={"Accept-Encoding": "gzip, identity", "User-Agent": "diandian-audit"},
        )
        with self._opener.open(request, timeout=_TIMEOUT_S) as answer:
            data: bytes = answer.read(limit + 1)
            is_packed = answer.headers.get("Content-Encoding", "") == "gzip"
        if is_packed and len(data) <= limit:
            data = _unpacked(data, limit)
        if len(data) > limit:
            raise SourceError(f"{path} is longer than {limit} bytes")
        return data

    def ahead(self, tiles: Iterable[Tile]) -> Iterator[bytes]:
        """Return files in order, several on their way. Raises: FileNotFoundError, SourceError."""
        waiting: deque[Future[bytes]] = deque()
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            try:
                for tile in tiles:
                    waiting.append(pool.submit(read_tile, self.read, tile))
                    if len(waiting) >= 2 * _AT_ONCE:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()


def open_source(address: str) -> Source:
    """Return where to read from: an http(s) address, or a folder. Raises: SourceError."""
    parts = urlsplit(address)
    if "://" in address:
        if parts.scheme not in _WEB or not parts.netloc:
            raise SourceError("the address of a log begins with http:// or https://")
        return Site(address)
    folder = Path(address)
    if not folder.is_dir():
        raise SourceError(f"there is no folder {address}")
    return Folder(folder)
