"""Signing in with a code: it works once, soon, for who received it, and tells nothing to others."""

from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client

from diandian.audit.models import AuditEntry
from diandian.flows import sign_in
from diandian.kernel.clock import now
from diandian.people.errors import CodeGoneError, TooManyCodesError, WrongCodeError
from diandian.people.models import Person, SignInCode
from diandian.ui import limits
from tests.office.host_world import client_of, organisation, person

pytestmark = pytest.mark.django_db

EMAIL = "zhou@example.org"


@pytest.fixture(autouse=True)
def fresh_limits():
    limits.sign_in_codes.forget()
    limits.sign_in_failures.forget()
    yield
    limits.sign_in_codes.forget()
    limits.sign_in_failures.forget()


@pytest.fixture
def mailed(settings):
    settings.EMAIL_URL = "smtp://mail.example.org"
    return mail.outbox


def browser():
    return Client(headers={"accept-language": "en"})


def asked(client, email=EMAIL, **extra):
    return client.post("/host/sign-in", {"email": email}, **extra)


def wrong(code):
    return f"{(int(code) + 1) % 1_000_000:06d}"


def test_from_an_address_to_the_desk(mailed):
    client = browser()
    answer = asked(client, "  Zhou@Example.org ")
    assert answer.status_code == 303
    [message] = mailed
    assert message.to == [EMAIL]
    code = message.body.split("Diandian: ")[1][:6]
    assert code not in answer["Location"]
    page = client.get(answer["Location"]).content.decode()
    assert code not in page, "a real mail is the only way to learn it"
    done = client.post(answer["Location"], {"code": f" {code[:3]} {code[3:]} "})
    assert (done.status_code, done["Location"]) == (303, "/host")
    assert client.get("/host").status_code == 200
    assert Person.objects.get().email == EMAIL
    assert Person.objects.get().agreed_at is not None
    assert AuditEntry.objects.get(action="person.joined").subject_ref == Person.objects.get().ref
    assert EMAIL not in str(list(AuditEntry.objects.values()))


def test_the_demo_sends_no_mail_and_shows_the_code_to_who_asked_only(settings):
    client = browser()
    where = asked(client)["Location"]
    page = client.get(where).content.decode()
    code = page.split('id="sample-code">')[1][:6]
    assert code not in browser().get(where).content.decode()
    assert client.post(where, {"code": code}).status_code == 303
    assert not mail.outbox


def test_a_real_site_without_mail_says_so_and_shows_no_code(settings):
    settings.TEST_MODE = False
    answer = asked(browser())
    assert answer.status_code == 422
    assert "cannot send mail yet" in answer.content.decode()


def test_a_mail_server_that_fails_is_said_plainly(mailed, monkeypatch):
    def refuse(*args):
        raise ConnectionRefusedError

    monkeypatch.setattr("django.core.mail.EmailMessage.send", refuse)
    answer = asked(browser())
    assert answer.status_code == 422
    assert "could not be sent" in answer.content.decode()


def test_known_and_unknown_addresses_are_answered_alike(mailed):
    person("known@example.org")
    answers = [asked(browser(), email) for email in ("known@example.org", "new@example.org")]
    shapes = {(a.status_code, len(a["Location"]), tuple(sorted(a.cookies))) for a in answers}
    assert len(shapes) == 1
    pages = [browser().get(answer["Location"]).content.decode() for answer in answers]
    assert len({len(page) for page in pages}) == 1
    assert [m.to for m in mailed] == [["known@example.org"], ["new@example.org"]]


def test_a_code_works_once():
    row, code = sign_in.ask(EMAIL)
    sign_in.sign_in(row.token, code)
    with pytest.raises(CodeGoneError):
        sign_in.sign_in(row.token, code)


def test_a_code_is_gone_after_ten_minutes():
    at = now()
    row, code = sign_in.ask(EMAIL, at=at)
    with pytest.raises(CodeGoneError):
        sign_in.sign_in(row.token, code, at=at + timedelta(minutes=10))
    assert sign_in.sign_in(row.token, code, at=at + timedelta(minutes=9, seconds=59))


def test_five_wrong_codes_end_it_also_for_the_right_one():
    row, code = sign_in.ask(EMAIL)
    for _ in range(5):
        with pytest.raises(WrongCodeError):
            sign_in.sign_in(row.token, wrong(code))
    with pytest.raises(CodeGoneError):
        sign_in.sign_in(row.token, code)
    assert not Person.objects.exists()


def test_a_code_belongs_to_its_own_page():
    first, code = sign_in.ask(EMAIL)
    second, other = sign_in.ask("tang@example.org")
    if code != other:
        with pytest.raises(WrongCodeError):
            sign_in.sign_in(second.token, code)
    assert sign_in.sign_in(first.token, code).email == EMAIL


def test_neither_the_code_nor_what_finds_it_is_kept():
    row, code = sign_in.ask(EMAIL)
    kept = SignInCode.objects.values().get()
    assert code not in str(
        {key: kept[key] for key in kept if key not in {"created_at", "expires_at"}}
    )
    assert len(row.code_key) == 64
    assert sign_in.forget_old() == 0, "still good"
    assert sign_in.forget_old(at=now() + timedelta(hours=1)) == 1
    assert not SignInCode.objects.exists()


def test_one_address_gets_five_codes_an_hour_whoever_asks():
    at = now()
    for _ in range(5):
        sign_in.ask(EMAIL, at=at)
    with pytest.raises(TooManyCodesError):
        sign_in.ask(EMAIL.upper(), at=at)
    assert sign_in.ask("other@example.org", at=at)
    assert sign_in.ask(EMAIL, at=at + timedelta(minutes=61))


def test_one_network_asks_and_guesses_a_bounded_number_of_times(settings):
    settings.SIGN_IN_CODES = 3
    settings.SIGN_IN_FAILURES = 3
    answers = [asked(browser(), f"a{n}@example.org").status_code for n in range(4)]
    assert answers == [303, 303, 303, 429]
    row, code = sign_in.ask(EMAIL)
    client = browser()
    tries = [client.post(f"/host/sign-in/{row.token}", {"code": wrong(code)}) for _ in range(3)]
    assert [answer.status_code for answer in tries] == [422] * 3
    kept_out = client.post(f"/host/sign-in/{row.token}", {"code": code})
    assert kept_out.status_code == 429
    elsewhere = client.post(
        f"/host/sign-in/{row.token}", {"code": code}, REMOTE_ADDR="198.51.100.9"
    )
    assert elsewhere.status_code == 303


@pytest.mark.parametrize("email", ["a@example.org\nBcc: b@example.org", "", "<script>@x", "a@b"])
def test_hostile_addresses_are_refused_before_any_mail(mailed, email):
    answer = asked(browser(), email)
    assert answer.status_code == 422
    assert not mailed
    assert not SignInCode.objects.exists()


@pytest.mark.parametrize("code", ["", "abcdef", "١٢٣٤٥٦", "1" * 500, "'; --", "12345"])
def test_hostile_codes_are_only_wrong(code):
    row, _ = sign_in.ask(EMAIL)
    assert browser().post(f"/host/sign-in/{row.token}", {"code": code}).status_code == 422


def test_unknown_and_used_pages_say_the_same():
    row, code = sign_in.ask(EMAIL)
    sign_in.sign_in(row.token, code)
    used = browser().get(f"/host/sign-in/{row.token}")
    unknown = browser().get("/host/sign-in/nothing")
    assert used.status_code == unknown.status_code == 410


def test_the_session_is_a_new_one_and_a_planted_key_is_worth_nothing():
    client = browser()
    where = asked(client)["Location"]
    planted = client.cookies["sessionid"].value
    code = client.get(where).content.decode().split('id="sample-code">')[1][:6]
    answer = client.post(where, {"code": code})
    fresh = answer.cookies["sessionid"]
    assert fresh.value != planted
    assert (fresh["max-age"], fresh["httponly"], fresh["samesite"]) == (14 * 86_400, True, "Lax")
    thief = browser()
    thief.cookies["sessionid"] = planted
    assert thief.get("/host").status_code == 302


def test_signing_out_ends_the_session_everywhere_it_was_copied():
    client = client_of(person(EMAIL))
    copy = browser()
    copy.cookies["sessionid"] = client.cookies["sessionid"].value
    assert copy.get("/host").status_code == 200
    assert client.get("/host/sign-out").status_code == 405, "a link must not sign anybody out"
    assert client.post("/host/sign-out").status_code == 303
    assert copy.get("/host").status_code == 302


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/host/x",
        "//evil.example",
        "/host/sign-out",
        "/hostess",
        "/host/%0d%0ax",
    ],
)
def test_nobody_is_led_to_another_place_after_signing_in(target):
    row, code = sign_in.ask(EMAIL)
    answer = browser().post(f"/host/sign-in/{row.token}", {"code": code, "next": target})
    assert answer["Location"] == "/host"


def test_erasing_leaves_no_address_and_signs_out(settings):
    zhou = person(EMAIL)
    hosts = organisation(zhou)
    client, other = client_of(zhou), client_of(zhou)
    assert client.post("/host/account").status_code == 422, "one tick more is asked for"
    sign_in.ask(EMAIL)
    assert client.post("/host/account", {"meant": "1"}).status_code == 303
    assert other.get("/host").status_code == 302
    assert not Person.objects.exists()
    assert not SignInCode.objects.exists()
    assert not hosts.memberships.exists()
    hosts.refresh_from_db()
    assert AuditEntry.objects.filter(action="person.erased").exists()
    assert EMAIL not in str(list(AuditEntry.objects.values()))
