"""Sentences about recalled reductions, in the three languages; ``wording.py`` alone reads them.

A recall is said first and plainly: what happened, what was done, and that nobody needs to act.
"""

# ruff: noqa: E501 - a sentence stands on one line

from diandian.claims.phrases import Text


def _t(zh: str, en: str, nl: str) -> Text:
    return {"zh-Hans": zh, "en": en, "nl": nl}


# First lines of the certificate page and the verify page, by what became of the grams.
TITLES = {
    "recalled": _t(
        "这张证书背后的部分减排量已被召回",
        "Reductions behind this certificate were recalled",
        "Reducties achter dit certificaat zijn teruggeroepen",
    ),
    "remedied": _t("召回后已全部补足", "Recalled, and made good", "Teruggeroepen en hersteld"),
    "short": _t(
        "召回后还差 {short}",
        "Recalled, and {short} short",
        "Teruggeroepen, {short} tekort",
    ),
}
EXPLAINED = {
    "recalled": _t(
        "我们正在逐张证书处理，补足情况会写在这里。您不用做任何事。",
        "We are working through every certificate; what is put in their place will stand here. You need do nothing.",
        "We werken elk certificaat af; wat ervoor in de plaats komt, staat straks hier. Je hoeft niets te doen.",
    ),
    "remedied": _t(
        "有 {affected}减排量不再成立，已由{how}补足，声明的数量不变。您不用做任何事。",
        "{affected} of reductions no longer stand. They were made good {how}; the amount stays the same. You need do nothing.",
        "{affected} aan reducties geldt niet meer. Dit is hersteld {how}; de hoeveelheid blijft gelijk. Je hoeft niets te doen.",
    ),
    "short": _t(
        "有 {affected}减排量不再成立，其中 {short}还没有可以替代的。现在仍成立的是 {standing}。一有合适的减排量，我们就补上；您不用做任何事。",
        "{affected} of reductions no longer stand, and for {short} of them there is no replacement yet. {standing} stand today. We make it good as soon as suitable credits come in; you need do nothing.",
        "{affected} aan reducties geldt niet meer, en voor {short} daarvan is nog geen vervanging. Vandaag geldt {standing}. We vullen aan zodra er geschikte reducties zijn; je hoeft niets te doen.",
    ),
}
BY = {
    "buffer": _t("同一批次的缓冲储备", "from the batch's own buffer", "uit de eigen buffer van de partij"),
    "replaced": _t("另外注销的减排量", "by retiring others in their place", "door andere in de plaats af te boeken"),
    "both": _t(
        "缓冲储备和另外注销的减排量",
        "from the batch's own buffer and by retiring others in their place",
        "uit de eigen buffer van de partij en door andere in de plaats af te boeken",
    ),
}  # fmt: skip
STATE_LINES = {
    "remedied": _t("召回后已补足 {day}", "Recalled and made good {day}", "Teruggeroepen en hersteld {day}"),
    "short": _t("召回后还差 {short}", "Recalled, {short} short", "Teruggeroepen, {short} tekort"),
}  # fmt: skip
# One sentence for each recall, among what the certificate says.
LOSS = {
    "invalid": _t(
        "{day} 召回 {affected}（这些减排量不成立）：缓冲储备补足 {buffer}，另外注销 {replaced}，还差 {short}。",
        "Recalled on {day}: {affected} were not what they were said to be; {buffer} came from the buffer, {replaced} were replaced, {short} are short.",
        "Teruggeroepen op {day}: {affected} bleek niet te kloppen; {buffer} kwam uit de buffer, {replaced} is vervangen, {short} ontbreekt nog.",
    ),
    "reversal": _t(
        "{day} 召回 {affected}（碳又回到了大气中）：缓冲储备补足 {buffer}，另外注销 {replaced}，还差 {short}。",
        "Recalled on {day}: the carbon of {affected} went back into the air; {buffer} came from the buffer, {replaced} were replaced, {short} are short.",
        "Teruggeroepen op {day}: de koolstof van {affected} kwam weer in de lucht; {buffer} kwam uit de buffer, {replaced} is vervangen, {short} ontbreekt nog.",
    ),
}
FACT = _t(
    "现在仍成立的减排量是 {standing}，不会再卖给别人。",
    "{standing} of reductions stand today and will not be sold again.",
    "Vandaag geldt {standing} aan reducties; die wordt niet opnieuw verkocht.",
)
NOTHING = {
    "statement": _t(
        "曾自愿出资购买 {mass}二氧化碳当量的核证减排量；这些减排量已被召回，目前没有成立的减排量。",
        "voluntarily paid for {mass} CO₂e of verified emission reductions; they were recalled, and none of them stands today.",
        "betaalde vrijwillig voor {mass} CO₂e aan geverifieerde emissiereducties; die zijn teruggeroepen en vandaag geldt er geen enkele van.",
    ),
    "claim": _t(
        "这些减排量已被召回，目前不作任何声明。",
        "These reductions were recalled; nothing is claimed today.",
        "Deze reducties zijn teruggeroepen; vandaag wordt er niets geclaimd.",
    ),
    "fact": _t(
        "目前没有成立的减排量。",
        "None of the reductions stands today.",
        "Vandaag geldt geen van de reducties.",
    ),
    "share": _t(
        "减排量已被召回，|我们正在补足。",
        "The reductions were recalled.|We are making it good.",
        "De reducties zijn teruggeroepen.|We herstellen het.",
    ),
}
VERIFY_ANSWERS = {
    "recalled": _t("召回处理中 · Recalled", "Recalled · 召回处理中", "Teruggeroepen · Recalled"),
    "remedied": _t("有效，召回后已补足 · Valid, made good", "Valid, made good after a recall · 已补足", "Geldig, hersteld na terugroeping · Made good"),
    "short": _t("召回，尚未补足 · Recalled, short", "Recalled, not yet made good · 尚未补足", "Teruggeroepen, nog niet hersteld · Short"),
}  # fmt: skip
