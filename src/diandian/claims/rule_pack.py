"""Contract of a rule pack: one folder with ``pack.toml``, the rules of one text as data.

A rule carries where it was read and when, so that a person can check it again; grade S = read in
the source itself, 2 = in a secondary source, M = from memory, to be confirmed in the primary text.
"""

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from diandian.kernel.folders import plug_in_keys

_FOLDER = Path(__file__).parent / "rule_packs"
GRADES = ("S", "2", "M")


@dataclass(frozen=True, slots=True)
class Rule:
    """One requirement. ``blocking``: an event claim is impossible while it has no evidence."""

    id: str
    text: str
    source: str
    source_checked_on: date
    grade: str
    blocking: bool

    def __post_init__(self) -> None:
        if self.grade not in GRADES or not self.text or not self.source:
            raise ValueError(f"rule {self.id} needs a text, a source and a grade of {GRADES}")


@dataclass(frozen=True, slots=True)
class RulePack:
    """The rules of one text. ``event_claims``: whether it allows a claim about a whole event."""

    key: str
    jurisdiction: str
    titles: dict[str, str]
    event_claims: bool
    rules: tuple[Rule, ...]

    @property
    def blocking_ids(self) -> frozenset[str]:
        """Return the ids of the rules without which no event claim is possible."""
        return frozenset(rule.id for rule in self.rules if rule.blocking)

    @property
    def unconfirmed(self) -> tuple[Rule, ...]:
        """Return the rules that nobody has read in a source yet."""
        return tuple(rule for rule in self.rules if rule.grade == "M")


def _load(key: str) -> RulePack:
    table = tomllib.loads((_FOLDER / key / "pack.toml").read_text(encoding="utf-8"))
    rules = tuple(
        Rule(
            id=row["id"],
            text=row["text"],
            source=row["source"],
            source_checked_on=row["source_checked_on"],
            grade=row["grade"],
            blocking=row.get("blocking", False),
        )
        for row in table["rule"]
    )
    if len({rule.id for rule in rules}) != len(rules):
        raise ValueError(f"rule pack {key} has an id twice")
    return RulePack(
        key=key,
        jurisdiction=table["jurisdiction"],
        titles=table["titles"],
        event_claims=table["event_claims"],
        rules=rules,
    )


@cache
def rule_packs() -> dict[str, RulePack]:
    """Return all packs by key; each is a folder of ``claims/rule_packs``."""
    return {key: _load(key) for key in plug_in_keys("diandian.claims.rule_packs")}


def rule_pack(key: str) -> RulePack:
    """Return one pack. Raises: KeyError."""
    return rule_packs()[key]
