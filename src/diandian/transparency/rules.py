"""What an entry of the public log is about, and how instants stand in it; pure.

*Source:* decision 0027; design of the registry, section 5.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from diandian.verifier import entries

SCHEMA = "diandian/log/1"

Body = Mapping[str, Any]

# A key's name begins with its log's, and an entry is found by the key's: both columns are finite.
LONGEST_NAME = 102
# Logs that follow a closed one are named like it with a number behind: "/2".
LONGEST_FIRST_NAME = LONGEST_NAME - len("/999")

# What each type is about, so that it is entered once. A freeze or a thaw may come again.
_SUBJECTS: dict[str, Callable[[Body], str | None]] = {
    "open": lambda body: body["origin"],
    "issue": lambda body: body["batch"],
    "upstream": lambda body: f"{body['batch']}:{body['first']}",
    "retire": lambda body: body["retirement"],
    "cancel": lambda body: body["ref"],
    "reversal": lambda body: body["ref"],
    "freeze": lambda _: None,
    "thaw": lambda _: None,
    "recall": lambda body: f"{body['recall']}:{body['batch']}:{body['start_g']}",
    # One retirement may need several steps, each of another outcome or replacement.
    "remedy": lambda body: (
        f"{body['recall']}:{body['retirement']}:{body['replacement'] or body['outcome']}"
    ),
    "correction": lambda body: f"{body['retirement']}:{body['version']}",
    "key": lambda body: body["vkey"],
    "close": lambda body: f"{body['size']}:{body['root']}",
}


def ref_of(body: Body) -> str | None:
    """Return what an entry is about, in words that no other entry has; None where it may repeat."""
    kind = body["type"]
    subject = _SUBJECTS[kind](body)
    return None if subject is None else f"{kind}:{subject}"


def name_fault(name: str, *, is_first: bool = False) -> str:
    """Say why no log can have this name, or nothing. ``is_first``: others will be named after it.

    >>> name_fault("diandian.example/log"), name_fault("x" * 103)
    ('', 'it has 103 characters, and 102 fit')
    """
    longest = LONGEST_FIRST_NAME if is_first else LONGEST_NAME
    if len(name) > longest:
        return f"it has {len(name)} characters, and {longest} fit"
    return entries.problem_of("open", "origin", name)


def instant(at: datetime) -> str:
    """Return an instant as entries write it: UTC, whole seconds."""
    assert at.tzinfo is not None, "instants are aware"
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def first_entry(origin: str, previous: Body | None) -> dict[str, Any]:
    """Return the first entry of a log. ``previous``: origin, size and root of a closed one."""
    return {"type": "open", "schema": SCHEMA, "origin": origin, "previous": previous}
