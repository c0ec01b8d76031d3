"""The sentences of ``wording.py`` as data, in the three languages; nothing else may read them.

A sentence belongs to one state of the evidence. Retirement is said in the past tense only under the
state "retired". English and Dutch statements follow the holder's name and begin in lower case.
"""

# ruff: noqa: E501 - a sentence stands on one line

from diandian.claims.levels import Level, Style
from diandian.claims.phrases import Text


def _t(zh: str, en: str, nl: str) -> Text:
    return {"zh-Hans": zh, "en": en, "nl": nl}


_COMPENSATION, _CONTRIBUTION = Style.COMPENSATION, Style.CONTRIBUTION

BRANDS = {
    _COMPENSATION: _t("点点碳中和", "Diandian 点点", "Diandian 点点"),
    _CONTRIBUTION: _t("点点 Diandian", "Diandian 点点", "Diandian 点点"),
}
TITLES = {
    _COMPENSATION: _t(
        "碳中和荣誉证书", "Carbon Neutral Certificate of Honour", "Erecertificaat CO₂-neutraal"
    ),
    _CONTRIBUTION: _t(
        "气候贡献证书", "Climate Contribution Certificate", "Certificaat van klimaatbijdrage"
    ),
}
CTAS = {
    _COMPENSATION: _t("我要碳中和", "I want to be carbon neutral", "Ik wil CO₂-neutraal deelnemen"),
    _CONTRIBUTION: _t("我要参与减排", "I want to contribute", "Ik wil bijdragen"),
}
MATCH_BUTTONS = {
    _COMPENSATION: _t(
        "中和这 {dots} 点", "Match these {dots} dots", "Deze {dots} stippen compenseren"
    ),
    _CONTRIBUTION: _t(
        "为这 {dots} 点出一份力",
        "Contribute for these {dots} dots",
        "Bijdragen voor deze {dots} stippen",
    ),
}
VOLUNTARY = {
    _COMPENSATION: _t(
        "自愿。中和不能代替减排。",
        "Voluntary. Matching does not replace reducing.",
        "Vrijwillig. Compenseren vervangt minderen niet.",
    ),
    _CONTRIBUTION: _t(
        "自愿。出资不能代替减排。",
        "Voluntary. Contributing does not replace reducing.",
        "Vrijwillig. Bijdragen vervangt minderen niet.",
    ),
}
LABELS: dict[str, dict[Style, Text]] = {
    "open": {
        _COMPENSATION: _t("尚未中和", "not yet matched", "nog open"),
        _CONTRIBUTION: _t("尚未出力", "not yet", "nog open"),
    },
    "matched": {
        _COMPENSATION: _t("已中和", "matched", "gedekt"),
        _CONTRIBUTION: _t("已出力", "contributed for", "bijgedragen"),
    },
    "cover": {
        _COMPENSATION: _t(
            "补上未中和的 {mass}", "Cover the open {mass}", "De open {mass} aanvullen"
        ),
        _CONTRIBUTION: _t(
            "为其余 {mass} 出一份力", "Contribute for the other {mass}", "Bijdragen voor de overige {mass}"
        ),
    },
    "host_paid": {
        _COMPENSATION: _t("由主办方承担", "Paid by the host", "Betaald door de organisator"),
        _CONTRIBUTION: _t("由主办方承担", "Paid by the host", "Betaald door de organisator"),
    },
    "sponsored": {
        _COMPENSATION: _t("{name}承担 {mass}", "{mass} taken over by {name}", "{mass} overgenomen door {name}"),
        _CONTRIBUTION: _t("{name}承担 {mass}", "{mass} taken over by {name}", "{mass} overgenomen door {name}"),
    },
    "all_matched": {
        _COMPENSATION: _t("{dots} 点，点点已中和", "{dots} dots, all matched", "{dots} stippen, alle gedekt"),
        _CONTRIBUTION: _t("为 {dots} 点出了一份力", "A contribution for {dots} dots", "Een bijdrage voor {dots} stippen"),
    },
    "some_dots": {
        _COMPENSATION: _t("为 {dots} 点出了一份力", "A contribution for {dots} dots", "Een bijdrage voor {dots} stippen"),
        _CONTRIBUTION: _t("为 {dots} 点出了一份力", "A contribution for {dots} dots", "Een bijdrage voor {dots} stippen"),
    },
    "board": {
        _COMPENSATION: _t("已中和 {dots} 点", "{dots} dots matched", "{dots} stippen gedekt"),
        _CONTRIBUTION: _t("已为 {dots} 点出力", "contributions for {dots} dots", "bijdragen voor {dots} stippen"),
    },
}  # fmt: skip
SHARE_LINES = {
    _COMPENSATION: {
        "all": _t(
            "我这一趟 {dots} 点，|一点一点都有着落了。",
            "My trip was {dots} dots.|Every one is taken care of.",
            "Mijn reis was {dots} stippen.|Voor elke stip is gezorgd.",
        ),
        "part": _t(
            "我为 {dots} 点|出了一份力。",
            "I did my part|for {dots} dots.",
            "Ik droeg bij|voor {dots} stippen.",
        ),
        "organisation": _t(
            "我们为 {dots} 点|出了一份力。",
            "We did our part|for {dots} dots.",
            "Wij droegen bij|voor {dots} stippen.",
        ),
    },
    _CONTRIBUTION: {
        "all": _t(
            "我这一趟 {dots} 点，|我为它出了一份力。",
            "My trip was {dots} dots.|I made a contribution.",
            "Mijn reis was {dots} stippen.|Ik droeg bij.",
        ),
        "part": _t(
            "我为 {dots} 点|出了一份力。",
            "I did my part|for {dots} dots.",
            "Ik droeg bij|voor {dots} stippen.",
        ),
        "organisation": _t(
            "我们为 {dots} 点|出了一份力。",
            "We did our part|for {dots} dots.",
            "Wij droegen bij|voor {dots} stippen.",
        ),
    },
}
GUESTS = _t("一位来宾 · A guest", "A guest · 一位来宾", "Een gast · A guest")
CATEGORIES = {
    "travel": _t("行程", "travel", "reis"),
    "stay": _t("住宿", "stay", "verblijf"),
    "local": _t("市内交通", "local transport", "lokaal vervoer"),
    "food": _t("餐饮", "food", "eten"),
    "venue": _t("场馆", "venue", "locatie"),
    "goods": _t("物品", "goods", "spullen"),
    "home": _t("居家", "home", "wonen"),
    "other": _t("减排量", "reductions", "reducties"),
}
KIND_VERBS = {
    "conference": _t("参加「{scene}」", "for {scene}", "voor {scene}"),
    "scenic_spot": _t("游览「{scene}」", "for visiting {scene}", "voor een bezoek aan {scene}"),
    "hotel": _t("入住「{scene}」", "for a stay at {scene}", "voor een verblijf in {scene}"),
    "restaurant": _t("到访「{scene}」", "at {scene}", "bij {scene}"),
    "supermarket": _t("到访「{scene}」", "at {scene}", "bij {scene}"),
    "host": _t("举办「{scene}」", "for holding {scene}", "voor het houden van {scene}"),
    "sponsor": _t("赞助「{scene}」", "as a sponsor of {scene}", "als sponsor van {scene}"),
    "other": _t("到访「{scene}」", "for {scene}", "voor {scene}"),
}
# How the amount compares with the estimate. The English and Dutch ones go on with the occasion.
RELATIONS = {
    "equal": _t("与估算排放等量", "equal to the estimated emissions", "gelijk aan de geschatte uitstoot"),
    "above": _t("多于估算排放", "more than the estimated emissions", "meer dan de geschatte uitstoot"),
    "upper": _t("不低于估算排放的上限", "at least the upper estimate of the emissions", "ten minste de bovengrens van de geschatte uitstoot"),
    "below": _t("约为估算排放的 {percent}%", "about {percent}% of the estimated emissions", "ongeveer {percent}% van de geschatte uitstoot"),
}  # fmt: skip
_THANKS_ZH = "特发此证，以表谢意。"
_BOUGHT_EN = "has voluntarily bought and retired {mass} CO₂e of verified emission reductions"
_BOUGHT_NL = (
    "heeft vrijwillig {mass} CO₂e aan geverifieerde emissiereducties gekocht en laten afboeken"
)
_HELD_EN = "has voluntarily paid for {mass} CO₂e of verified emission reductions"
_HELD_NL = "heeft vrijwillig betaald voor {mass} CO₂e aan geverifieerde emissiereducties"
_DUE_EN = " They are held and will be retired by {day}. With\u00a0thanks."
_DUE_NL = " Ze zijn gereserveerd en worden uiterlijk {day} afgeboekt. Met\u00a0dank."
_BOUGHT_ZH = "购买并注销 {mass}二氧化碳当量的核证减排量"
_HELD_ZH = "出资购买 {mass}二氧化碳当量的核证减排量"
_DUE_ZH = "。减排量已锁定，最迟 {day} 注销。特致谢意。"
_GIFT_EN = ", as a contribution to the project {project}"
_GIFT_NL = ", als bijdrage aan het project {project}"
_GIFT_ZH = "，作为对「{project}」的气候贡献"


def _statements(bought: Text, end: Text, gift: Text | None) -> dict[str, Text]:
    """Build the sentences with and without an occasion, with and without a comparison."""
    zh, en, nl = (bought[key] for key in ("zh-Hans", "en", "nl"))
    zh_end, en_end, nl_end = (end[key] for key in ("zh-Hans", "en", "nl"))
    if gift is not None:
        zh, en, nl = zh + gift["zh-Hans"], en + gift["en"], nl + gift["nl"]
        with_occasion = _t(
            "值此{occasion}之际，自愿" + zh + zh_end,
            en + ", {occasion}." + en_end,
            nl + ", {occasion}." + nl_end,
        )
        plain = _t("自愿" + zh + zh_end, en + "." + en_end, nl + "." + nl_end)
        # A comparison with the trip's emissions could read as a claim about the trip: left out.
        return {
            "occasion": with_occasion,
            "occasion_compared": with_occasion,
            "plain": plain,
            "plain_compared": plain,
        }
    return {
        "occasion": _t(
            "自愿为{occasion}" + zh + zh_end,
            en + ", {occasion}." + en_end,
            nl + ", {occasion}." + nl_end,
        ),
        "occasion_compared": _t(
            "自愿为{occasion}的{parts}，" + zh + "，{comparison}" + zh_end,
            en + ", {comparison} of {parts} {occasion}." + en_end,
            nl + ", {comparison} van {parts} {occasion}." + nl_end,
        ),
        "plain": _t("自愿" + zh + zh_end, en + "." + en_end, nl + "." + nl_end),
        "plain_compared": _t(
            "自愿为{parts}，" + zh + "，{comparison}" + zh_end,
            en + ", {comparison} of {parts}." + en_end,
            nl + ", {comparison} van {parts}." + nl_end,
        ),
    }  # fmt: skip


_RETIRED = _t(_BOUGHT_ZH, _BOUGHT_EN, _BOUGHT_NL)
_HELD = _t(_HELD_ZH, _HELD_EN, _HELD_NL)
_THANKS = _t("。" + _THANKS_ZH, " With\u00a0thanks.", " Met\u00a0dank.")
_DUE = _t(_DUE_ZH, _DUE_EN, _DUE_NL)
_GIFT = _t(_GIFT_ZH, _GIFT_EN, _GIFT_NL)
STATEMENTS = {
    _COMPENSATION: {
        "retired": _statements(_RETIRED, _THANKS, None),
        "held": _statements(_HELD, _DUE, None),
    },
    _CONTRIBUTION: {
        "retired": _statements(_RETIRED, _THANKS, _GIFT),
        "held": _statements(_HELD, _DUE, _GIFT),
    },
}
NOT_EMISSION_FREE = {
    "trip": _t(
        "；这并不表示这次出行没有排放。",
        "; this does not mean the trip was emission-free.",
        "; dit betekent niet dat de reis zonder uitstoot was.",
    ),
    "life": _t(
        "；这并不表示这一年没有排放。",
        "; this does not mean the year was emission-free.",
        "; dit betekent niet dat het jaar zonder uitstoot was.",
    ),
    "lump_sum": _t(
        "；已经发生的排放并未消失。",
        "; emissions that happened are not undone.",
        "; uitstoot die er was, wordt niet ongedaan gemaakt.",
    ),
}
REDUCE_FIRST = {
    "trip": _t(
        "出行仍有排放，请先减排。",
        "The trip still emitted: reduce first.",
        "De reis gaf uitstoot: eerst minderen.",
    ),
    "lump_sum": _t("请先减排。", "Reduce first.", "Eerst minderen."),
}
CLAIM_LINES = {
    Level.MEASURED: _t(
        "已测算本次行程排放约 {estimate}（区间 {range}）。",
        "Estimated {estimate} CO₂e ({range}).",
        "Geschat op {estimate} CO₂e ({range}).",
    ),
    Level.FUNDED: _t(
        "已出资支持减排项目，注销待完成，最迟 {day}。",
        "Funded; retirement is pending, due by {day}.",
        "Betaald; de afboeking volgt nog, uiterlijk {day}.",
    ),
    Level.CONTRIBUTED: _t(
        "已自愿注销 {mass}减排量，作为对「{project}」的气候贡献",
        "{mass} of credits retired in the holder's name as a contribution to {project}",
        "{mass} aan reducties op naam van de houder afgeboekt als bijdrage aan {project}",
    ),
    Level.COVERED: _t(
        "在所列边界内，已注销量不低于估算排放的上限（{high}）",
        "Within the stated boundary, the amount retired is at least the upper estimate ({high})",
        "Binnen de genoemde grens is ten minste de bovengrens van de schatting afgeboekt ({high})",
    ),
    Level.EVENT: _t(
        "主办方依据《大型活动碳中和实施指南（试行）》自我声明",
        "Declared by the organiser under China's 2019 trial guide for carbon-neutral large events",
        "Verklaard door de organisator volgens de Chinese proefrichtlijn van 2019 voor "
        "CO₂-neutrale grote evenementen",
    ),
}
STATE_LINES = {
    "retired": _t("已注销 {day}", "Retired {day}", "Afgeboekt {day}"),
    "held": _t("已锁定，最迟 {day} 注销", "Held, to be retired by {day}", "Gereserveerd, afgeboekt uiterlijk {day}"),
}  # fmt: skip
FACTS = {
    "retired": _t(
        "{mass}减排量已从登记册注销，不会再卖给别人。",
        "{mass} of reductions were retired in the registry and will not be sold again.",
        "{mass} aan reducties is in het register afgeboekt en wordt niet opnieuw verkocht.",
    ),
    "held": _t(
        "{mass}减排量已为您锁定，最迟 {day} 注销；现在还没有注销。",
        "{mass} of reductions are held for you and will be retired by {day}; they are not yet.",
        "{mass} aan reducties is voor je gereserveerd en wordt uiterlijk {day} afgeboekt; nu nog niet.",
    ),
    "estimate": _t(
        "估算排放约 {estimate}，区间 {range}，方法 {method}，因子集 {factors}。",
        "Estimated emissions about {estimate}, range {range}, method {method}, factor set {factors}.",
        "Geschatte uitstoot ongeveer {estimate}, marge {range}, methode {method}, factorset {factors}.",
    ),
    "own_factors": _t(
        "估算所用的部分排放因子由申请方提供，我们没有核查，因此这里不与排放量作比较。",
        "Emission factors of this estimate were supplied by the requester and not checked by us, so no comparison with the emissions is made.",
        "Emissiefactoren van deze schatting zijn aangeleverd door de aanvrager en niet door ons gecontroleerd; daarom wordt er niet met de uitstoot vergeleken.",
    ),
    "boundary": _t(
        "计入的有：{parts}。其余没有计入。",
        "Counted: {parts}. Nothing else was counted.",
        "Meegeteld: {parts}. De rest is niet meegeteld.",
    ),
    "once": _t(
        "这 {mass}只用在这一张证书上，别人不能再拿来声明。",
        "These {mass} stand on this certificate only; nobody else may claim them.",
        "Deze {mass} staat alleen op dit certificaat; niemand anders mag die claimen.",
    ),
    "money": _t(
        "支付 {total}：{supplier} 归项目方，{fee} 为平台费。",
        "Paid {total}: {supplier} to the project, {fee} platform fee.",
        "Betaald {total}: {supplier} voor het project, {fee} platformkosten.",
    ),
    "stated_name": _t(
        "机构名称由付款方填写，我们没有核对。",
        "The organisation's name is as stated by whoever paid; we did not check it.",
        "De naam van de organisatie is opgegeven door wie betaalde; wij hebben die niet gecontroleerd.",
    ),
    "intact": _t(
        "核验说明记录完整、减排量只用过一次，并不评价项目的好坏。",
        "A check shows that the record is intact and used once; it does not judge the project.",
        "Een controle toont dat het bewijs klopt en één keer is gebruikt; ze beoordeelt het project niet.",
    ),
    "sample": _t("示例数据", "SAMPLE DATA", "VOORBEELDGEGEVENS"),
    "simulated_registry": _t("登记册为模拟", "simulated registry", "gesimuleerd register"),
    "no_money_moved": _t("没有真实付款", "no money moved", "geen geld betaald"),
}
VERIFY_ANSWERS = {
    "valid": _t("有效 · Valid", "Valid · 有效", "Geldig · Valid"),
    "pending": _t("待注销 · Pending", "Pending · 待注销", "In behandeling · Pending"),
    "not_found": _t("查无此证 · Not found", "Not found · 查无此证", "Niet gevonden · Not found"),
    "malformed": _t("编号有误 · Mistyped", "Mistyped · 编号有误", "Tikfout · Mistyped"),
    "revoked": _t("已作废 · Revoked", "Revoked · 已作废", "Ingetrokken · Revoked"),
    "replaced": _t("已更新 · Replaced", "Replaced · 已更新", "Vervangen · Replaced"),
    "broken": _t("文件被改动 · Altered", "Altered · 文件被改动", "Gewijzigd · Altered"),
}


def _poster(question: str, gloss: str, scale: str, steps: tuple[tuple[str, str], ...],
            host: str, honest: str) -> dict[str, object]:  # fmt: skip
    return {
        "question": question, "gloss": gloss, "scale": scale, "steps": steps,
        "host": host, "honest": honest,
    }  # fmt: skip


def _posters(style: Style, last: Text, last_small: Text) -> dict[str, dict[str, object]]:
    zh, en, nl = VOLUNTARY[style]["zh-Hans"], VOLUNTARY[style]["en"], VOLUNTARY[style]["nl"]
    return {
        "zh-Hans": _poster(
            "这一趟，|您排了几点？", "How many dots was your trip?", "1 点 = {kg} 千克 CO₂e",
            (("扫一扫", "Scan. No app, no account"), ("填来程与住宿", "How you came, where you stay"),
             ("看明细，少排一点", "See the breakdown, and what to cut"),
             (last["zh-Hans"], last_small["zh-Hans"])),
            "主办：", f"{zh} {en}",
        ),
        "en": _poster(
            "How many dots|was your trip?", "这一趟，您排了几点？", "1 dot = {kg} kg CO₂e",
            (("Scan", "No app, no account"), ("Say how you came", "And where you stay"),
             ("See the breakdown", "And what could be less"),
             (last["en"], last_small["en"])),
            "Host: ", en,
        ),
        "nl": _poster(
            "Hoeveel stippen|was jouw reis?", "How many dots was your trip?", "1 stip = {kg} kg CO₂e",
            (("Scan", "Geen app, geen account"), ("Vertel hoe je kwam", "En waar je slaapt"),
             ("Bekijk de opbouw", "En wat minder kan"),
             (last["nl"], last_small["nl"])),
            "Organisator: ", nl,
        ),
    }  # fmt: skip


POSTERS = {
    _COMPENSATION: _posters(
        _COMPENSATION,
        _t("自愿中和，领证书", "Match it if you wish", "Compenseer als je wilt"),
        _t("Match it if you wish, get a certificate", "And get a certificate", "En krijg een certificaat"),
    ),
    _CONTRIBUTION: _posters(
        _CONTRIBUTION,
        _t("自愿出力，领证书", "Contribute if you wish", "Draag bij als je wilt"),
        _t("Contribute if you wish, get a certificate", "And get a certificate", "En krijg een certificaat"),
    ),
}  # fmt: skip
