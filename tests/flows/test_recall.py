"""A bad batch finds every certificate behind it; each is made good or openly short."""

import pytest

from diandian.certificates import queries as certificates
from diandian.certificates.models import Certificate
from diandian.certificates.verify import verify_code
from diandian.claims import wording
from diandian.flows import promises, recall
from diandian.flows.erase import erase_order
from diandian.flows.issuance import OutsideRetirement, record_outside
from diandian.kernel.memory import Memory
from diandian.leaderboards import queries as boards
from diandian.ledger import chart
from diandian.ledger.models import Journal
from diandian.orders import queries as orders
from diandian.registry import actions as registry
from diandian.registry import queries as registry_queries
from diandian.registry.models import Remedy, Retirement
from diandian.registry.recalls import queries as recalls
from diandian.scenes.models import Scene
from tests.flows.conftest import NOW
from tests.flows.recalls import (
    TONNE,
    bad_batch,
    bought,
    more,
    newest,
    opened,
    recalled,
    record,
    started,
)
from tests.web.world import open_scene

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_remembered():
    Memory.forget_everything()


def test_a_certificate_of_a_recalled_batch_is_replaced_and_says_so(world):
    order = bought(world, 300_000)
    first = newest(order)
    good = more(world.project)
    done = recalled()

    found = record(order)
    assert (found["state"], found["version"], found["standing_g"]) == ("remedied", 2, 300_000)
    assert found["ranges"] == certificates.record_of(first)["ranges"]
    assert found["replaces"] == {"version": 1, "sha256": first.sha256}
    loss = found["recalls"][0]
    assert (loss["recall"], loss["reason"]) == (done.public_id, "measured-wrongly")
    assert (loss["affected_g"], loss["replaced_g"], loss["short_g"]) == (300_000, 300_000, 0)
    [new] = loss["replacements"]
    assert new["ranges"][0]["batch"] == good.public_id
    assert new["ranges"][0]["serial_first"] == "MORE-1"
    replacement = Retirement.objects.get(public_id=new["retirement"])
    assert replacement.replaces.public_id == found["retirement"]
    assert Journal.objects.get(kind="remedy").owner_ref == f"recall:{done.public_id}"
    # 0.3 t at 60 yuan, owed to the owner of the new credits.
    assert world.balance(chart.remedies("CNY")) == 1800
    assert world.balance(chart.provisions("CNY")) == 0
    bad_batch_now = bad_batch()
    assert bad_batch_now.state == "recalled"
    assert registry_queries.ranges_of(replacement.replaces)[0].batch == bad_batch_now.public_id


def test_the_earlier_version_stays_genuine_and_the_new_one_answers(world):
    order = bought(world, 300_000)
    signed = newest(order).credential
    more(world.project)
    recalled()
    old = verify_code(newest(order).code, version=1)
    assert (old.answer, old.certificate.credential) == ("replaced", signed)
    assert verify_code(newest(order).code).answer == "remedied"
    assert Certificate.objects.filter(code=newest(order).code, state="current").count() == 1


def test_between_approval_and_its_turn_a_certificate_says_that_it_is_recalled(world):
    order, other = bought(world, 300_000), None
    more(world.project)
    opened_one = opened()
    assert verify_code(newest(order).code).answer == "valid"
    recall.approve(opened_one, approved_by="operator:Jansen")
    Memory.forget_everything()
    assert verify_code(newest(order).code).answer == "recalled"
    other = bought(world, 100_000)
    assert verify_code(newest(other).code).answer == "valid"
    recall.work_all()
    Memory.forget_everything()
    assert verify_code(newest(order).code).answer == "remedied"


def test_without_stock_it_is_openly_short_until_stock_comes(world):
    order = bought(world, 300_000)
    done = recalled()
    found = record(order)
    assert (found["state"], found["standing_g"]) == ("short", 0)
    assert found["claim"]["level"] == "L0"
    assert verify_code(newest(order).code).answer == "short"
    for lang in wording.LANGUAGES:
        said = wording.statement(found, lang) + wording.claim_line(found, lang)
        assert said
        assert not wording.find_banned(said, "contribution")
    assert "none of them stands" in wording.statement(found, "en")
    assert recall.retry() == 0
    assert newest(order).version == 2

    more(world.project)
    assert recall.retry() == 1
    found = record(order)
    assert (found["state"], found["version"], found["standing_g"]) == ("remedied", 3, 300_000)
    assert found["claim"]["level"] == "L2"
    assert recall.retry() == 0
    totals = recalls.totals_of(done)
    assert (totals.affected_g, totals.replaced_g, totals.short_g) == (300_000, 300_000, 0)
    steps = list(Remedy.objects.order_by("step").values_list("outcome", "remedied_g", "short_g"))
    assert steps == [("short", 0, 300_000), ("replaced", 300_000, 0)]


def test_what_stands_partly_claims_only_that(world):
    order = bought(world, 300_000)
    recalled(grams=(200_000, TONNE))
    found = record(order)
    assert (found["state"], found["standing_g"]) == ("short", 200_000)
    assert found["recalls"][0]["affected_g"] == 100_000
    assert "200\u202fkg" in wording.statement(found, "en")
    assert "300\u202fkg" not in wording.claim_line(found, "en")
    assert "100\u202fkg short" in wording.state_line(found, "en")


def test_a_reversal_takes_the_buffer_first_and_then_replaces(world):
    registry.freeze(bad_batch(), "only the forest sells here")
    forest = more(world.project, 2, text="FOREST", buffer_g=250_000)
    orders = [bought(world, 200_000) for _ in range(2)]
    more(world.project, text="OTHER")
    done = recalled(forest, kind="reversal")
    first, second = (record(order)["recalls"][0] for order in orders)
    assert (first["buffer_g"], first["replaced_g"]) == (200_000, 0)
    assert (second["buffer_g"], second["replaced_g"]) == (50_000, 150_000)
    stock = registry_queries.batch_stocks(world.project)[1].stock
    assert (stock.buffer_g, stock.cancelled_g, stock.retired_g) == (0, 250_000, 400_000)
    totals = recalls.totals_of(done)
    assert (totals.buffer_g, totals.replaced_g, totals.short_g) == (250_000, 150_000, 0)


def test_a_replacement_that_is_recalled_is_replaced_again(world):
    order = bought(world, 300_000)
    second = more(world.project, text="SECOND")
    recalled()
    third = more(world.project, text="THIRD")
    recalled(second)
    found = record(order)
    assert (found["state"], found["version"]) == ("remedied", 3)
    one, two = found["recalls"]
    assert two["ranges"] == one["replacements"][0]["ranges"]
    assert two["replacements"][0]["ranges"][0]["batch"] == third.public_id
    chain = Retirement.objects.filter(purpose="remedy").order_by("id")
    assert chain[1].replaces == chain[0]
    assert chain[0].replaces.public_id == found["retirement"]
    last = recalled(third)
    assert record(order)["state"] == "short"
    assert recalls.totals_of(last).affected_g == 300_000


def test_a_retirement_over_two_batches_loses_and_gets_only_the_bad_grams(world):
    good = more(world.project)
    order = bought(world, 1_200_000)
    recalled()
    found = record(order)
    loss = found["recalls"][0]
    assert (loss["affected_g"], found["standing_g"]) == (TONNE, TONNE)
    assert found["state"] == "short"
    assert loss["replaced_g"] == 800_000
    # The other batch falls too: its own grams, and the replacement that came from it.
    recalled(good)
    found = record(order)
    assert found["recalls"][1]["affected_g"] == TONNE
    assert (found["standing_g"], len(found["recalls"][1]["ranges"])) == (0, 2)


def test_who_was_erased_stays_erased(world):
    order, after = bought(world, 300_000), bought(world, 300_000, name="Mei Zhou")
    more(world.project)
    erase_order(order)
    recalled()
    assert record(order)["state"] == "remedied"
    assert "Lin Wan" not in str(newest(order).credential)
    erase_order(after)
    assert record(after)["state"] == "remedied"
    rows = Retirement.objects.filter(purpose="remedy")
    assert "Mei Zhou" not in str([row.beneficiary.subject for row in rows])
    assert Certificate.objects.filter(code=newest(after).code).count() == 1


def test_a_promise_is_kept_for_what_still_stands(world):
    registry.freeze(bad_batch(), "only outside tonnes here")
    bad, good = (more(world.project, text=text, custody="external") for text in ("BAD", "GOOD"))
    order = bought(world, 1_200_000)
    assert record(order)["state"] == "held"
    recalled(bad)
    found = record(order)
    assert (found["state"], found["standing_g"]) == ("short", 200_000)
    assert (found["claim"]["level"], newest(order).promised_by is None) == ("L1", False)
    gone = OutsideRetirement(
        first_tonne=1, last_tonne=1, reference="R-1", retired_at=NOW, is_simulated=True
    )
    record_outside(good, gone, actor_ref="operator:test")
    assert promises.follow_all() == 1
    found = record(order)
    assert (found["state"], found["retire_by"], found["claim"]["level"]) == ("short", None, "L2")
    assert newest(order).promised_by is None


def test_a_scene_counts_as_matched_only_what_still_stands(world):
    scene = open_scene()
    bought(world, 300_000, scene=scene)
    bought(world, 200_000)
    recalled()
    progress = orders.scene_progress(scene)
    assert (progress.matched_g, progress.guests) == (0, 1)
    more(world.project)
    assert recall.retry() == 2
    assert orders.scene_progress(scene).matched_g == 300_000


def test_grams_that_wait_for_their_answer_are_matched_nowhere(world, monkeypatch):
    monkeypatch.setattr(boards, "SCENE_BOARD_FROM_GUESTS", 1)
    scene = open_scene()
    Scene.objects.filter(id=scene.id).update(stated_total_g=1_000_000)
    bought(world, 300_000, scene=scene)
    bought(world, 200_000)

    def matched_g():
        on_board = [share.matched_g for share in boards.scenes_board()]
        return [orders.scene_progress(scene).matched_g, *on_board]

    started(grams=(100_000, 400_000))
    assert matched_g() == [100_000, 100_000]
    good = more(world.project)
    recall.work_all()
    assert matched_g() == [300_000, 300_000]
    # What stands in for the scene's grams is recalled in its turn: it is the scene that waits.
    started(good)
    assert matched_g() == [100_000, 100_000]
    more(world.project, text="AGAIN")
    recall.work_all()
    assert matched_g() == [300_000, 300_000]


def test_grams_that_a_recall_left_short_are_on_no_board(world, monkeypatch):
    scene = open_scene()
    monkeypatch.setattr(boards, "SCENE_BOARD_FROM_GUESTS", 1)
    Scene.objects.filter(id=scene.id).update(stated_total_g=1_000_000)
    bought(world, 300_000, scene=scene)
    assert [share.percent for share in boards.scenes_board()] == [30]
    recalled()
    assert [(share.percent, share.matched_g) for share in boards.scenes_board()] == [(0, 0)]
