"""Asks witnesses to look at a head and sign that they did: C2SP tlog-witness, ``add-checkpoint``.

Who is asked stands in a file of the operator's, in the form of C2SP tlog-policy, with addresses.
A witness that does not answer stops nothing: it is asked again later.
"""

import base64
import http.client
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings

from diandian.verifier.notes import NoteError, Verifier, decimal, open_note, split
from diandian.verifier.policy import Policy, PolicyError

SECONDS = 3
_MOST_BYTES = 65_536
_NO_WITNESSES = "quorum none\n"


class WitnessSilentError(Exception):
    """The witness did not answer, or with something that is no answer."""


class WitnessConflictError(Exception):
    """The witness has seen another log under this name. ``size``: what it saw, if it said so."""

    def __init__(self, name: str, size: int | None) -> None:
        self.size = size
        super().__init__(f"{name} has seen {'another tree' if size is None else size}")


@dataclass(frozen=True, slots=True)
class Witness:
    """Somebody who signs that a head continues the one before."""

    name: str
    url: str
    verifier: Verifier


def policy_text() -> str:
    """Return the operator's file of witnesses; one that asks nobody where there is none."""
    path = settings.LOG_WITNESSES
    return Path(path).read_text(encoding="utf-8") if path else _NO_WITNESSES


def load() -> Policy:
    """Return whom to ask. Raises: PolicyError, OSError."""
    policy = Policy.parse(policy_text())
    for name, url in policy.urls.items():
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise PolicyError(f"the address of {name} is not one of the web")
    return policy


@cache
def _known(path: str, written_ns: int) -> Policy:
    del path, written_ns
    return load()


def policy() -> Policy:
    """Return whom to ask, read again only after a change. Raises: PolicyError, OSError."""
    path = str(settings.LOG_WITNESSES)
    return _known(path, Path(path).stat().st_mtime_ns if path else 0)


def witnesses() -> list[Witness]:
    """Return the witnesses that have an address. Raises: PolicyError, OSError."""
    found = policy()
    return [Witness(name, url, found.witnesses[name]) for name, url in found.urls.items()]


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A witness answers itself or not at all."""

    def redirect_request(self, *_: object, **__: object) -> None:
        return None


def ask(witness: Witness, old_size: int, proof: Sequence[bytes], note: str) -> list[str]:
    """Send a head with the proof that it continues what the witness has seen.

    Returns the witness's signature lines. Raises: WitnessSilentError, WitnessConflictError (409
    names the size that the witness has, 422 finds the proof wrong).
    """
    lines = [f"old {old_size}", *(base64.b64encode(item).decode() for item in proof)]
    body = "\n".join([*lines, "", note]).encode()
    request = urllib.request.Request(  # noqa: S310 - the scheme was checked when it was read
        witness.url.rstrip("/") + "/add-checkpoint",
        data=body,
        headers={"Content-Type": "text/plain; charset=utf-8", "User-Agent": "diandian-log"},
        method="POST",
    )
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=SECONDS) as answer:
            text = answer.read(_MOST_BYTES).decode()
        return _signed_by(witness, note, text)
    except urllib.error.HTTPError as error:
        raise _refusal(witness, error) from error
    except (OSError, http.client.HTTPException, NoteError, UnicodeDecodeError) as error:
        raise WitnessSilentError(f"{witness.name}: {error}") from error


def _refusal(witness: Witness, error: urllib.error.HTTPError) -> Exception:
    with error:
        if error.code == http.HTTPStatus.UNPROCESSABLE_ENTITY:
            return WitnessConflictError(witness.name, None)
        if error.code == http.HTTPStatus.CONFLICT:
            try:
                size = decimal(error.read(32).decode("ascii").removesuffix("\n"), "its size")
            except (NoteError, UnicodeDecodeError, OSError):
                return WitnessSilentError(f"{witness.name}: 409 without a size")
            return WitnessConflictError(witness.name, size)
        return WitnessSilentError(f"{witness.name}: {error.code}")


def _signed_by(witness: Witness, note: str, text: str) -> list[str]:
    """Return the lines of an answer that are the witness's good signatures. Raises: NoteError."""
    body, _ = split(note)
    lines = [line for line in text.split("\n") if line and _is_good(witness, body, line)]
    if not lines:
        raise NoteError("an answer without a signature of the known key")
    return lines


def _is_good(witness: Witness, body: str, line: str) -> bool:
    try:
        open_note(f"{body}\n{line}\n", [witness.verifier])
    except NoteError:
        return False
    return True
