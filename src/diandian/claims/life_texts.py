"""The sentences of certificates for a year of life or a part of one; see ``texts.py``."""

# ruff: noqa: E501 - a sentence stands on one line

from diandian.claims.phrases import Text


def _t(zh: str, en: str, nl: str) -> Text:
    return {"zh-Hans": zh, "en": en, "nl": nl}


# Of a year of somebody's life, whose five groups have the colours of these categories.
LIFE_CATEGORIES = {
    "stay": _t("居家", "home", "wonen"),
    "travel": _t("出行", "getting around", "onderweg"),
    "food": _t("饮食", "food", "eten"),
    "goods": _t("物品", "things", "spullen"),
    "local": _t("数字与服务", "digital and services", "digitaal en diensten"),
}
LIFE_FACTS = {
    "estimate": _t(
        "一个人一年的日常生活，估算排放约 {estimate}，区间 {range}，方法 {method}，因子集 {factors}。回答没有写进证书。",
        "One person's daily life over a year: estimated emissions about {estimate}, range {range}, method {method}, factor set {factors}. The answers are not in the certificate.",
        "Het dagelijks leven van één persoon in een jaar: geschatte uitstoot ongeveer {estimate}, marge {range}, methode {method}, factorset {factors}. De antwoorden staan niet in het certificaat.",
    ),
    "carried": _t(
        "一个人一年的日常生活，估算排放约 {estimate}，区间 {range}，方法 {method}，因子集 {factors}。本人选择把回答放进证书文件，任何人凭文件都能重新计算。",
        "One person's daily life over a year: estimated emissions about {estimate}, range {range}, method {method}, factor set {factors}. At this person's wish the answers are in the certificate's file, so that anyone can compute it again.",
        "Het dagelijks leven van één persoon in een jaar: geschatte uitstoot ongeveer {estimate}, marge {range}, methode {method}, factorset {factors}. Op verzoek van deze persoon staan de antwoorden in het bestand van het certificaat, zodat iedereen het kan narekenen.",
    ),
    "part": _t(
        "注销的减排量相当于其中约 {percent}%，其余没有包括在内。",
        "The amount here is about {percent}% of that estimate; the rest is not part of it.",
        "De hoeveelheid hier is ongeveer {percent}% van die schatting; de rest hoort er niet bij.",
    ),
    "range": _t("一年 {range}", "{range} a year", "{range} per jaar"),
}
