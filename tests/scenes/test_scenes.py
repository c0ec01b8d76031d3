"""Scenes are opened, published, found and closed as their rules say."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diandian.audit.models import AuditEntry
from diandian.footprints.calculation import factors_of
from diandian.kernel.errors import InputError
from diandian.scenes import actions, queries, rules
from diandian.scenes.errors import SceneExistsError, SceneNotPublishedError, SceneStateError
from diandian.scenes.models import Scene
from tests.web.world import CHENGDU, open_scene, texts

DAYS = st.dates(min_value=date(2020, 1, 1), max_value=date(2100, 1, 1))


@pytest.mark.pure
@given(DAYS, st.integers(0, 400), st.integers(-500, 900))
def test_a_scene_passes_its_phases_in_order(starts_on, length, offset):
    ends_on = starts_on + timedelta(days=length)
    order = ["before", "open", "after", "closed"]
    today = starts_on + timedelta(days=offset)
    now = rules.phase_of(starts_on, ends_on, today)
    later = rules.phase_of(starts_on, ends_on, today + timedelta(days=1))
    assert order.index(later) - order.index(now) in {0, 1}
    assert (now == "closed") == (today > rules.last_day(ends_on))


@pytest.mark.pure
@given(DAYS, DAYS)
def test_a_venue_never_closes(starts_on, today):
    assert rules.phase_of(starts_on, None, today) in {"before", "open"}


@pytest.mark.django_db
def test_a_draft_is_seen_by_nobody_until_published_and_who_did_it_is_kept():
    draft = actions.open_scene(_new(), actor_ref="user:1")
    with pytest.raises(SceneNotPublishedError):
        queries.published(draft.slug)
    assert queries.search() == []
    assert not queries.takes_orders(draft)
    actions.publish(draft, actor_ref="user:2")
    assert queries.published(draft.slug) == draft
    assert queries.takes_orders(draft)
    trail = AuditEntry.objects.filter(subject_ref=f"scene:{draft.id}")
    assert list(trail.values_list("actor_ref", "action")) == [
        ("user:1", "scene.opened"),
        ("user:2", "scene.published"),
    ]


@pytest.mark.django_db
def test_a_scene_keeps_the_factors_and_the_method_with_which_it_opened():
    new = actions.open_scene(_new(slug="new-2026"), actor_ref="test")
    old = actions.open_scene(_new(slug="old-2026", factor_set="2026.1"), actor_ref="test")
    for scene, kept in ((new, ("2026.2", "m2")), (old, ("2026.1", "m1"))):
        scene.refresh_from_db()
        assert (scene.factor_set, scene.method_version) == kept
        assert factors_of(scene).method_version == kept[1]
    # One publisher's rows name no method: then what the scene noted counts.
    bare = actions.open_scene(_new(slug="bare-2026", factor_set="DESNZ25"), actor_ref="test")
    assert (bare.method_version, factors_of(bare).method_version) == ("m2", "m2")
    bare.method_version = "m1"
    assert (factors_of(bare).id, factors_of(bare).method_version) == ("DESNZ25", "m1")


@pytest.mark.django_db
def test_what_is_published_or_withdrawn_stays_so():
    scene = open_scene()
    with pytest.raises(SceneStateError):
        actions.publish(scene, actor_ref="test")
    actions.withdraw(scene, actor_ref="test")
    for move in (actions.publish, actions.withdraw):
        with pytest.raises(SceneStateError):
            move(scene, actor_ref="test")
    assert not queries.takes_orders(scene)


@pytest.mark.django_db
def test_an_address_belongs_to_one_scene():
    open_scene()
    with pytest.raises(SceneExistsError):
        open_scene()
    assert Scene.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("slug", {"slug": "No Spaces"}),
        ("slug", {"slug": "-x"}),
        ("names", {"names": {"fr": "seul"}}),
        ("names", {"names": {"en": "x" * 121}}),
        ("host_names", {"host_names": {}}),
        ("ends_on", {"ends_on": date(2020, 1, 1)}),
        ("stated_total_g", {"stated_total_g": -1}),
        ("travel_owner", {"travel_owner": "nobody"}),
        ("claim_style", {"claim_style": "green"}),
        ("kind", {"kind": "nonsense"}),
        ("factor_set", {"factor_set": "1.1"}),
        ("place_key", {"place_key": "geonames:0"}),
    ],
)
def test_a_bad_answer_is_refused_at_its_field(field, changes):
    with pytest.raises(InputError) as refused:
        actions.open_scene(_new(**changes), actor_ref="test")
    assert refused.value.field == field
    assert not Scene.objects.exists()


@pytest.mark.django_db
def test_words_are_never_looser_than_the_place_allows():
    amsterdam = _new(place_key="geonames:2759794", claim_style="compensation", audience="guest")
    assert actions.open_scene(amsterdam, actor_ref="test").claim_style == "contribution"
    nobody_knows = _new(slug="b", claim_style="compensation", audience="unknown")
    assert actions.open_scene(nobody_knows, actor_ref="test").claim_style == "contribution"
    chengdu = _new(slug="c", claim_style="compensation", audience="guest")
    assert actions.open_scene(chengdu, actor_ref="test").claim_style == "compensation"


@pytest.mark.django_db
def test_guests_see_what_is_confirmed_and_covered_only():
    scene = open_scene()
    actions.add_measure(scene, category="venue", names=texts("计划", "planned"), avoided_g=1)
    actions.add_inventory_line(scene, category="goods", names=texts("礼品", "gifts"), mass_g=5)
    found = queries.by_slug(scene.slug)
    assert [measure.category for measure in queries.confirmed_measures(found)] == ["food"]
    assert [line.category for line in queries.covered_lines(found)] == ["venue"]
    assert queries.has_mark(found, "p1")
    assert not queries.has_mark(found, "p2")


@pytest.mark.django_db
def test_orders_are_taken_until_thirty_days_after():
    scene = open_scene(starts_on=date(2026, 11, 26), ends_on=date(2026, 11, 27))
    # 23:59 and 00:01 of 27 December in Chengdu.
    assert queries.takes_orders(scene, datetime(2026, 12, 27, 15, 59, tzinfo=UTC))
    assert not queries.takes_orders(scene, datetime(2026, 12, 27, 16, 1, tzinfo=UTC))


def _new(**changes):
    facts = {
        "slug": "draft",
        "kind": "conference",
        "names": texts("草稿", "Draft"),
        "host_names": texts("主办", "Host"),
        "venue_names": texts("会场", "Hall"),
        "place_key": CHENGDU,
        "starts_on": date(2026, 11, 26),
    }
    return actions.NewScene(**facts | changes)
