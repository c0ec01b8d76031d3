"""Words that no surface may carry, by style, and the linter that finds them in any text.

*Source:* Directive (EU) 2024/825 for the contribution surface; "honest words" of the experience
design for all surfaces; the VCMI and ICVCM marks are not ours to use.
"""

import re
import unicodedata
from functools import cache

from diandian.claims.levels import Style

# Written in lower case, with single spaces for hyphens; "co2" also stands for "co₂".
_EVERYWHERE = (
    "net zero", "zero emission", "zero impact", "zero carbon", "emission free", "carbon free",
    "climate positive", "carbon positive", "carbon negative", "guilt free", "carbon footprint free",
    "offset", "offsets", "offsetting", "offsetted", "vcmi", "ccp label", "planet positive",
    "净零", "零排放", "零碳", "气候正效益", "碳抵消", "抵消排放", "没有排放", "负碳",
    "netto nul", "nul uitstoot", "zonder uitstoot", "emissievrij", "uitstootvrij", "co2 vrij",
    "klimaatpositief", "schuldvrij",
)  # fmt: skip
_CONTRIBUTION = (
    "carbon neutral", "carbon neutrality", "climate neutral", "climate neutrality", "co2 neutral",
    "neutral", "neutrality", "neutralise", "neutralised", "neutralize", "neutralized",
    "neutralising", "neutralizing", "compensate", "compensated", "compensates", "compensating",
    "compensation", "match these", "all matched", "reduced climate impact", "climate friendly",
    "中和", "补偿", "抵消", "气候友好",
    "neutraal", "neutrale", "co2 neutraal", "klimaatneutraal", "compenseer", "compenseren",
    "compenseert", "gecompenseerd", "compensatie", "klimaatvriendelijk",
)  # fmt: skip
# Our own sentences that deny such a thing, in any part of which the words above are harmless.
_DENIALS = (
    "does not mean the trip was emission free",
    "并不表示这次出行没有排放",
    "betekent niet dat de reis zonder uitstoot was",
    "does not mean the year was emission free",
    "并不表示这一年没有排放",
    "betekent niet dat het jaar zonder uitstoot was",
)
_LATIN = re.compile(r"[a-z0-9 ]+")


def _normalised(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    # Format characters (zero width, bidi, soft hyphen) could split a word unseen.
    visible = "".join(c for c in folded if unicodedata.category(c) != "Cf")
    return re.sub(r"[\s\-‐-―_]+", " ", visible)


@cache
def _pattern(style: Style) -> re.Pattern[str]:
    def whole(term: str) -> str:
        escaped = re.escape(term).replace(r"\ ", " ?")
        # Not \b: a Han character next to a Latin word would count as part of it.
        return rf"(?<![a-z0-9]){escaped}(?![a-z0-9])" if _LATIN.fullmatch(term) else escaped

    terms = sorted(banned_terms(style), key=len, reverse=True)
    return re.compile("|".join(whole(term) for term in terms))


def banned_terms(style: str) -> tuple[str, ...]:
    """Return the words that a surface of this style may not carry, in a normal form."""
    return _EVERYWHERE + (_CONTRIBUTION if Style(style) is Style.CONTRIBUTION else ())


def find_banned(text: str, style: str) -> list[str]:
    """Return the banned words in a text, in order; an empty list is a clean text.

    Case, hyphens, full-width letters and invisible characters make no difference. Sentences in
    which we deny such a claim are allowed.

    >>> find_banned("A CO₂-neutral, net\u200bzero day", "contribution")
    ['co2 neutral', 'net zero']
    """
    plain = _normalised(text)
    for denial in _DENIALS:
        plain = plain.replace(denial, " ")
    return [_display(match) for match in _pattern(Style(style)).findall(plain)]


def _display(found: str) -> str:
    # "netzero" was found through an optional space: name the term as it is listed.
    for term in _EVERYWHERE + _CONTRIBUTION:
        if term.replace(" ", "") == found.replace(" ", ""):
            return term
    return found
