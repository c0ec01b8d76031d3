"""A bad batch finds every certificate behind it; each is made good or openly short."""

from datetime import date

import pytest
from django.db import DatabaseError, transaction

from diandian.audit.models import OutboxEvent
from diandian.certificates import keys
from diandian.certificates import queries as certificates
from diandian.certificates.models import Certificate
from diandian.certificates.verify import verify_code
from diandian.claims import wording
from diandian.flows import fulfil, log_fill, promises, recall, remedy
from diandian.flows.close import close
from diandian.flows.erase import erase_order
from diandian.flows.issuance import OutsideRetirement, record_outside
from diandian.kernel.memory import Memory
from diandian.ledger import chart
from diandian.ledger.models import Journal
from diandian.registry import actions as registry
from diandian.registry import queries as registry_queries
from diandian.registry.errors import UnderRecallError
from diandian.registry.models import CreditBatch, Recall, Remedy, Retirement
from diandian.registry.recalls import queries as recalls
from diandian.registry.recalls.errors import (
    RecalledAlreadyError,
    RecallFactsError,
    RecallSettledError,
    SamePersonError,
)
from diandian.transparency.models import LogEntry
from diandian.verifier import certificate as record_check
from diandian.verifier import credential, entries
from tests.flows.conftest import NOW, make_project

pytestmark = pytest.mark.django_db

TEXTS = {"zh-Hans": "测量有误。", "en": "It was measured wrongly.", "nl": "Verkeerd gemeten."}
TONNE = 1_000_000


@pytest.fixture(autouse=True)
def nothing_remembered():
    Memory.forget_everything()


def bad_batch():
    return CreditBatch.objects.order_by("id").first()


def more(project, tonnes=1, *, text="MORE", **facts):
    facts = {
        "serial_text": f"{text}-1~{text}-{tonnes}",
        "vintage_year": 2025,
        "period_start": date(2025, 1, 1),
        "period_end": date(2025, 12, 31),
        "custody": "native",
        "verified_by": "Verifier",
        "verified_on": date(2026, 1, 31),
        "source_ref": f"test:{text}",
        "at": NOW,
    } | facts
    batch = registry.issue(project=project, **facts)
    log_fill.fill()
    return batch


def another_project(code, *, kind="solar"):
    project = make_project(code)
    type(project).objects.filter(id=project.id).update(kind=kind)
    log_fill.fill()
    return project


def opened(batch=None, *, kind="invalid", **facts):
    return recall.open_recall(
        batch or bad_batch(),
        kind=kind,
        reason="measured-wrongly",
        texts=TEXTS,
        opened_by="operator:Wen",
        **facts,
    )


def started(batch=None, **facts):
    return recall.approve(opened(batch, **facts), approved_by="operator:Jansen")


def recalled(batch=None, **facts):
    found = started(batch, **facts)
    recall.work_all()
    found.refresh_from_db()
    assert found.state == "done"
    return found


def bought(world, mass_g, name="Lin Wan", **facts):
    order = world.order(mass_g, name=name, is_vouched_for=True, **facts)
    assert world.pay(order) == "completed"
    return order


def newest(order):
    return certificates.of_order(order.ref)


def record(order):
    found = certificates.record_of(newest(order))
    assert credential.verify(newest(order).credential, keys.public_key()) == []
    assert record_check.check(found) == []
    return found


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


def test_only_good_enough_credits_replace(world):
    order = bought(world, 300_000)
    more(world.project, text="OLD", vintage_year=2024, period_start=date(2024, 1, 1))
    more(world.project, text="SAMPLE", is_sample=True)
    outside = more(world.project, text="OUTSIDE", custody="external")
    another_project("other-wind", kind="wind")
    recalled()
    assert record(order)["state"] == "short"
    # The tonne at the outside registry counts once it is retired there.
    gone = OutsideRetirement(
        first_tonne=1, last_tonne=1, reference="R-1", retired_at=NOW, is_simulated=True
    )
    record_outside(outside, gone, actor_ref="operator:test")
    assert recall.retry() == 1
    found = record(order)
    assert found["recalls"][0]["replacements"][0]["ranges"][0]["batch"] == outside.public_id


def test_the_operators_list_comes_last_and_likeness_before_it(world):
    order = bought(world, 300_000)
    another_project("other-wind", kind="wind")
    near = another_project("other-solar")
    found = recalled(sources=["other-wind"])
    loss = record(order)["recalls"][0]
    assert [each["project"] for each in loss["replacements"]] == [near.code]
    assert found.sources == ["other-wind"]


def test_a_need_may_be_met_from_several_projects(world):
    order = bought(world, 900_000)
    more(world.project, text="A")
    bought(world, 600_000)
    near = another_project("other-solar")
    recalled()
    loss = record(order)["recalls"][0]
    assert [each["project"] for each in loss["replacements"]] == [world.project.code, near.code]
    assert loss["replaced_g"] == 900_000


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


def test_two_people_open_and_approve(world):
    found = opened()
    with pytest.raises(SamePersonError, match="second person"):
        recall.approve(found, approved_by="operator:  wEN ")
    with pytest.raises(DatabaseError), transaction.atomic():
        Recall.objects.update(state="running", approved_by="operator:Wen", approved_at=NOW)
    assert bad_batch().state == "frozen"
    with pytest.raises(UnderRecallError, match="frozen"):
        registry.thaw(bad_batch(), "we need stock")
    recall.drop(found, dropped_by="operator:Wen")
    assert bad_batch().state == "open"
    with pytest.raises(RecallSettledError):
        recall.approve(found, approved_by="operator:Jansen")


def test_a_batch_that_was_stopped_before_stays_stopped_when_a_recall_is_dropped(world):
    registry.freeze(bad_batch(), "under review")
    recall.drop(opened(), dropped_by="operator:Wen")
    assert bad_batch().state == "frozen"


def test_a_recalled_batch_never_sells_or_thaws(world):
    started()
    registry.freeze(bad_batch(), "again")
    registry.thaw(bad_batch(), "please")
    assert bad_batch().state == "recalled"
    with pytest.raises(DatabaseError, match="stays recalled"), transaction.atomic():
        CreditBatch.objects.update(state="open")
    assert registry_queries.available_g(world.project.id) == 0


def test_a_paid_order_that_waits_for_a_recalled_batch_is_refunded(world):
    order = world.order(300_000)
    started()
    assert world.pay(order) == "paid"
    for hours in range(1, 8):
        fulfil.drain(at=world.later(hours=24 * hours))
    assert world.state(order) == "refunded"
    assert world.stock().held_g == 0


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"kind": "sour"}, "its kind"),
        ({"grams": (0, 2 * TONNE)}, "do not lie"),
        ({"grams": (5, 5)}, "do not lie"),
        ({"grams": (-5, 5)}, "do not lie"),
    ],
)
def test_a_recall_that_does_not_fit_is_refused(world, facts, why):
    with pytest.raises(RecallFactsError, match=why):
        opened(**facts)
    assert bad_batch().state == "open"


def test_grams_are_recalled_once(world):
    opened(grams=(0, 500_000))
    with pytest.raises(RecalledAlreadyError):
        opened(grams=(499_999, TONNE))
    opened(grams=(500_000, TONNE))


def test_a_stop_in_the_middle_of_a_commit_loses_nothing(world, monkeypatch):
    orders = [bought(world, 10_000) for _ in range(7)]
    more(world.project)
    found = started()
    assert recall.work(3) == 3
    supersede = remedy.certificate_actions.supersede

    def dies(*args, **kwargs):
        supersede(*args, **kwargs)
        raise RuntimeError("stopped in the middle of a commit")

    with monkeypatch.context() as patch:
        patch.setattr(remedy.certificate_actions, "supersede", dies)
        with pytest.raises(RuntimeError):
            recall.work(3)
    assert Remedy.objects.count() == 3
    assert recall.work(3) == 3
    # Somebody begins anew: what has its answer is not answered again.
    Recall.objects.update(position=0)
    while recall.work(3):
        pass
    found.refresh_from_db()
    assert found.state == "done"
    assert [newest(order).version for order in orders] == [2] * 7
    assert Remedy.objects.count() == Retirement.objects.filter(purpose="remedy").count() == 7
    assert OutboxEvent.objects.filter(kind=remedy.ANSWERED).count() == 7
    assert recall.work() == 0


def test_one_portion_costs_the_same_few_queries_for_many(world, django_assert_max_num_queries):
    for _ in range(5):
        bought(world, 10_000)
    more(world.project)
    started()
    with django_assert_max_num_queries(56):
        assert recall.work() == 5


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


def test_the_books_close_after_a_recall(world):
    for mass_g in (300_000, 500_000):
        bought(world, mass_g)
    more(world.project)
    recalled()
    found = close(actor="operator:test")
    assert found.breaches == ()
    assert found.holds


def test_the_public_log_tells_all_of_it_and_names_nobody(world):
    registry.freeze(bad_batch(), "only the forest sells here")
    log_fill.fill()
    forest = more(world.project, 2, text="FOREST", buffer_g=50_000)
    orders = [bought(world, 200_000) for _ in range(2)]
    more(world.project, 1, text="OTHER", sale_lanes=1)
    before = LogEntry.objects.count()
    found = recalled(forest, kind="reversal", grams=(0, 400_000))
    told = [entries.decode(row.body.encode()) for row in log_entries_from(before)]
    kinds = [body["type"] for body in told]
    assert kinds == ["freeze", "recall", "reversal", "retire", "retire"] + ["remedy"] * 3
    first, second = (record(order)["retirement"] for order in orders)
    assert told[1]["recall"] == found.public_id
    assert told[2]["ranges"] == [[forest.public_id, 1_950_000, 2_000_000]]
    assert [body["replaces"] for body in told[3:5]] == [first, second]
    steps = [(body["retirement"], body["outcome"], body["short_g"]) for body in told[5:]]
    assert steps == [(first, "buffer", 150_000), (first, "replaced", 0), (second, "replaced", 0)]
    assert "Lin Wan" not in str(told)
    log = record(orders[1])["recalls"][0]["replacements"][0]["log"]
    assert log["entry"] == told[4]
    assert log["index"] == LogEntry.objects.get(ref=f"retire:{told[4]['retirement']}").position


def log_entries_from(first):
    return LogEntry.objects.order_by("position")[first:]


def test_a_project_without_a_price_replaces_nothing(world):
    order = bought(world, 300_000)
    more(world.project)
    near = another_project("never-offered")
    near.offers.all().delete()
    CreditBatch.objects.filter(source_ref="test:MORE").update(state="frozen")
    recalled()
    assert record(order)["state"] == "short"
