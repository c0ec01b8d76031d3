"""The operator's command for recalls, and the one mail to each person of an organisation."""

import json
from io import StringIO

import pytest
from django.core import mail
from django.core.management import CommandError, call_command

from diandian.audit.models import OutboxEvent
from diandian.flows import recall
from diandian.jobs import recall_mail, subscribers
from diandian.orders.models import Quote
from diandian.people.models import Membership, Organisation, Person
from diandian.registry.models import CreditBatch, Recall
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


def test_one_opens_and_another_approves_and_both_show_first(batch, reason):
    assert run() == "Nothing has been recalled.\n"
    shown = run(batch, *reason, "--as", "Wen")
    assert "Nothing was changed" in shown
    assert "It was measured wrongly." in shown
    assert not Recall.objects.exists()
    opened = run(batch, *reason, "--as", "Wen", "--yes")
    number = Recall.objects.get().public_id
    assert f"--approve {number}" in opened
    with pytest.raises(CommandError, match="second person"):
        run("--approve", number, "--as", "wen", "--yes")
    shown = run("--approve", number, "--as", "Jansen")
    assert "1 retirements, 300000 g" in shown
    assert Recall.objects.get().state == "opened"
    run("--approve", number, "--as", "Jansen", "--yes")
    assert Recall.objects.get().state == "running"
    assert recall.work_all() > 0
    assert "done" in run()
    with pytest.raises(CommandError, match="decided already"):
        run("--drop", number, "--as", "Wen", "--yes")


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
    # The same message told again leaves no second mail.
    OutboxEvent.objects.filter(kind=recall.TELL).update(state="pending")
    deliver_all()
    assert len(mail.outbox) == 1
    assert not [event for event in OutboxEvent.objects.all() if "example.org" in str(event.payload)]


@pytest.mark.usefixtures("organisation")
def test_without_a_mail_server_a_line_in_the_log_remains(batch, reason, settings, caplog):
    settings.EMAIL_URL = ""
    run(batch, *reason, "--as", "Wen", "--yes")
    recall.approve(Recall.objects.get(), approved_by="operator:Jansen")
    recall.work_all()
    with caplog.at_level("INFO"):
        deliver_all()
    assert mail.outbox == []
    assert "no mail server" in caplog.text
    assert "a@example.org" not in caplog.text
    assert OutboxEvent.objects.filter(kind=recall_mail.MAIL).count() == 2
