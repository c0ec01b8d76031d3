"""The signed head of a log: whose keys count, whether it may follow the last one seen."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from diandian.kernel import clock
from diandian.verifier.audit.book import Book
from diandian.verifier.audit.findings import Finding
from diandian.verifier.audit.source import SMALL_BYTES, Source, SourceError
from diandian.verifier.audit.state import Seen
from diandian.verifier.notes import Checkpoint, NoteError, Verifier, open_note
from diandian.verifier.policy import Policy, PolicyError

KEYS, CHECKPOINT = "keys.txt", "checkpoint"


def _keys_in(text: str, where: str) -> list[Verifier]:
    lines = (line.strip() for line in text.splitlines())
    try:
        return [Verifier.parse(line) for line in lines if line and not line.startswith("#")]
    except NoteError as error:
        raise SourceError(f"{where}: {error}") from error


def keys_given(texts: Iterable[str]) -> list[Verifier]:
    """Return the keys of the command line: each a key, or a file with one a line.

    Raises: SourceError.
    """
    keys: list[Verifier] = []
    for text in texts:
        if "+" in text and "\n" not in text:
            keys += _keys_in(text, "--key")
            continue
        try:
            keys += _keys_in(Path(text).read_text(encoding="utf-8"), text)
        except (OSError, ValueError) as error:
            raise SourceError(f"--key {text[:80]}: neither a key nor a file of keys") from error
    return keys


def read_policy(path: Path | None) -> Policy | None:
    """Return the policy of a file. Raises: SourceError."""
    if path is None:
        return None
    try:
        return Policy.parse(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, PolicyError) as error:
        raise SourceError(f"the policy {path} cannot be used: {error}") from error


def trusted_keys(
    source: Source, given: Sequence[Verifier], seen: Seen, book: Book, remarks: list[str]
) -> list[Verifier]:
    """Return the keys that may sign the head, and remark where they come from.

    Those given count; else those of the last run; else those that the log itself publishes. Keys
    that the log has announced in its own entries count beside them. Raises: SourceError.
    """
    announced = [Verifier.parse(key.vkey) for key in book.keys]
    if given:
        return [*given, *announced]
    if seen.keys:
        remarks.append("the keys are those of the last run, as none were given")
        return [*(Verifier.parse(vkey) for vkey in seen.keys), *announced]
    try:
        text = source.read(KEYS, SMALL_BYTES).decode()
    except (FileNotFoundError, UnicodeDecodeError) as error:
        raise SourceError(f"no key was given, and the log publishes no {KEYS}") from error
    remarks.append(
        f"the keys were taken from {KEYS}, from the same place as the log: whoever could replace "
        "the log could replace them too. Compare them with another source and give --key"
    )
    return _keys_in(text, KEYS)


def succession(head: Checkpoint, seen: Seen) -> list[Finding]:
    """Return why this head cannot follow that of the last run."""
    if not seen.note:
        return []
    text = ""
    if head.origin != seen.origin:
        text = f"this is the log {head.origin}, the last run saw {seen.origin}"
    elif head.size < seen.size:
        text = f"the log shrank: {seen.size} entries in the last run, {head.size} in this one"
    elif head.size == seen.size and head.root != seen.root:
        text = (
            f"two different roots of the same {head.size} entries: {seen.root.hex()} in the last "
            f"run, {head.root.hex()} in this one"
        )
    return [Finding("head", text)] if text else []


def honoured(book: Book, note: str) -> list[Finding]:
    """Return a finding when the newest key that the log announced did not sign its head."""
    now = clock.now()
    due = [
        key
        for key in book.keys
        if Verifier.parse(key.vkey).name == book.origin
        and datetime.strptime(key.since, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC) <= now
    ]
    if not due:
        return []
    newest = due[-1]
    try:
        open_note(note, [Verifier.parse(newest.vkey)])
    except NoteError:
        text = f"the log announced {newest.vkey} from {newest.since}, and did not sign with it"
        return [Finding("key", text, (newest.index,))]
    return []
