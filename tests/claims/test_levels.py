import pytest
from hypothesis import given
from hypothesis import strategies as st

from diandian.claims.levels import Level, allowed_style, claim_level
from diandian.claims.rule_pack import rule_pack, rule_packs

pytestmark = pytest.mark.pure

COVERED = {
    "retired": True,
    "mass_g": 165_000,
    "estimate_low_g": 90_000,
    "estimate_high_g": 165_000,
    "recognition_evidence": "approval 12 of 2026",
    "boundary_complete": True,
    "jurisdiction": "CN",
    "audience": "guest",
}
EVENT = {**COVERED, "audience": "event", "rule_pack": rule_pack("mee_2019")}


@pytest.mark.parametrize(
    ("changes", "level"),
    [
        ({"mass_g": 0}, "L0"),
        ({"retired": False}, "L1"),
        ({"ex_ante_g": 1}, "L1"),
        ({"mass_g": 164_999}, "L2"),
        ({"recognition_evidence": " "}, "L2"),
        ({"boundary_complete": False}, "L2"),
        ({"estimate_low_g": None, "estimate_high_g": None}, "L2"),
        ({}, "L3"),
    ],
)
def test_the_evidence_chooses_the_level(changes, level):
    assert claim_level(**{**COVERED, **changes}) == level


def test_an_event_is_claimed_only_with_every_blocking_item():
    pack = rule_pack("mee_2019")
    assert claim_level(**EVENT, items_met=pack.blocking_ids) is Level.EVENT
    assert len(pack.blocking_ids) >= 8
    for missing in pack.blocking_ids:
        assert claim_level(**EVENT, items_met=pack.blocking_ids - {missing}) is Level.COVERED


@pytest.mark.parametrize("audience", ["guest", "venue", "company", "unknown", ""])
def test_no_person_and_no_venue_is_ever_claimed_as_an_event(audience):
    items = rule_pack("mee_2019").blocking_ids
    assert claim_level(**{**EVENT, "audience": audience}, items_met=items) is Level.COVERED


def test_an_event_elsewhere_cannot_use_the_chinese_guide():
    items = rule_pack("mee_2019").blocking_ids
    assert claim_level(**{**EVENT, "jurisdiction": "NL"}, items_met=items) is Level.COVERED


@given(mass=st.integers(1, 10**9), more=st.integers(0, 10**9), high=st.integers(0, 10**9))
def test_more_never_lowers_the_level_and_a_wider_range_never_raises_it(mass, more, high):
    def level(grams, top):
        return claim_level(
            **{**COVERED, "mass_g": grams, "estimate_low_g": 0, "estimate_high_g": top}
        )

    assert level(mass + more, high) >= level(mass, high)
    assert level(mass, high + more) <= level(mass, high)
    assert (level(mass, high) is Level.COVERED) == (mass >= high)


@given(
    style=st.sampled_from(["compensation", "contribution"]),
    jurisdiction=st.sampled_from(["CN", "NL", "DE", "EU", "", "XX"]),
    audience=st.sampled_from(["guest", "event", "company", "venue", "unknown", ""]),
)
def test_only_a_known_audience_in_china_sees_the_looser_style(style, jurisdiction, audience):
    loose = allowed_style(style, jurisdiction, audience) == "compensation"
    known = audience not in {"unknown", ""}
    assert loose == (style == "compensation" and jurisdiction == "CN" and known)


def test_nonsense_is_a_programming_error():
    with pytest.raises(ValueError, match="ex_ante"):
        claim_level(retired=True, mass_g=5, ex_ante_g=6)
    with pytest.raises(ValueError, match="estimate"):
        claim_level(retired=True, mass_g=5, estimate_low_g=9, estimate_high_g=8)


def test_every_rule_can_be_traced_to_a_reading():
    packs = rule_packs()
    assert {"mee_2019", "eu_2024_825"} <= set(packs)
    for pack in packs.values():
        assert set(pack.titles) == {"zh-Hans", "en", "nl"}
        assert all(rule.source_checked_on.year >= 2026 for rule in pack.rules)
    assert packs["mee_2019"].unconfirmed, "the primary text has not been read: the grades say so"
    assert not packs["eu_2024_825"].event_claims
