"""Recalls at the operator's desk: looked at first, opened by one, decided by another, followed."""

import pytest
from django.test import Client

from diandian.audit.queries import trail
from diandian.flows import batches, recall
from diandian.registry.models import CreditBatch, Recall
from diandian.transparency import queries as log
from tests.flows import recalls as shared
from tests.flows.conftest import breaches, clock, world  # noqa: F401 - fixtures
from tests.office.test_credits import operator, text

pytestmark = pytest.mark.django_db
BASE = "/admin/registry/recall"
KEEPS = ("view_recall", "change_recall", "view_creditbatch", "change_creditbatch")
FORM = {
    "kind": "invalid",
    "reason": "measured-wrongly",
    "scope": "all",
    "first": "",
    "last": "",
    "text_zh": "测量有误。",
    "text_en": "It was measured wrongly.",
    "text_nl": "Verkeerd gemeten.",
    "sources": "",
}


@pytest.fixture
def li(db):
    return operator("li", *KEEPS)


@pytest.fixture
def wang(db):
    return operator("wang", *KEEPS)


@pytest.fixture
def batch(world):  # noqa: F811
    """Let 300 kg of a batch of one tonne be retired for somebody."""
    shared.bought(world, 300_000)
    return CreditBatch.objects.get()


def look(client, batch, **changed):
    return client.post(f"{BASE}/open/{batch.public_id}/", FORM | changed)


def open_it(client, batch, **changed):
    """Look, and press the button that the look offers."""
    page = text(look(client, batch, **changed))
    digest = page.partition('name="looked_at" value="')[2].partition('"')[0]
    assert digest
    sent = FORM | changed | {"looked_at": digest}
    return client.post(f"{BASE}/open/{batch.public_id}/", sent, follow=True)


def decide(client, found, action, **sent):
    address = f"{BASE}/{found.id}/decide/"
    return text(client.post(address, {"action": action} | sent, follow=True))


def page_of(client, found):
    return text(client.get(f"{BASE}/{found.id}/change/"))


# --- looking ------------------------------------------------------------------------------------


def test_a_look_says_what_it_would_meet_and_does_nothing(li, batch):
    assert "Ask for a recall" in text(li.get(f"/admin/registry/creditbatch/{batch.id}/change/"))
    assert li.get(f"{BASE}/open/{batch.public_id}/").status_code == 200
    page = text(look(li, batch))
    assert "nothing was done yet" in page
    assert "1 retirement, 300 kg in all" in page
    # The batch's own free grams stand for nothing.
    assert "<td>0 kg</td><td>0 kg</td><td><strong>300 kg</strong></td>" in page
    assert not Recall.objects.exists()
    batch.refresh_from_db()
    assert batch.state == "open"


@pytest.mark.parametrize(
    ("range_", "grams", "met"),
    [
        ({"scope": "grams", "first": "1", "last": "250000"}, (0, 250_000), "1 retirement, 250 kg"),
        ({"scope": "grams", "first": "300001", "last": "300002"}, (300_000, 300_002), "0 retire"),
        ({"scope": "serials", "first": "1", "last": "1"}, (0, 1_000_000), "1 retirement, 300 kg"),
    ],
)
def test_a_part_of_a_batch_is_recalled(li, batch, range_, grams, met):
    assert met in text(look(li, batch, **range_))
    open_it(li, batch, **range_)
    found = Recall.objects.get()
    assert (found.start_g, found.end_g) == grams


@pytest.mark.parametrize("kind", ["invalid", "reversal"])
def test_the_look_foresees_what_the_work_does(li, wang, world, kind):  # noqa: F811
    shared.bought(world, 850_000)
    other = CreditBatch.objects.get()
    buffered = shared.more(world.project, text="BUF", buffer_g=100_000)
    batches.freeze(other.public_id, reason="quality", actor_ref="operator:li")
    shared.bought(world, 300_000)
    # Only 150 kg of the other batch are left.
    batches.thaw(other.public_id, reason="cleared", actor_ref="operator:li")
    page = text(look(li, buffered, kind=kind))
    numbers = {"invalid": (0, 150, 150), "reversal": (100, 150, 50)}[kind]
    buffer_kg, stock_kg, short_kg = numbers
    assert f"<td>{buffer_kg} kg</td><td>{stock_kg} kg</td><td><strong>{short_kg} kg" in page
    open_it(li, buffered, kind=kind)
    found = Recall.objects.get()
    decide(wang, found, "approve")
    recall.work_all()
    totals = shared.recall_totals(found)
    assert (totals.buffer_g, totals.replaced_g, totals.short_g) == tuple(
        kg * 1000 for kg in numbers
    )
    assert breaches() == []


# --- two people ---------------------------------------------------------------------------------


def test_one_opens_another_approves_and_the_page_follows(li, wang, batch):
    said = text(open_it(li, batch))
    assert "A second person approves it" in said
    found = Recall.objects.get()
    assert (found.state, found.opened_by) == ("opened", "operator:li")
    batch.refresh_from_db()
    assert batch.state == "frozen"
    assert found.public_id in text(wang.get(f"{BASE}/"))
    assert 'value="approve"' not in page_of(li, found)
    assert "cannot approve it too" in decide(li, found, "approve")
    found.refresh_from_db()
    assert found.state == "opened"
    assert 'value="approve"' in page_of(wang, found)
    assert "Approved" in decide(wang, found, "approve")
    page = page_of(wang, found)
    assert "at work, 0%" in page
    assert f"/recalls/{found.public_id}" in page
    recall.work_all()
    page = page_of(wang, found)
    assert "worked off" in page
    assert "1 retirement is affected; 1 has its answer." in page
    assert "<strong>300 kg</strong>" in page
    assert "decided already: it is worked off" in decide(wang, found, "decline", note="late")
    actions = {row.action: row.actor_ref for row in trail(f"recall:{found.public_id}")}
    assert actions["recall.opened"] == "operator:li"
    assert actions["recall.approved"] == "operator:wang"


def test_a_name_typed_in_a_shell_is_said_to_be_typed(li, wang, batch):
    found = recall.open_recall(
        batch,
        kind="invalid",
        reason="measured-wrongly",
        texts=shared.TEXTS,
        opened_by="shell:LI",
    )
    assert 'value="approve"' not in page_of(li, found)
    assert "cannot approve it too" in decide(li, found, "approve")
    page = page_of(wang, found)
    assert "a name that was typed, not signed in" in page
    assert "Approved" in decide(wang, found, "approve")


def test_a_recall_is_declined_with_a_reason_in_the_trail(li, wang, batch):
    open_it(li, batch)
    found = Recall.objects.get()
    for note in ("", "  ", "x" * 301, "a\u202eb"):
        assert "Nothing was changed" in decide(wang, found, "decline", note=note)
    found.refresh_from_db()
    assert found.state == "opened"
    assert "Declined" in decide(wang, found, "decline", note="the meter was right")
    found.refresh_from_db()
    batch.refresh_from_db()
    assert (found.state, batch.state) == ("dropped", "open")
    dropped = [row for row in trail(f"recall:{found.public_id}") if row.action == "recall.dropped"]
    assert [(row.actor_ref, row.details) for row in dropped] == [
        ("operator:wang", {"note": "the meter was right"})
    ]
    assert Client().get(f"/recalls/{found.public_id}").status_code == 404


def test_what_is_short_is_tried_again(li, wang, world, batch):  # noqa: F811
    shared.bought(world, 600_000)
    open_it(li, batch)
    found = Recall.objects.get()
    decide(wang, found, "approve")
    recall.work_all()
    assert "still nothing" in decide(li, found, "again")
    assert "Made good: 0 of 2 answered; still short: 2." in page_of(li, found)
    shared.more(world.project)
    shared.bought(world, 500_000)
    # What is left suffices for the smaller one.
    assert "Replaced: 1 of 2; still short: 1." in decide(li, found, "again")
    assert "Made good: 1 of 2 answered; still short: 1." in page_of(li, found)
    shared.more(world.project, text="LAST")
    assert "Replaced: 1 of 1; still short: 0." in decide(li, found, "again")
    page = page_of(li, found)
    assert "<strong>" not in page.partition('id="numbers"')[2].partition("</table>")[0]
    assert "still short" not in page
    assert "still nothing" in decide(li, found, "again")
    assert breaches() == []


def test_trying_one_recall_again_leaves_the_others(li, world, batch):  # noqa: F811
    first = shared.recalled(batch)
    second_batch = shared.more(world.project, text="TWO")
    shared.bought(world, 200_000)
    second = shared.recalled(second_batch)
    shared.more(world.project, text="NEW")
    decide(li, second, "again")
    assert shared.recall_totals(second).short_g == 0
    assert shared.recall_totals(first).short_g == 300_000


# --- lists --------------------------------------------------------------------------------------


def test_an_empty_list_says_so_and_waiting_ones_come_first(li, world, batch):  # noqa: F811
    assert "Nothing has been recalled" in text(li.get(f"{BASE}/"))
    waiting = shared.opened(batch)
    other = shared.recalled(shared.more(world.project))
    page = text(li.get(f"{BASE}/"))
    assert page.index(waiting.public_id) < page.index(other.public_id)
    assert f'href="/recalls/{other.public_id}"' in page
    assert f'href="/recalls/{waiting.public_id}"' not in page
    assert li.get(f"{BASE}/?page=no").status_code == 200


def test_a_recalled_batch_stands_on_the_pages_of_credits(li, batch):
    shared.started(batch)
    assert "recalled" in text(li.get("/admin/registry/creditbatch/projects/"))
    page = text(li.get(f"/admin/registry/creditbatch/{batch.id}/change/"))
    assert f"{batch.public_id}: recalled" in page
    assert "Pause it" not in page


def test_a_recalled_batch_is_not_said_to_be_paused(batch):
    shared.started(batch)
    before = log.open_head().size
    batches.freeze(batch.public_id, reason="quality", actor_ref="operator:li")
    assert log.open_head().size == before


# --- hostile ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changed",
    [
        {"kind": "sour"},
        {"reason": "because"},
        {"reason": "Not A Code'; --"},
        {"text_nl": ""},
        {"text_nl": " \u202e "},
        {"text_en": "x" * 601},
        {"text_en": "x" * 100_000},
        {"scope": "some"},
        {"scope": "grams"},
        {"scope": "all", "first": "1", "last": "2"},
        {"scope": "grams", "first": "2", "last": "1"},
        {"scope": "grams", "first": "0", "last": "1"},
        {"scope": "grams", "first": "-1", "last": "5"},
        {"scope": "grams", "first": "²", "last": "³"},
        {"scope": "grams", "first": "1", "last": "1000001"},
        {"scope": "grams", "first": "9" * 40, "last": "9" * 40},
        {"scope": "serials", "first": "1", "last": "2"},
        {"scope": "serials", "first": "one", "last": "two"},
        {"sources": "no-such-project"},
        {"sources": "sample-solar' OR 1=1 --"},
        {"sources": ",".join(["sample-solar"] * 21)},
        {"sources": "x" * 5000},
    ],
)
def test_what_does_not_fit_changes_nothing(li, batch, changed):
    answer = look(li, batch, **changed)
    assert answer.status_code == 422
    assert "Nothing was changed" in text(answer)
    assert 'name="looked_at"' not in text(answer)
    assert not Recall.objects.exists()
    batch.refresh_from_db()
    assert batch.state == "open"


def test_only_what_was_looked_at_is_opened(li, batch):
    page = text(look(li, batch))
    digest = page.partition('name="looked_at" value="')[2].partition('"')[0]
    changed = FORM | {"reason": "fire", "looked_at": digest}
    answer = li.post(f"{BASE}/open/{batch.public_id}/", changed)
    assert "nothing was done yet" in text(answer)
    assert not Recall.objects.exists()


def test_the_same_grams_are_asked_for_once(li, batch):
    page = text(look(li, batch))
    digest = page.partition('name="looked_at" value="')[2].partition('"')[0]
    for _ in range(2):
        answer = li.post(f"{BASE}/open/{batch.public_id}/", FORM | {"looked_at": digest})
    assert answer.status_code == 422
    assert "are in recall" in text(answer)
    assert Recall.objects.count() == 1


def test_words_are_shown_as_text(li, batch):
    page = text(look(li, batch, text_en="<script>alert(1)</script>", sources='"><b>'))
    assert "<script>alert" not in page
    assert '"><b>' not in page
    open_it(li, batch, text_en="<script>alert(1)</script>")
    assert "<script>alert" not in page_of(li, Recall.objects.get())


def test_a_button_that_is_not_there_does_nothing(li, wang, batch):
    open_it(li, batch)
    found = Recall.objects.get()
    for action in ("", "finish", "drop"):
        assert "Nothing was changed" in decide(wang, found, action)
    assert wang.get(f"{BASE}/{found.id}/decide/").status_code == 302
    found.refresh_from_db()
    assert found.state == "opened"


def test_who_may_only_look_changes_nothing(li, batch):
    looks = operator("chen", "view_recall", "view_creditbatch")
    found = shared.opened(batch)
    assert looks.get(f"{BASE}/").status_code == 200
    assert 'value="approve"' not in page_of(looks, found)
    page = text(looks.get(f"/admin/registry/creditbatch/{batch.id}/change/"))
    assert "Ask for a recall" not in page
    for address in (f"{BASE}/{found.id}/decide/", f"{BASE}/open/{batch.public_id}/"):
        assert looks.post(address, FORM | {"action": "approve"}).status_code == 403
        assert Client().post(address, {"action": "approve"}).status_code == 302
    assert operator("zhao").get(f"{BASE}/").status_code == 403
    found.refresh_from_db()
    assert found.state == "opened"


def test_forged_requests_are_refused(batch):
    found = shared.opened(batch)
    client = operator("he", *KEEPS)
    client.handler.enforce_csrf_checks = True
    for address in (f"{BASE}/{found.id}/decide/", f"{BASE}/open/{batch.public_id}/"):
        assert client.post(address, FORM | {"action": "approve"}).status_code == 403
    found.refresh_from_db()
    assert found.state == "opened"


@pytest.mark.parametrize(
    "address",
    [
        *("/999999/decide/", "/0/decide/", f"/{9 * 10**18}/decide/", f"/{10**30}/decide/"),
        *("/open/b-none/", "/open/b-%00/", "/open/r-1/", f"/open/b-{'x' * 500}/"),
    ],
)
def test_what_is_not_there_is_not_found(li, address):
    assert li.post(f"{BASE}{address}", FORM).status_code == 404


@pytest.mark.parametrize("lang", ["zh-hans", "nl"])
def test_it_is_said_in_every_language(li, batch, lang):
    found = shared.opened(batch)
    for address in (f"{BASE}/", f"{BASE}/{found.id}/change/", f"{BASE}/open/{batch.public_id}/"):
        page = text(li.get(address, headers={"accept-language": lang}))
        assert "second person" not in page
        assert "All recalls" not in page
