"""The operator's command for recalls, and the one mail to each person of an organisation."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core import mail
from django.core.management import CommandError, call_command

from diandian.audit.models import OutboxEvent
from diandian.audit.queries import outbox_lag, trail
from diandian.flows import recall, recall_told
from diandian.jobs import recall_mail, subscribers
from diandian.orders.models import Quote
from diandian.people.models import Membership, Organisation, Person
from diandian.registry.models import CreditBatch, Recall
from diandian.registry.recalls.errors import SamePersonError
from tests.flows import recalls as shared
from tests.flows.conftest import NOW, clock, world  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db

TEXTS = {"zh-Hans": "测量有误。", "en": "It was measured wrongly.", "nl": "Verkeerd gemeten."}


def run(*words):
    out = StringIO()
    call_command("recall", *(str(word) for word in words), stdout=out)
    return out.getvalue()


@pytest.fixture
def reason(tmp_path):
    path = tmp_path / "why.json"
    path.write_text(json.dumps(TEXTS))
    return ["--reason", "measured-wrongly", "--text", path]


@pytest.fixture
def batch(world):  # noqa: F811
    order = world.order(300_000)
    assert world.pay(order) == "completed"
    return CreditBatch.objects.get().public_id


def test_the_command_opens_and_only_the_desk_approves(batch, reason):
    assert run() == "Nothing has been recalled.\n"
    shown = run(batch, *reason, "--as", "Wen")
    assert "Nothing was changed" in shown
    assert "It was measured wrongly." in shown
    assert not Recall.objects.exists()
    opened = run(batch, *reason, "--as", "Wen", "--yes")
    found = Recall.objects.get()
    # A typed name proves nobody: it never reads as a signed-in operator.
    assert found.opened_by == "shell:Wen"
    assert f"/admin/registry/recall/{found.id}/change/" in opened
    for name in ("Wen", "Jansen"):
        with pytest.raises(CommandError, match=r"signs in at the desk.*Nothing was changed"):
            run("--approve", found.public_id, "--as", name, "--yes")
    found.refresh_from_db()
    assert found.state == "opened"
    with pytest.raises(SamePersonError):
        recall.approve(found, approved_by="operator:wen")
    recall.approve(found, approved_by="operator:Jansen")
    assert recall.work_all() > 0
    assert "done" in run()
    assert "made good 0 of 1, still short 1" in run()
    with pytest.raises(CommandError, match="decided already"):
        run("--drop", found.public_id, "--as", "Wen", "--yes")


def test_a_run_of_serials_and_a_recall_given_up(batch, reason):
    run(batch, *reason, "--serials", "1-1", "--reversal", "--as", "Wen", "--yes")
    found = Recall.objects.get()
    assert (found.start_g, found.end_g, found.kind) == (0, 1_000_000, "reversal")
    run("--drop", found.public_id, "--as", "Jansen", "--yes")
    assert CreditBatch.objects.get().state == "open"


@pytest.mark.parametrize(
    "words",
    [
        ("b-none",),
        ("b-\x00",),
        ("BATCH", "--serials", "one-two"),
        ("BATCH", "--serials", "1-2-3"),
        ("BATCH", "--serials", "²-³"),
        ("BATCH", "--serials", "9" * 40),
        ("BATCH", "--serials", "2-1"),
        ("BATCH", "--serials", "1-99"),
        ("BATCH", "--from", "no-such-project"),
        ("BATCH", "--reason", "Not A Code"),
        ("BATCH", "--reason", "x" * 41),
        ("BATCH", "--approve", "r-1"),
        ("--approve", "r-none"),
        ("--drop", "r-none"),
        ("--approve", "'; DROP TABLE registry_recall; --"),
        ("--drop", "x" * 500),
    ],
)
def test_hostile_words_change_nothing(batch, reason, words):
    named = [batch if word == "BATCH" else word for word in words]
    with pytest.raises(CommandError, match=r"Nothing was|nothing was"):
        run(*reason, *named, "--as", "Wen", "--yes")
    assert not Recall.objects.exists()
    assert CreditBatch.objects.get().state == "open"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"[1]",
        b'{"en": 1}',
        b'{"en": "only one"}',
        b"[" * 15_000,
        b'"' + b"x" * 30_000,
    ],
)
def test_a_text_that_cannot_be_read_changes_nothing(batch, tmp_path, content):
    path = tmp_path / "why.json"
    path.write_bytes(content)
    with pytest.raises(CommandError, match="Nothing was changed"):
        run(batch, "--reason", "x", "--text", path, "--as", "Wen", "--yes")
    with pytest.raises(CommandError, match="Who decides"):
        run(batch, "--reason", "x", "--text", path, "--yes")
    assert not Recall.objects.exists()


def deliver_all():
    while subscribers.deliver(32):
        pass


@pytest.fixture
def organisation(world, batch):  # noqa: F811
    """Let an organisation hold the certificate: two members, one of whom never signed in."""
    found = Organisation.objects.create(legal_name="Host", country="NL", created_at=NOW)
    for email, agreed_at in (("a@example.org", NOW), ("b@example.org", None)):
        person = Person.objects.create(email=email, created_at=NOW, agreed_at=agreed_at)
        Membership.objects.create(person=person, organisation=found, role="owner", created_at=NOW)
    Quote.objects.update(holder_ref=found.ref)
    return found


@pytest.mark.usefixtures("organisation")
def test_each_person_of_an_organisation_gets_one_mail(batch, reason, settings):
    settings.EMAIL_URL = "smtp://localhost"
    run(batch, *reason, "--as", "Wen", "--yes")
    found = Recall.objects.get()
    recall.approve(found, approved_by="operator:Jansen")
    recall.work_all()
    deliver_all()
    [sent] = mail.outbox
    assert sent.to == ["a@example.org"]
    assert found.public_id in sent.subject
    assert f"/recalls/{found.public_id}" in sent.body
    assert "measured wrongly" in sent.body
    assert recall_told.told_of(found) == recall_told.Told(
        organisations=1, people=2, told=1, nobody=1
    )
    # The same message told again leaves no second mail.
    OutboxEvent.objects.filter(kind=recall_told.TELL).update(state="pending")
    deliver_all()
    assert len(mail.outbox) == 1
    assert not [event for event in OutboxEvent.objects.all() if "example.org" in str(event.payload)]


def worked_off(batch):
    found = shared.recalled(CreditBatch.objects.get(public_id=batch))
    deliver_all()
    return found


@pytest.mark.usefixtures("organisation")
def test_without_a_mail_server_the_mail_waits_for_one(batch, settings, caplog, clock):  # noqa: F811
    settings.EMAIL_URL = ""
    with caplog.at_level("INFO"):
        found = worked_off(batch)
    assert mail.outbox == []
    assert "no mail server" in caplog.text
    assert "a@example.org" not in caplog.text
    told = recall_told.told_of(found)
    assert (told.organisations, told.people) == (1, 2)
    assert (told.told, told.no_server, told.nobody) == (0, 1, 1)
    # It is no failed attempt, however often, and nothing is due meanwhile.
    for _ in range(20):
        clock.shift(timedelta(hours=1))
        deliver_all()
    assert outbox_lag().waiting == outbox_lag().dead == 0
    settings.EMAIL_URL = "smtp://localhost"
    clock.shift(timedelta(hours=1))
    deliver_all()
    deliver_all()
    assert [sent.to for sent in mail.outbox] == [["a@example.org"]]
    told = recall_told.told_of(found)
    assert (told.told, told.no_server, told.nobody) == (1, 0, 1)


@pytest.mark.usefixtures("organisation")
def test_what_waited_for_a_mail_server_too_long_is_given_up_and_tried_again_by_hand(
    batch,
    settings,
    clock,  # noqa: F811
):
    settings.EMAIL_URL = ""
    found = worked_off(batch)
    clock.shift(timedelta(days=31))
    deliver_all()
    told = recall_told.told_of(found)
    assert (told.no_server, told.given_up) == (0, 1)
    settings.EMAIL_URL = "smtp://localhost"
    assert recall_told.tell_again(found, actor_ref="operator:Wen") == 1
    assert recall_told.tell_again(found, actor_ref="operator:Wen") == 0
    deliver_all()
    assert len(mail.outbox) == 1
    assert [row.actor_ref for row in trail(f"recall:{found.public_id}")][-1] == "operator:Wen"


def test_a_mail_server_that_takes_nothing_is_tried_again(
    batch, organisation, settings, monkeypatch
):
    settings.EMAIL_URL = "smtp://localhost"
    Person.objects.update(agreed_at=NOW)

    def breaks(_):
        raise OSError("not now")

    monkeypatch.setattr(recall_mail.EmailMessage, "send", breaks)
    found = worked_off(batch)
    told = recall_told.told_of(found)
    assert (told.people, told.trying, told.told) == (2, 2, 0)


def test_an_organisation_without_people_is_counted(batch, organisation):
    Membership.objects.all().delete()
    told = recall_told.told_of(worked_off(batch))
    assert (told.organisations, told.organisations_empty, told.people) == (1, 1, 0)
