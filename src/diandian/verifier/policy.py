"""Whom one trusts to have seen the log: its keys, witnesses, and how many of these are enough.

*Source:* C2SP tlog-policy. The file is the reader's own; what a log publishes is a proposal.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from diandian.verifier.notes import Checkpoint, NoteError, Signed, Verifier, open_note

NONE = "none"
_MAX_BYTES = 262_144
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_COUNT = re.compile(r"[1-9][0-9]{0,3}")
_AT_LEAST = {"log": 2, "witness": 3, "group": 4, "quorum": 2}
_AT_MOST = {"log": 3, "witness": 4, "quorum": 2}


class PolicyError(ValueError):
    """The policy cannot be used; the text names the line."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Keys of logs, witnesses by the name that the policy gives them, and the rule.

    ``groups``: name to (how many are needed, of which members). ``urls``: where witnesses answer.
    """

    logs: tuple[Verifier, ...] = ()
    witnesses: dict[str, Verifier] = field(default_factory=dict)
    groups: dict[str, tuple[int, tuple[str, ...]]] = field(default_factory=dict)
    quorum: str = NONE
    urls: dict[str, str] = field(default_factory=dict)

    @property
    def verifiers(self) -> tuple[Verifier, ...]:
        """Return the keys of the witnesses."""
        return tuple(self.witnesses.values())

    def _is_met(self, name: str, seen_by: frozenset[Verifier]) -> bool:
        if name in self.witnesses:
            return self.witnesses[name] in seen_by
        needed, members = self.groups[name]
        return sum(self._is_met(member, seen_by) for member in members) >= needed

    def problem(self, signed: Sequence[Signed]) -> str:
        """Return why these signatures are not enough, or ""."""
        seen_by = frozenset(item.verifier for item in signed)
        if self.quorum == NONE or self._is_met(self.quorum, seen_by):
            return ""
        names = [name for name, key in self.witnesses.items() if key in seen_by]
        seen = ", ".join(names) or "none"
        return f"too few witnesses have signed: the quorum is {self.quorum}, signed have: {seen}"

    @classmethod
    def parse(cls, text: str) -> "Policy":
        """Read a policy file. Raises: PolicyError."""
        if len(text) > _MAX_BYTES or _CONTROL.search(text):
            raise PolicyError("the policy is too long or holds control characters")
        draft = _Draft()
        for number, line in enumerate(text.split("\n"), start=1):
            words = [word for word in re.split(r"[ \t]+", line) if word]
            if words and not words[0].startswith("#"):
                try:
                    draft.take(words)
                except (NoteError, PolicyError) as error:
                    raise PolicyError(f"line {number} of the policy: {error}") from error
        if draft.quorum is None:
            raise PolicyError("the policy has no line that says its quorum")
        return cls(tuple(draft.logs), draft.witnesses, draft.groups, draft.quorum, draft.urls)


class _Draft:
    """A policy while its lines are read."""

    def __init__(self) -> None:
        self.logs: list[Verifier] = []
        self.witnesses: dict[str, Verifier] = {}
        self.groups: dict[str, tuple[int, tuple[str, ...]]] = {}
        self.urls: dict[str, str] = {}
        self.quorum: str | None = None
        self._grouped: set[str] = set()

    def take(self, words: list[str]) -> None:
        verb = words[0]
        if verb not in _AT_LEAST:
            raise PolicyError(f"{verb[:40]!r} begins no line of a policy")
        if not _AT_LEAST[verb] <= len(words) <= _AT_MOST.get(verb, len(words)):
            raise PolicyError(f"a line of {verb} has another number of words")
        getattr(self, f"_take_{verb}")(words[1:])

    def _take_log(self, words: list[str]) -> None:
        key = Verifier.parse(words[0])
        if any(key.public == other.public for other in self.logs):
            raise PolicyError("this key of a log is listed twice")
        self.logs.append(key)

    def _fresh(self, name: str) -> str:
        if name == NONE or name in self.witnesses or name in self.groups:
            raise PolicyError(f"the name {name} is taken")
        return name

    def _known(self, name: str) -> str:
        if name not in self.witnesses and name not in self.groups:
            raise PolicyError(f"{name} is not named above")
        return name

    def _take_witness(self, words: list[str]) -> None:
        name, key = self._fresh(words[0]), Verifier.parse(words[1])
        if not key.is_cosigner:
            raise PolicyError(f"the key of {name} is not one of a witness")
        if any(key.public == other.public for other in self.witnesses.values()):
            raise PolicyError("this key of a witness is listed twice")
        self.witnesses[name] = key
        if words[2:]:
            self.urls[name] = words[2]

    def _take_group(self, words: list[str]) -> None:
        name, needed, *members = words
        self._fresh(name)
        for member in members:
            if self._known(member) in self._grouped:
                raise PolicyError(f"{member} is in a group twice")
            self._grouped.add(member)
        counts = {"any": 1, "all": len(members)}
        count = counts.get(needed) or (int(needed) if _COUNT.fullmatch(needed) else 0)
        if not 1 <= count <= len(members):
            raise PolicyError(f"{needed} is not a number of its {len(members)} members")
        self.groups[name] = count, tuple(members)

    def _take_quorum(self, words: list[str]) -> None:
        if self.quorum is not None:
            raise PolicyError("the quorum is said twice")
        self.quorum = NONE if words[0] == NONE else self._known(words[0])


def open_head(
    note: str | bytes, log_keys: Sequence[Verifier], policy: Policy | None = None
) -> tuple[Checkpoint, tuple[Signed, ...]]:
    """Return a head of a log and the known signatures on it, the log's own among them.

    The log's key bears the log's name. Whether the witnesses are enough is left to the caller.
    Raises: NoteError when the note is malformed, or the log itself did not sign it.
    """
    witnesses = policy.verifiers if policy is not None else ()
    text, signed = open_note(note, (*log_keys, *witnesses))
    head = Checkpoint.parse(text)
    own = [key for key in log_keys if key.name == head.origin]
    if not any(item.verifier in own for item in signed):
        raise NoteError(f"the log {head.origin} did not sign this head with a known key")
    return head, signed
