"""The only door to words that claim anything about neutrality, contribution or cover.

Every sentence is a function of the evidence in the certificate record, the style that the
jurisdiction and the audience allow, and the language. "Certificate of honour" is a name only; what
is claimed comes from the level (``levels.py``). The sentences themselves stand in ``texts.py``.
The record's fields: ``docs/howto/add-a-certificate-design.md``.
"""

from collections.abc import Mapping
from typing import Any

from diandian.claims import recalled
from diandian.claims.banned import banned_terms, find_banned
from diandian.claims.levels import Level, Style, allowed_style
from diandian.claims.life_texts import LIFE_CATEGORIES, LIFE_FACTS
from diandian.claims.phrases import (
    LANGUAGES,
    Text,
    amount,
    day,
    exact_mass,
    listed,
    pick,
    shown_mass,
    shown_range,
)
from diandian.claims.recall_texts import VERIFY_ANSWERS as RECALL_ANSWERS
from diandian.claims.recalled import (
    is_recalled,
    is_whole,
    recall_text,
    recall_title,
    standing_g,
    standing_parts,
    tense,
)
from diandian.claims.texts import (
    BRANDS,
    CATEGORIES,
    CLAIM_LINES,
    CTAS,
    FACTS,
    GUESTS,
    KIND_VERBS,
    LABELS,
    MATCH_BUTTONS,
    NOT_EMISSION_FREE,
    POSTERS,
    REDUCE_FIRST,
    RELATIONS,
    SHARE_LINES,
    STATE_LINES,
    STATEMENTS,
    TITLES,
    VERIFY_ANSWERS,
    VOLUNTARY,
)
from diandian.kernel.mass import GRAMS_PER_KG, grams_to_buy

Record = Mapping[str, Any]

__all__ = [
    "LANGUAGES",
    "banned_terms",
    "find_banned",
    "is_recalled",
    "is_whole",
    "recall_text",
    "recall_title",
    "standing_g",
    "standing_parts",
    "style_of",
    "tense",
    "title",
]


def style_of(record: Record) -> Style:
    """Return the style in which this record may be worded, never looser than its place allows."""
    claim = record["claim"]
    wished = Style.CONTRIBUTION if record["state"] == "short" else claim["style"]
    return allowed_style(wished, claim["jurisdiction"], claim["audience"])


def _style(subject: Record | str) -> Style:
    return Style(subject) if isinstance(subject, str) else style_of(subject)


def _level(record: Record) -> Level:
    level = Level(record["claim"]["level"])
    strict = style_of(record) is Style.CONTRIBUTION
    # A claim about a whole event exists only in the compensation family of words.
    return Level.COVERED if level is Level.EVENT and strict else level


def _say(texts: Text, lang: str, **params: object) -> str:
    return texts[lang].format(**params)


# --- words for pages -----------------------------------------------------------------------------


def brand(subject: Record | str, lang: str) -> str:
    """Return the product's name as it may stand on this surface."""
    return BRANDS[_style(subject)][lang]


def title(subject: Record | str, lang: str) -> str:
    """Return the certificate's visual name, for a record or a style."""
    return TITLES[_style(subject)][lang]


def cta(style: str, lang: str) -> str:
    """Return the words of the scene page's main button."""
    return CTAS[Style(style)][lang]


def match_button(style: str, dots: int, lang: str) -> str:
    """Return the words of the result page's main button."""
    return _say(MATCH_BUTTONS[Style(style)], lang, dots=dots)


def label(key: str, style: str, lang: str, **params: object) -> str:
    """Return a short label that claims something: open, matched, cover, host_paid, sponsored ..."""
    return _say(LABELS[key][Style(style)], lang, **params)


def voluntary(lang: str, style: str = Style.CONTRIBUTION) -> str:
    """Return the honest line beside every paying button; the default suits every surface."""
    return VOLUNTARY[Style(style)][lang]


def poster_words(style: str, lang: str) -> Mapping[str, Any]:
    """Return the poster's question, its four steps as (words, smaller words), and its captions."""
    words: Mapping[str, Any] = POSTERS[Style(style)][lang]
    return words


def verify_answer(key: str, lang: str) -> str:
    """Return the first line of the verify page; the keys are those of ``VERIFY_ANSWERS``."""
    return (RECALL_ANSWERS if key in RECALL_ANSWERS else VERIFY_ANSWERS)[key][lang]


def guest_name(lang: str) -> str:
    """Return what stands in place of a name that was not given."""
    return GUESTS[lang]


def share_line(record: Record, lang: str) -> str:
    """Return the one line of the share picture; it names nobody."""
    if not standing_g(record):
        return recalled.nothing("share", record, lang)
    covered = _is_covered(record)
    # What "my trip" says, a year cannot.
    all_of_it = "all" if covered and not is_life(record) else "part"
    key = "organisation" if is_organisation(record) else all_of_it
    return _say(SHARE_LINES[_style(record)][key], lang, dots=dots(record))


def preview_title(record: Record, lang: str) -> str:
    """Return the title of a link preview."""
    if not standing_g(record):
        return recalled.nothing("share", record, lang).replace("|", "")
    key = "all_matched" if _is_covered(record) else "some_dots"
    return label(key, style_of(record), lang, dots=dots(record))


def _is_covered(record: Record) -> bool:
    return tense(record) == "retired" and _relation(record) not in {"below", "none"}


def board_line(style: str, dots_matched: int, lang: str) -> str:
    """Return the words for a count of dots on a board or a wall."""
    return label("board", style, lang, dots=dots_matched)


# --- sentences of one certificate ----------------------------------------------------------------


def dots(record: Record) -> int:
    """Return the number of dots on the certificate; of those that a recall left, full ones."""
    counted = int(sum(record["dots"].values()))
    per_dot_g = int(record["kg_per_dot"]) * GRAMS_PER_KG
    if record["state"] == "short":
        return standing_g(record) // per_dot_g
    return counted or (int(record["mass_g"]) + per_dot_g // 2) // per_dot_g


def category(key: str, lang: str, record: Record | None = None) -> str:
    """Return the word for a category of dots; of a year of life, the word for its group."""
    known = LIFE_CATEGORIES if record is not None and is_life(record) else CATEGORIES
    return known.get(key, CATEGORIES["other"])[lang]


def is_life(record: Record) -> bool:
    """Tell whether a record is for a year of somebody's life, or a part of one."""
    return bool(record["purpose"] == "life")


def _categories(record: Record, lang: str) -> str:
    if is_life(record):
        found = [key for key in LIFE_CATEGORIES if record["dots"].get(key)]
        return listed([LIFE_CATEGORIES[key][lang] for key in found], lang)
    keys = [key for key in CATEGORIES if key != "other" and record["dots"].get(key)]
    if "travel" in keys and "local" in keys:
        keys.remove("local")  # one word covers both in a sentence
    return listed([CATEGORIES[key][lang] for key in keys], lang)


def _occasion(record: Record, lang: str) -> str:
    scene = record["scene"]
    if scene is None:
        return ""
    hosts = record["claim"]["audience"] == "event" or record.get("holder_kind") == "host"
    kind = "host" if hosts else scene["kind"]
    if record.get("holder_kind") == "sponsor":
        kind = "sponsor"
    return _say(KIND_VERBS.get(kind, KIND_VERBS["other"]), lang, scene=pick(scene["names"], lang))


def own_factor_lines(estimate: Mapping[str, Any] | None) -> int:
    """Return how many lines of an estimate rest on factors that the requester supplied."""
    lines = (estimate or {}).get("lines", [])
    return sum(1 for line in lines if line.get("factor_set") == "own")


def own_factors_note(lang: str) -> str:
    """Return the sentence that goes with every estimate made with the requester's own factors."""
    return FACTS["own_factors"][lang]


def has_own_factors(record: Record) -> bool:
    """Tell whether a record's estimate rests on factors that nobody here has checked."""
    return own_factor_lines(record["estimate"]) > 0


def is_organisation(record: Record) -> bool:
    """Tell whether an organisation holds the certificate; records of before name no holder."""
    return bool(record.get("holder_kind", "person") != "person")


def _relation(record: Record) -> str:
    """Compare what was bought with the estimate, which was rounded up to whole kilograms."""
    estimate = record["estimate"]
    if estimate is None or record["purpose"] == "lump_sum" or has_own_factors(record):
        return "none"
    mass_g, exact_g = standing_g(record), grams_to_buy(estimate["mass_g"])
    if mass_g < estimate["mass_g"]:
        return "below"
    if mass_g == exact_g or mass_g == estimate["mass_g"]:
        return "equal"
    return "upper" if mass_g >= estimate["high_g"] else "above"


def _percent(record: Record) -> int:
    return int(standing_g(record) * 100 // record["estimate"]["mass_g"])


def _project(record: Record, lang: str) -> str:
    return pick(record["project"]["names"], lang)


def statement(record: Record, lang: str) -> str:
    """Return the one sentence of the certificate; it follows the holder's name."""
    if not standing_g(record):
        return recalled.nothing("statement", record, lang)
    style, relation = style_of(record), _relation(record)
    occasion, parts = _occasion(record, lang), _categories(record, lang)
    texts = STATEMENTS[style][tense(record)]
    comparison = ""
    if relation != "none" and parts:
        percent = _percent(record) if relation == "below" else 0
        comparison = _say(RELATIONS[relation], lang, percent=percent, parts=parts)
    key = ("occasion" if occasion else "plain") + ("_compared" if comparison else "")
    return _say(
        texts[key],
        lang,
        mass=exact_mass(standing_g(record), lang),
        occasion=occasion,
        parts=parts,
        comparison=comparison,
        project=_project(record, lang),
        day=day(record["retire_by"]),
    )


def not_emission_free(record: Record, lang: str) -> str:
    """Return the sentence that every claim carries: it does not make the trip emission-free."""
    purpose = record["purpose"]
    return NOT_EMISSION_FREE[purpose if purpose in NOT_EMISSION_FREE else "lump_sum"][lang]


def reduce_first(record: Record, lang: str) -> str:
    """Return the shortest honest line, for the foot of a certificate."""
    return REDUCE_FIRST["trip" if record["purpose"] == "trip" else "lump_sum"][lang]


def claim_line(record: Record, lang: str) -> str:
    """Return the sentence of the record's claim level, with what it does not mean or rest on."""
    if not standing_g(record):
        return recalled.nothing("claim", record, lang)
    level, estimate = _level(record), record["estimate"]
    if level is Level.MEASURED and estimate is None:
        raise ValueError("a measured claim needs an estimate")
    if level is Level.COVERED and estimate is None:
        level = Level.CONTRIBUTED
    numbers = {"estimate": "", "range": "", "high": ""}
    if estimate is not None:
        numbers = {
            "estimate": shown_mass(estimate["mass_g"], lang),
            "range": shown_range(estimate["low_g"], estimate["high_g"], lang),
            "high": shown_mass(estimate["high_g"], lang),
        }
    text = _say(
        CLAIM_LINES[level],
        lang,
        mass=exact_mass(standing_g(record), lang),
        project=_project(record, lang),
        day=day(record["retire_by"]),
        **numbers,
    )
    if level not in {Level.MEASURED, Level.FUNDED}:
        text += not_emission_free(record, lang)
    if not has_own_factors(record):
        return text
    return text + ("" if lang == "zh-Hans" else " ") + own_factors_note(lang)


def state_line(record: Record, lang: str) -> str:
    """Return the retirement state with its day, or what a recall made of it."""
    if is_recalled(record):
        return recalled.state_line(record, lang)
    at = record["retired_at"] if record["state"] == "retired" else record["retire_by"]
    return _say(STATE_LINES[record["state"]], lang, day=day(at)).strip()


def estimated_range(record: Record, lang: str) -> str:
    """Return the range of the estimate, "" without one; that of a life is a year's."""
    estimate = record["estimate"]
    if estimate is None:
        return ""
    shown = shown_range(estimate["low_g"], estimate["high_g"], lang)
    return _say(LIFE_FACTS["range"], lang, range=shown) if is_life(record) else shown


def _estimate_fact(record: Record) -> Text:
    if not is_life(record):
        return FACTS["estimate"]
    return LIFE_FACTS["carried" if record["estimate"].get("carried") else "estimate"]


def what_it_says(record: Record, lang: str) -> list[str]:
    """Return plain sentences on what the certificate says and does not say."""
    mass = exact_mass(standing_g(record), lang)
    estimate, money = record["estimate"], record["money"]
    lines = recalled.losses(record, lang)
    if not is_recalled(record) or record["retire_by"]:
        state = FACTS[tense(record)]
        lines.insert(0, _say(state, lang, mass=mass, day=day(record["retire_by"])))
    denial = not_emission_free(record, lang).lstrip("；; ")
    lines.append(denial[0].upper() + denial[1:])
    if estimate is not None:
        lines.append(
            _say(
                _estimate_fact(record),
                lang,
                estimate=shown_mass(estimate["mass_g"], lang),
                range=shown_range(estimate["low_g"], estimate["high_g"], lang),
                method=estimate["method_version"],
                factors=estimate["factor_set_id"],
            )
        )
        if has_own_factors(record):
            lines.append(own_factors_note(lang))
        if standing_g(record) and is_life(record) and _relation(record) == "below":
            lines.append(_say(LIFE_FACTS["part"], lang, percent=_percent(record)))
        parts = _categories(record, lang)
        if parts:
            lines.append(_say(FACTS["boundary"], lang, parts=parts))
    if standing_g(record):
        lines.append(_say(FACTS["once"], lang, mass=mass))
    if money is not None:
        shown = {
            key: amount(money[f"{key}_minor"], money["currency"], lang)
            for key in ("total", "supplier", "fee")
        }
        lines.append(_say(FACTS["money"], lang, **shown))
    if is_organisation(record):
        lines.append(FACTS["stated_name"][lang])
    lines.append(FACTS["intact"][lang])
    if record["sample"] or record["simulated_registry"] or record["no_money_moved"]:
        lines.append(sample_line(record, lang))
    return lines


def sample_line(record: Record, lang: str) -> str:
    """Return the mark of everything that is not real: sample data, simulated registry, no money."""
    flags = [key for key in ("sample", "simulated_registry", "no_money_moved") if record[key]]
    return " · ".join(FACTS[key][lang] for key in flags)
