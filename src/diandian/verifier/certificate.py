"""Checks a certificate record against itself: every number must follow from the others.

*Source:* invariants R7, R8, R10 and C1 of the registry study. A record can pass all of this and
still be forged: only the signature tells who wrote it.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from diandian.kernel.mass import GRAMS_PER_KG, GRAMS_PER_TONNE
from diandian.kernel.tokens import is_well_formed
from diandian.verifier.checks import Check, failed

Record = Mapping[str, Any]
SCHEMA = "diandian/certificate/1"
STATES = ("retired", "held")
# Of records that a recall has met: all made good, or some grams openly short.
RECALLED_STATES = ("remedied", "short")
LEVELS = ("L1", "L2", "L3", "L4")
_DIGITS = re.compile(r"(\d+)")
_TENTHS = re.compile(r"[0-9]{1,6}\.[0-9]")


def _schema(record: Record) -> str:
    return "" if record["schema"] == SCHEMA else f"unknown schema {record['schema']!r}"


def _code(record: Record) -> str:
    if not is_well_formed(record["code"]):
        return "the code's check character is wrong"
    return "" if record["verify_url"].endswith(f"/{record['code']}") else "the address differs"


def _state(record: Record) -> str:
    state, level = record["state"], record["claim"]["level"]
    if state in RECALLED_STATES:
        return _recalled_state(record, level)
    if state not in STATES or level not in LEVELS:
        return f"unknown state {state!r} or level {level!r}"
    if (state == "held") != (level == "L1"):
        return "only what is not yet retired has level L1, and it has no other"
    if not record["retired_at" if state == "retired" else "retire_by"]:
        return "the day of the retirement is missing"
    return ""


def _recalled_state(record: Record, level: object) -> str:
    if record["standing_g"] == 0:
        return "" if level == "L0" else "where nothing stands, nothing is claimed"
    if level not in LEVELS:
        return f"unknown level {level!r}"
    if bool(record["retire_by"]) != (level == "L1"):
        return "only what is not yet retired has level L1, and it has no other"
    if not record["retire_by"] and not record["retired_at"]:
        return "the day of the retirement is missing"
    return ""


def standing_g(record: Record) -> int:
    """Return the grams that still stand: all of them unless a recall took some. Units: grams."""
    grams: int = record.get("standing_g", record["mass_g"])
    return grams


def _whole(value: object) -> bool:
    return type(value) is int and value >= 0


def _ranges(record: Record) -> str:
    problem = _ranges_hold(record["ranges"], record["mass_g"])
    return "" if record["state"] == "held" and not record["ranges"] else problem


def _ranges_hold(parts: Sequence[Record], mass_g: int) -> str:
    total = 0
    seen: list[tuple[str, int, int]] = []
    for part in parts:
        start, end = part["start_g"], part["end_g"]
        if not (_whole(start) and _whole(end) and start < end):
            return "a range is empty or runs backwards"
        if part["mass_g"] != end - start:
            return "a range does not hold the grams that it states"
        if any(part["batch"] == b and start < e and s < end for b, s, e in seen):
            return "two ranges overlap"
        seen.append((part["batch"], start, end))
        total += part["mass_g"]
    return "" if total == mass_g else f"ranges hold {total} g, not {mass_g} g"


def _serial_distance(first: object, last: object) -> int | None:
    """Return how many serials lie between, or None when they are not of one series.

    Registries that number by ranges write one serial as a range of one, its number twice.
    """
    one, two = _DIGITS.split(str(first)), _DIGITS.split(str(last))
    if len(one) != len(two):
        return None
    differing = [index for index in range(len(one)) if one[index] != two[index]]
    if not differing:
        return 0
    numbers = {(one[index], two[index]) for index in differing}
    # Odd places are the digits; the number of a serial stands once, or twice side by side.
    apart = differing[-1] - differing[0]
    if len(numbers) != 1 or apart not in {0, 2} or differing[0] % 2 == 0:
        return None
    before, after = numbers.pop()
    return int(after) - int(before)


def _all_ranges(record: Record) -> list[Record]:
    """Return the ranges of old, those recalled, and those put in their place."""
    parts = list(record["ranges"])
    for recall in record.get("recalls", []):
        parts += recall["ranges"]
        for replacement in recall["replacements"]:
            parts += replacement["ranges"]
    return parts


def _serials(record: Record) -> str:
    for part in _all_ranges(record):
        distance = _serial_distance(part["serial_first"], part["serial_last"])
        first, last = part["offset_first_g"], part["offset_last_g"]
        if distance is None or distance < 0:
            return "first and last serial are not of one series"
        if not (0 <= first < GRAMS_PER_TONNE and 0 < last <= GRAMS_PER_TONNE):
            return "an offset lies outside its serial"
        if distance * GRAMS_PER_TONNE + last - first != part["mass_g"]:
            return "serials and offsets do not hold the grams of their range"
        if part["start_g"] % GRAMS_PER_TONNE != first:
            return "a range does not start where its serial says"
    return ""


def _estimate(record: Record) -> str:
    estimate = record["estimate"]
    if estimate is None:
        return "" if record["purpose"] == "lump_sum" else "a trip has an estimate"
    total = sum(line["mass_g"] for line in estimate["lines"])
    if total != estimate["mass_g"]:
        return f"the lines add up to {total} g, not {estimate['mass_g']} g"
    if not 0 <= estimate["low_g"] <= estimate["mass_g"] <= estimate["high_g"]:
        return "the estimate lies outside its own range"
    ends = _factor_range(estimate) if estimate.get("method_version") == "m2" else ""
    return ends or _carried(estimate)


def _factor_range(estimate: Record) -> str:
    """Check the ends of a range by method m2: the total divided and multiplied by 1 + doubt."""
    stated = str(estimate.get("doubt_pct"))
    if not _TENTHS.fullmatch(stated):
        return "the doubt is not stated to a tenth of a per cent"
    spread = 1000 + int(stated.replace(".", ""))  # thousandths; whole numbers, half up
    mass = estimate["mass_g"]
    ends = (2000 * mass + spread) // (2 * spread), (2 * mass * spread + 1000) // 2000
    if ends != (estimate["low_g"], estimate["high_g"]):
        return f"by its doubt the estimate lies between {ends[0]} g and {ends[1]} g"
    return ""


def _carried(estimate: Record) -> str:
    """Check that the answers of a year that somebody sent along stand behind its five sums."""
    carried = estimate.get("carried")
    if carried is None:
        return ""
    sums: dict[str, int] = {}
    for line in carried["lines"]:
        group = line["key"].partition(".")[0]
        sums[group] = sums.get(group, 0) + line["mass_g"]
    stated = {line["key"]: line["mass_g"] for line in estimate["lines"]}
    if {group: mass_g for group, mass_g in sums.items() if mass_g} != stated:
        return "the sums are not those of the lines that it carries"
    names = ("mass_g", "low_g", "high_g", "factor_set_id", "method_version")
    same = all(carried[name] == estimate[name] for name in names)
    return "" if same else "the estimate that it carries is another one"


def _own_factors(record: Record) -> str:
    """Check that factors of whoever asked are counted; records before this field have none."""
    lines = (record["estimate"] or {}).get("lines", [])
    counted = sum(1 for line in lines if line.get("factor_set") == "own")
    stated = (record.get("own_factors") or {}).get("lines", 0)
    if "own_factors" in record and counted != stated:
        return f"{counted} lines rest on factors of the requester, {stated} are stated"
    return ""


def _dots(record: Record) -> str:
    counted = sum(record["dots"].values())
    per_dot_g = record["kg_per_dot"] * GRAMS_PER_KG
    if not all(_whole(number) for number in record["dots"].values()) or per_dot_g <= 0:
        return "dots are whole and not negative"
    close = abs(counted * per_dot_g - record["mass_g"]) < per_dot_g
    return "" if close else f"{counted} dots of {per_dot_g} g are not {record['mass_g']} g"


def _money(record: Record) -> str:
    money = record["money"]
    if money is None:
        return ""
    same = money["supplier_minor"] + money["fee_minor"] == money["total_minor"]
    return "" if same else "project share and fee do not add up to the price"


def _claim(record: Record) -> str:
    claim, estimate = record["claim"], record["estimate"]
    if claim["level"] not in {"L3", "L4"}:
        return ""
    if estimate is None or standing_g(record) < estimate["high_g"]:
        return "the claim needs at least the upper estimate"
    if record.get("own_factors"):
        return "the claim needs an estimate with checked factors"
    if not record["recognition_evidence"]:
        return "the claim needs recognised credits"
    if claim["level"] == "L4" and claim["audience"] != "event":
        return "only a whole event can carry this claim"
    return ""


def _upstream(record: Record) -> str:
    upstream = record["upstream"]
    if upstream is None:
        return "" if record["state"] == "held" else "where the tonnes came from is missing"
    if upstream["simulated"] and not record["simulated_registry"]:
        return "a simulated registry is not marked as one"
    is_retired = record["state"] != "held" and not record["retire_by"]
    external = upstream["custody"] == "external" and is_retired
    if external and not upstream["retired_at"]:
        return "the outside registry has not retired these tonnes"
    return ""


Spans = dict[str, list[tuple[int, int]]]


def _recalls(record: Record) -> str:
    """Replay the recalls: each takes away what stood, and puts grams in its place or is short.

    What stands at the end, buffers included, must be what the record says.
    """
    recalls = record.get("recalls", [])
    if not recalls:
        untouched = record["state"] in STATES and "standing_g" not in record
        return "" if untouched else "what was recalled is not stated"
    if record["state"] not in RECALLED_STATES:
        return "it was recalled, and its state does not say so"
    standing: Spans = {}
    _add(standing, record["ranges"])
    buffer_g = short_g = 0
    for recall in recalls:
        problem = _one_recall(standing, recall)
        if problem:
            return problem
        buffer_g += recall["buffer_g"]
        short_g += recall["short_g"]
    total = buffer_g + sum(end - start for spans in standing.values() for start, end in spans)
    if total != standing_g(record) or total + short_g != record["mass_g"]:
        return f"{total} g stand and {short_g} g are short, that is not what is stated"
    if (record["state"] == "short") != (short_g > 0):
        return "its state does not say whether grams are short"
    return ""


def _one_recall(standing: Spans, recall: Record) -> str:
    grams = [recall[name] for name in ("affected_g", "buffer_g", "replaced_g", "short_g")]
    if not all(_whole(number) for number in grams) or grams[0] != sum(grams[1:]):
        return "buffer, replaced and short do not add up to what was recalled"
    if problem := _ranges_hold(recall["ranges"], recall["affected_g"]):
        return problem
    new = [part for each in recall["replacements"] for part in each["ranges"]]
    if problem := _ranges_hold(new, recall["replaced_g"]):
        return problem
    for part in recall["ranges"]:
        if not _take(standing, part["batch"], part["start_g"], part["end_g"]):
            return "it says that grams were recalled which did not stand"
    if any(part["batch"] in standing and _meets(standing[part["batch"]], part) for part in new):
        return "a replacement uses grams that stand already"
    _add(standing, new)
    return ""


def _add(standing: Spans, parts: Sequence[Record]) -> None:
    for part in parts:
        standing.setdefault(part["batch"], []).append((part["start_g"], part["end_g"]))


def _meets(spans: list[tuple[int, int]], part: Record) -> bool:
    return any(part["start_g"] < end and start < part["end_g"] for start, end in spans)


def _take(standing: Spans, batch: str, start_g: int, end_g: int) -> bool:
    """Take grams out of what stands; they lie within one range, as they were retired."""
    for index, (start, end) in enumerate(standing.get(batch, [])):
        if start <= start_g and end_g <= end:
            left = [(start, start_g), (end_g, end)]
            standing[batch][index : index + 1] = [span for span in left if span[0] < span[1]]
            return True
    return False


_CHECKS: dict[str, Callable[[Record], str]] = {
    "schema": _schema,
    "code": _code,
    "state": _state,
    "ranges": _ranges,
    "serials": _serials,
    "estimate": _estimate,
    "own_factors": _own_factors,
    "dots": _dots,
    "money": _money,
    "claim": _claim,
    "upstream": _upstream,
    "recalls": _recalls,
}


def _run(key: str, function: Callable[[Record], str], record: Record) -> Check:
    try:
        problem = function(record)
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        problem = f"cannot be read ({type(error).__name__}: {error})"
    return Check(key, not problem, problem)


def checks(record: Record) -> list[Check]:
    """Return one check for each part of the record; a malformed part fails and never raises."""
    return [_run(key, function, record) for key, function in _CHECKS.items()]


def check(record: Record) -> list[Check]:
    """Return what is wrong with the record; an empty list means that it agrees with itself."""
    return failed(checks(record))
