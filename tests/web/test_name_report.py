"""Reporting a name on the boards, and what an operator makes of it."""

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

from diandian.audit.models import AuditEntry
from diandian.flows.erase import erase_guest, erase_order
from diandian.flows.name_reports import decide
from diandian.kernel.memory import Memory
from diandian.leaderboards import actions, queries, rules
from diandian.leaderboards.models import NameReport, ReportState, Standing
from diandian.orders.models import Order
from diandian.ui import limits
from tests.web.public_world import buy
from tests.web.world import open_scene, open_shop

pytestmark = pytest.mark.django_db
BAD = "Bad Name"
FORM = "/board/report"
LIST = "/admin/leaderboards/namereport/"


@pytest.fixture(autouse=True)
def fresh(settings, tmp_path):
    settings.SANDBOX_STORE = tmp_path / "bank.sqlite3"
    settings.DATA_DIR = tmp_path
    Memory.forget_everything()
    limits.name_reports.forget()


@pytest.fixture
def scene():
    open_shop()
    found = open_scene()
    buy(found, name=BAD, on_board=True, guest_key="key-bad")
    buy(found, name="Lin Wan", on_board=True, guest_key="key-lin")
    buy(found, name="", on_board=True, guest_key="key-nameless")
    Memory.forget_everything()
    return found


@pytest.fixture
def guest():
    return Client(headers={"accept-language": "en"})


def text(response):
    return response.content.decode()


def row(name=BAD):
    return Standing.objects.get(board="people:all", display_name=name)


def sent(client, **changed):
    form = {"row": str(row().id), "reason": "insult", "note": "see the second word"} | changed
    return client.post(f"{FORM}?period=all", form)


def reported(name=BAD, **facts):
    actions.report_name(
        row(name), **{"reason": "insult", "note": "it hurts", "at": row(name).reached_at} | facts
    )
    return NameReport.objects.latest("id")


def on_the_board():
    Memory.forget_everything()
    return text(Client(headers={"accept-language": "en"}).get("/board?period=all"))


# The form ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["zh-Hans", "en", "nl"])
@pytest.mark.parametrize("board", ["/board", "/board?period=all", "/s/tianfu-2026/board"])
def test_each_board_leads_to_its_form_with_the_names_it_shows(scene, board, lang):
    client = Client(headers={"accept-language": lang})
    link = text(client.get(board)).partition(f'href="{FORM}')[2].partition('"')[0]
    page = client.get(FORM + link)
    assert page.status_code == 200
    assert page["Content-Language"] == lang
    options = text(page).partition("<select")[2].partition("</select>")[0]
    assert options.count("<option") == 3, "two names and nothing for who has none"
    assert (BAD in options, "Lin Wan" in options) == (True, True)


def test_a_board_without_names_has_nothing_to_report(guest):
    open_scene()
    assert FORM not in text(guest.get("/board"))
    page = text(guest.get(FORM))
    assert ('class="empty"' in page, "<form method" in page) == (True, False)
    assert guest.get(f"{FORM}?scene=nowhere").status_code == 404


def test_a_report_waits_for_the_operator_and_hides_nothing(scene, guest):
    answer = sent(guest)
    assert answer.status_code == 303
    said = text(guest.get(answer["Location"]))
    assert "The name is still shown" in said
    assert "What happens next" in said
    assert not answer.cookies
    found = NameReport.objects.get()
    assert (found.name, found.reason, found.state) == (BAD, "insult", ReportState.OPEN)
    assert found.note == "see the second word"
    assert BAD in on_the_board()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"row": ""}, "choose the name"),
        ({"row": "-1"}, "choose the name"),
        ({"row": "٣"}, "choose the name"),
        ({"row": "9" * 40}, "choose the name"),
        ({"row": "999999"}, "choose the name"),
        ({"row": "1 OR 1=1"}, "choose the name"),
        ({"reason": ""}, "what is wrong with the name"),
        ({"reason": "because"}, "what is wrong with the name"),
        ({"note": "x" * 301}, "These words have 301 characters; 300 fit."),
        ({"note": "x" * 200_000}, "300 fit."),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_sent(scene, guest, changed, words):
    answer = sent(guest, **changed)
    assert answer.status_code == 422
    alarm = text(answer).partition('role="alert"')[2].partition("</div>")[0]
    assert words in alarm
    assert "Nothing was sent." in alarm
    assert not NameReport.objects.exists()


def test_what_was_typed_is_kept_and_harmless(scene, guest):
    page = text(sent(guest, reason="", note="</textarea><script>alert(1)</script>"))
    assert "<script>alert" not in page
    assert "&lt;/textarea&gt;&lt;script&gt;alert(1)" in page
    assert f'value="{row().id}" selected' in page


def test_names_that_are_not_shown_cannot_be_reported(scene, guest):
    nameless = Standing.objects.get(board="people:all", guest_key="key-nameless")
    assert sent(guest, row=str(nameless.id)).status_code == 422
    number = str(row().id)
    actions.hide_name("key-bad", at=row().reached_at)
    assert sent_plain(guest, number).status_code == 422
    assert not NameReport.objects.exists()


def sent_plain(client, number):
    return client.post(FORM, {"row": number, "reason": "insult"})


def test_a_note_is_one_line_without_characters_that_nobody_sees():
    assert rules.clean_note("  a\r\nb\t\u202e\u0007c\u200b  d\u3000e ") == "a b c d e"


def test_one_address_reports_so_many_and_no_more(scene, guest, settings):
    settings.NAME_REPORTS = 2
    assert [sent(guest).status_code for _ in range(3)] == [303, 303, 429]
    assert "Yours was not sent." in text(sent(guest))
    assert NameReport.objects.count() == 2
    other = guest.post(FORM, {"row": str(row().id), "reason": "other"}, REMOTE_ADDR="198.51.100.7")
    assert other.status_code == 303


def test_a_crowd_fills_no_table(scene, guest, settings):
    settings.NAME_REPORTS = 1000
    statuses = {sent(guest).status_code for _ in range(rules.MOST_OPEN_REPORTS + 5)}
    assert statuses == {303}, "nobody is told that they were one too many"
    assert NameReport.objects.count() == rules.MOST_OPEN_REPORTS
    assert BAD in on_the_board()


def test_another_site_sends_no_report(scene, guest):
    form = {"row": str(row().id), "reason": "insult"}
    assert guest.post(FORM, form, headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert not NameReport.objects.exists()


# The decision ------------------------------------------------------------------------------------


def operator(*permissions, superuser=False):
    users = get_user_model().objects
    make = users.create_superuser if superuser else users.create_user
    user = make("he", "he@example.invalid", "a long enough password")
    user.is_staff = True
    user.save()
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


def act(client, action, report):
    form = {"action": action, "_selected_action": [str(report.id)]}
    return text(client.post(LIST, form, follow=True))


def test_the_operator_reads_it_as_text_and_hides_the_name(scene):
    report = reported(note="<script>alert(1)</script>")
    others = reported(reason="other")
    desk = operator(superuser=True)
    shown = text(desk.get(LIST))
    assert BAD in shown
    assert "<script>alert(1)" not in shown
    assert "key-bad" not in shown + text(desk.get(f"{LIST}{report.id}/change/"))
    assert "Hidden on every board" in act(desk, "hide_name", report)
    board = on_the_board()
    assert (BAD in board, "Lin Wan" in board) == (False, True)
    for each in (report, others):
        each.refresh_from_db()
        assert (each.state, each.name, each.note) == (ReportState.HIDDEN, "", "")
    entry = AuditEntry.objects.get(action="board.name_hidden")
    assert (entry.actor_ref, entry.details) == ("operator:he", {"reason": "insult"})
    assert entry.subject_ref == f"name_report:{report.id}"


def test_the_operator_keeps_the_name_and_decides_once(scene):
    report, about_lin = reported(), reported("Lin Wan")
    desk = operator(superuser=True)
    assert "The name stays" in act(desk, "keep_name", report)
    assert BAD in on_the_board()
    assert "Nothing was changed" in act(desk, "hide_name", report)
    assert BAD in on_the_board()
    report.refresh_from_db()
    about_lin.refresh_from_db()
    assert (report.state, report.note) == (ReportState.KEPT, "")
    assert (about_lin.state, about_lin.name) == (ReportState.OPEN, "Lin Wan")
    assert AuditEntry.objects.filter(action__startswith="board.").count() == 1


def test_a_name_that_was_changed_is_not_punished(scene):
    report = reported()
    actions.rename("key-bad", "Good Name")
    assert decide(report, hides=True, actor_ref="operator:he") == ReportState.GONE
    assert "Good Name" in on_the_board()


def test_who_may_only_look_decides_nothing(scene):
    report = reported()
    looks = operator("view_namereport")
    assert looks.get(LIST).status_code == 200
    act(looks, "hide_name", report)
    report.refresh_from_db()
    assert report.state == ReportState.OPEN
    assert BAD in on_the_board()


def test_the_command_of_the_operator_answers_reports_too(scene):
    report = reported()
    actions.hide_name("key-bad", at=row().reached_at)
    report.refresh_from_db()
    assert (report.state, report.name) == (ReportState.HIDDEN, "")


@pytest.mark.parametrize("whole", [True, False])
def test_reports_go_with_the_person(scene, whole):
    reported()
    kept = reported("Lin Wan")
    if whole:
        erase_guest("key-bad")
    else:
        erase_order(Order.objects.get(guest_key="key-bad"))
    assert list(NameReport.objects.all()) == [kept]
    assert queries.named_row(row("Lin Wan").id) is not None
