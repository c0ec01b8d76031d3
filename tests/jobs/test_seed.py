"""The sample world: real books, everything labelled, boards and progress alive, written once."""

import json
from collections import Counter
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import override_settings

from diandian.audit import invariants as audit_invariants
from diandian.audit import queries as audit
from diandian.certificates import queries as certificates
from diandian.certificates.models import Certificate
from diandian.flows import differences
from diandian.flows import invariants as flow_invariants
from diandian.jobs.sample import money
from diandian.jobs.sample.guests import Crowd
from diandian.jobs.seed import MAIN_SCENE, seed, table
from diandian.kernel.clock import business_day, now
from diandian.kernel.memory import Memory
from diandian.kernel.money import Money
from diandian.leaderboards import queries as boards
from diandian.ledger import invariants as ledger_invariants
from diandian.orders.models import Order, OrderState
from diandian.orders.offers import on_sale
from diandian.orders.queries import scene_progress
from diandian.payments import invariants as payment_invariants
from diandian.reconciliation import invariants as reconciliation_invariants
from diandian.reconciliation.models import DayState, GatewayDay
from diandian.reconciliation.payouts import queries as payouts
from diandian.registry import invariants as registry_invariants
from diandian.registry.models import Allocation, CreditBatch, Programme, Project, Retirement
from diandian.registry.queries import stock
from diandian.registry.recalls import queries as recalls
from diandian.scenes.models import Scene
from diandian.scenes.queries import phase
from diandian.settlement import invariants as settlement_invariants
from diandian.settlement import queries as settlement
from diandian.settlement.models import Batch
from diandian.transparency import queries as log_queries
from diandian.verifier import logged
from diandian.verifier.audit.program import main
from diandian.verifier.notes import Signer
from tests.verifier.audit.logs import Log

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
MARKS = {"zh-Hans": "（示例）", "en": "(sample)", "nl": "(voorbeeld)"}
AT = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def said(django_db_setup, django_db_blocker, tmp_path_factory):
    """Seed once for all tests of this file, and leave nothing behind."""
    lines = []
    # Its own bank: one that another sample was made with has payments of which this one knows
    # nothing. Made before the first test forgets what other files left.
    Memory.forget_everything()
    bank = override_settings(SANDBOX_STORE=tmp_path_factory.mktemp("bank") / "bank.sqlite3")
    with bank, django_db_blocker.unblock(), transaction.atomic():
        assert seed(lines.append)
        yield lines
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def world(said, db):
    return said


def test_there_is_one_scene_of_each_kind_at_least_and_each_has_a_place():
    scenes = list(Scene.objects.all())
    assert {scene.kind for scene in scenes} == {
        *("conference", "scenic_spot", "restaurant", "hotel", "supermarket", "other"),
    }
    assert all(scene.state == "published" for scene in scenes)
    assert all(scene.latitude and scene.longitude for scene in scenes)


def test_one_event_is_open_one_closed_one_not_begun():
    phases = {scene.slug: phase(scene) for scene in Scene.objects.all()}
    assert phases[MAIN_SCENE] == "open"
    assert phases["greenway-run"] == "closed"
    assert phases["houtbouw27"] == "before"


def test_statements_are_matched_and_one_payout_is_on_its_way_to_our_bank():
    states = Counter(GatewayDay.objects.values_list("state", flat=True))
    assert set(states) == {DayState.CLOSED, DayState.OPEN}
    assert states[DayState.OPEN] == 1
    [payout] = payouts.on_the_way()
    assert payout.amount == Money(20_000, "CNY")
    assert Order.objects.filter(state=OrderState.COMPLETED).count() > 300


def test_a_difference_waits_for_a_signature_and_says_that_it_is_a_sample():
    day = GatewayDay.objects.get(state=DayState.OPEN)
    found = {(each.item.kind, each.item.outcome): each.item for each in differences.of_day(day)}
    assert set(found) == {("payment", "missing_here")}
    assert {item.our_no for item in found.values()} == {money.UNKNOWN_PAYMENT}


def test_a_payout_is_drafted_and_nobody_has_locked_it():
    batch = Batch.objects.get()
    assert (batch.state, batch.rail) == ("draft", "bank")
    assert "sample" in batch.supplier_ref
    assert batch.net_minor == sum(line.supplier_minor for line in batch.lines.all()) > 0


def test_a_part_is_disputed_and_says_that_it_is_a_sample():
    [line] = settlement.lines_stuck(now())
    assert line.dispute_note == money.NOTE
    assert "Sample" in money.NOTE
    assert line.batch is None


def test_everything_says_that_it_is_a_sample():
    for row in [*Scene.objects.all(), *Project.objects.all()]:
        assert row.is_sample
        for lang, mark in MARKS.items():
            assert row.names[lang].endswith(mark)
    for scene in Scene.objects.all():
        assert all(scene.host_names[lang].endswith(mark) for lang, mark in MARKS.items())
        assert all(scene.venue_names[lang].endswith(mark) for lang, mark in MARKS.items())
    assert all(batch.is_sample for batch in CreditBatch.objects.all())
    assert all(programme.is_simulated for programme in Programme.objects.all())
    assert not Retirement.objects.filter(is_sample=False).exists()


def test_stock_shows_plenty_little_and_nothing():
    left = {view.project.code: view for view in on_sale()}
    assert len(left) == 4
    assert len({view.project.programme_id for view in left.values()}) == 2
    assert left["sample-linpan-grove"].sold_out
    assert left["sample-food-waste"].low_stock
    assert left["sample-food-waste"].available_g == 2_100_000
    assert not left["sample-rooftop-solar"].low_stock


def test_promised_growth_is_never_sold():
    promised = CreditBatch.objects.get(is_ex_ante=True)
    assert promised.state == "draft"
    forest = Project.objects.get(code="sample-afforestation")
    parts = stock(forest)
    assert parts["blocked_g"] == promised.total_g
    assert parts["buffer_g"] == 50_000_000
    assert parts["retired_g"] > 0


def test_every_order_is_completed_and_has_its_certificate():
    states = Counter(Order.objects.values_list("state", flat=True))
    assert set(states) == {OrderState.COMPLETED}
    assert 280 <= states.total() <= 340
    assert Certificate.objects.filter(state="current").count() == states.total()
    assert not Order.objects.filter(created_at__gt=now()).exists()


def test_some_certificates_still_wait_for_the_outside_registry_and_are_in_time():
    records = [certificates.record_of(row) for row in Certificate.objects.all()]
    held = [record for record in records if record["state"] == "held"]
    assert {record["project"]["code"] for record in held} == {"sample-food-waste"}
    assert all(record["retire_by"] >= business_day().isoformat() for record in held)
    assert len(held) >= 10
    assert len(records) - len(held) > 200


def test_one_recall_shows_what_was_replaced_and_what_is_short():
    (found,) = recalls.recalls()
    assert (found.state, found.batch.state) == ("done", "recalled")
    assert found.batch.is_sample
    assert found.opened_by != found.approved_by
    for lang, word in {"zh-Hans": "示例", "en": "Sample", "nl": "Voorbeeld"}.items():
        assert found.texts[lang].startswith(word)
    totals = recalls.totals_of(found)
    assert 5 <= totals.retirements == totals.answered <= 20
    assert 0 < totals.affected_g <= 1_000_000
    assert totals.replaced_g > 0
    assert totals.short_g > 0
    assert (totals.buffer_g, totals.waiting_g) == (0, 0)
    states = Counter(
        certificates.record_of(row)["state"] for row in Certificate.objects.filter(state="current")
    )
    assert states["remedied"] > 0
    assert states["short"] > 0
    assert states["remedied"] + states["short"] == totals.retirements


def test_compensation_is_said_only_where_it_may_be():
    for row in Certificate.objects.all():
        record = certificates.record_of(row)
        if record["claim"]["style"] == "compensation":
            assert record["scene"]["country"] == "CN"
            assert record["scene"]["slug"] in {MAIN_SCENE, "greenway-run"}
    assert Scene.objects.get(slug="houtbouw27").claim_style == "contribution"


def test_boards_are_alive():
    rows = boards.people("all")
    assert [(row.name, row.scenes_lit) for row in rows[:3]] == [
        *[("青衣江", 16), ("阿禾", 14), ("不吃香菜的鱼", 13)]
    ]
    assert rows[0].rank == 1
    shares = boards.scenes_board()
    assert len(shares) >= 5
    assert len({share.percent for share in shares}) >= 4
    assert all(0 < share.percent < 100 for share in shares)


def test_the_open_conference_has_progress():
    scene = Scene.objects.get(slug=MAIN_SCENE)
    progress = scene_progress(scene)
    assert progress.guests >= 100
    assert 10 <= progress.matched_g * 100 // scene.stated_total_g <= 60


def test_every_invariant_holds():
    rooms = (
        *(registry_invariants, ledger_invariants, payment_invariants, audit_invariants),
        *(settlement_invariants, reconciliation_invariants, flow_invariants),
    )
    assert [breach for room in rooms for breach in room.check()] == []
    assert audit.verify_chain() is None


def test_a_second_call_changes_nothing():
    before = Order.objects.count(), Scene.objects.count(), Retirement.objects.count()
    assert seed(print) is False
    assert (Order.objects.count(), Scene.objects.count(), Retirement.objects.count()) == before


def test_progress_is_told(said):
    assert any("visits" in line for line in said)
    assert all(len(line) < 90 for line in said)


def test_the_command_refuses_in_production(settings):
    settings.TEST_MODE = False
    with pytest.raises(CommandError):
        call_command("seed")


def test_the_crowd_is_the_same_each_time_and_never_in_the_future():
    people, scenes = table("people"), table("scenes")["scene"]
    first = Crowd(people, scenes, AT).visits()
    assert first == Crowd(people, scenes, AT).visits()
    assert all(visit.at < AT for visit in first)
    homes = {visit.answers["from"] for visit in first if "from" in visit.answers}
    assert len(homes) >= 30
    kept = [visit for visit in first if visit.on_board]
    once_a_day = {(visit.guest_key, visit.scene, business_day(visit.at)) for visit in kept}
    regulars = [visit for visit in kept if "regular" in visit.guest_key]
    assert len(once_a_day) > len(regulars) == 90


def test_an_outsider_who_has_only_the_public_log_finds_it_clean(tmp_path, capsys):
    head = log_queries.open_head()
    log = Log(*log_queries.bodies(head), origin=head.origin)
    signer = Signer(head.origin, Ed25519PrivateKey.generate())
    folder = log.publish(tmp_path / "log", signers=[signer])
    report = tmp_path / "report.json"
    assert main([str(folder), "--key", signer.vkey(), "--json", str(report)]) == 0
    found = {each["batch"]: each for each in json.loads(report.read_text())["batches"]}
    for batch in CreditBatch.objects.all():
        retired = Allocation.objects.filter(lane__batch=batch, kind="retire")
        grams = sum(row.end_g - row.start_g for row in retired)
        assert found[batch.public_id]["retired_g"] == grams
        assert found[batch.public_id]["issued_g"] == batch.total_g
    assert any(each["retired_g"] for each in found.values())


def test_every_certificate_agrees_with_its_entry_of_the_log():
    for certificate in Certificate.objects.all():
        (check,) = logged.checks(certificates.record_of(certificate))
        assert (check.ok, check.detail) == (True, "")
