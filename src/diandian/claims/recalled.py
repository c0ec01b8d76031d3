"""Words for a record that a recall has met: what stands, what was done about the rest.

``wording.py`` gives these functions to everybody else.
"""

from collections.abc import Mapping
from typing import Any

from diandian.claims.phrases import day, exact_mass
from diandian.claims.recall_texts import (
    BY,
    EXPLAINED,
    FACT,
    LOSS,
    NOTHING,
    STATE_LINES,
    TITLES,
)

Record = Mapping[str, Any]
STATES = frozenset({"remedied", "short"})


def standing_g(record: Record) -> int:
    """Return the grams of a record that stand today. Units: grams."""
    return int(record.get("standing_g", record["mass_g"]))


def is_recalled(record: Record) -> bool:
    """Tell whether a recall has met a record."""
    return record["state"] in STATES


def tense(record: Record) -> str:
    """Return "retired" or "held": what may be said of the grams that stand."""
    state = str(record["state"])
    if not is_recalled(record):
        return state
    return "held" if record["retire_by"] else "retired"


def is_whole(record: Record) -> bool:
    """Tell whether all grams of a record are retired and stand."""
    return record["state"] != "short" and tense(record) == "retired"


def standing_parts(record: Record) -> list[Mapping[str, Any]]:
    """Return the ranges to print: without those that a recall took whole, with the new ones."""
    parts = list(record["ranges"])
    for each in record.get("recalls", []):
        gone = [(part["batch"], part["start_g"], part["end_g"]) for part in each["ranges"]]
        parts = [
            part for part in parts if (part["batch"], part["start_g"], part["end_g"]) not in gone
        ]
        parts += [part for new in each["replacements"] for part in new["ranges"]]
    return parts


def _sum(record: Record, name: str) -> int:
    return sum(int(each[name]) for each in record["recalls"])


def recall_title(record: Record, lang: str, *, is_waiting: bool = False) -> str:
    """Return the first line about a recall; ``is_waiting``: the record does not know of it yet."""
    if is_waiting:
        return TITLES["recalled"][lang]
    short = exact_mass(_sum(record, "short_g"), lang)
    return TITLES[record["state"]][lang].format(short=short)


def recall_text(record: Record, lang: str, *, is_waiting: bool = False) -> str:
    """Return what happened, what was done and what there is to do, in one paragraph."""
    if is_waiting:
        return EXPLAINED["recalled"][lang]
    buffer_g, replaced_g = _sum(record, "buffer_g"), _sum(record, "replaced_g")
    how = "both" if buffer_g and replaced_g else "buffer" if buffer_g else "replaced"
    return EXPLAINED[record["state"]][lang].format(
        affected=exact_mass(_sum(record, "affected_g"), lang),
        short=exact_mass(_sum(record, "short_g"), lang),
        standing=exact_mass(standing_g(record), lang),
        how=BY[how][lang],
    )


def state_line(record: Record, lang: str) -> str:
    """Return the state of a recalled record, with its day."""
    return STATE_LINES[record["state"]][lang].format(
        day=day(record["issued_at"]), short=exact_mass(_sum(record, "short_g"), lang)
    )


def losses(record: Record, lang: str) -> list[str]:
    """Return what stands today and one sentence for each recall; nothing where none was."""
    if not is_recalled(record):
        return []
    grams = ("affected_g", "buffer_g", "replaced_g", "short_g")
    return [_standing(record, lang)] + [
        LOSS[each["kind"]][lang].format(
            day=day(each["at"]),
            **{name[:-2]: exact_mass(int(each[name]), lang) for name in grams},
        )
        for each in record["recalls"]
    ]


def _standing(record: Record, lang: str) -> str:
    grams = standing_g(record)
    if not grams:
        return NOTHING["fact"][lang]
    return FACT[lang].format(standing=exact_mass(grams, lang))


def nothing(key: str, record: Record, lang: str) -> str:
    """Return a sentence of a record of which nothing stands: statement, claim, share."""
    return NOTHING[key][lang].format(mass=exact_mass(int(record["mass_g"]), lang))
