"""E-mail addresses, codes and roles, as hostile people type them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diandian.people import rules
from diandian.people.errors import (
    CountryError,
    EmailError,
    LegalNameError,
    RoleError,
    TaxNumberError,
)

pytestmark = pytest.mark.pure


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("zhou@example.org", "zhou@example.org"),
        ("  Zhou.Min@Example.ORG\t", "zhou.min@example.org"),
        ("ｚｈｏｕ＠example.org", "zhou@example.org"),
        ("a+b@sub.example.org", "a+b@sub.example.org"),
        ("info@例子.中国", "info@xn--fsqu00a.xn--fiqs8s"),
        ("info@münchen.example", "info@xn--mnchen-3ya.example"),
    ],
)
def test_an_address_is_kept_in_one_form(typed, kept):
    assert rules.normal_email(typed) == kept
    assert rules.normal_email(kept) == kept


@pytest.mark.parametrize(
    "typed",
    [
        *("", "zhou", "@example.org", "zhou@", "zhou@localhost", "a@b@c.org", "a@127.0.0.1"),
        *("a b@example.org", "a@exam ple.org", "a..b@example.org", ".a@example.org"),
        *("a@example.org\nBcc: b@example.org", "a\r\n@example.org", "a@example.org,b@example.org"),
        *("<a@example.org>", '"a b"@example.org', "a@-x.org", "a@x-.org", "a@x..org"),
        *(
            "x" * 65 + "@example.org",
            "a@" + "x" * 64 + ".org",
            "a@" + "x.y" * 200,
            "周@example.org",
        ),
        *("a\x00@example.org", "a\u202eb@example.org", "a@exa\u200bmple.org\n"),
    ],
)
def test_what_no_mail_can_reach_is_refused(typed):
    with pytest.raises(EmailError):
        rules.normal_email(typed)


@given(st.text(max_size=300))
def test_whatever_is_typed_is_plain_ascii_without_breaks_or_refused(typed):
    try:
        kept = rules.normal_email(typed)
    except EmailError:
        return
    assert kept.isascii()
    assert kept.isprintable()
    assert not set(kept) & set(' ,;<>"\\')
    assert kept.count("@") == 1


def test_a_code_is_six_digits_and_forgives_spaces():
    codes = {rules.new_code() for _ in range(200)}
    assert all(len(code) == 6 and code.isdigit() for code in codes)
    assert len(codes) > 150
    assert rules.typed_code(" 012-345 ") == rules.typed_code("０１２ ３４５") == "012345"


def test_a_digest_belongs_to_one_key_one_token_and_one_code():
    key = rules.sealed("key", "sign-in-code", "token", "012345")
    assert rules.matches(key, "012345", "token", secret="key")
    assert not rules.matches(key, "012346", "token", secret="key")
    assert not rules.matches(key, "012345", "other", secret="key")
    assert not rules.matches(key, "012345", "token", secret="other")
    assert "012345" not in key


def test_organisations_have_names_numbers_and_countries():
    assert rules.legal_name("  天府建筑学会 \n 成都 ") == "天府建筑学会 成都"
    assert rules.tax_number(" 9151 0100-ma ") == "9151 0100-MA"
    assert rules.tax_number("") == ""
    assert rules.country("NL") == "NL"
    for wrong in ("", "x", "x" * 61, "a\x00b", "a\u202eb"):
        with pytest.raises(LegalNameError):
            rules.legal_name(wrong)
    for wrong in ("<script>", "-1", "1" * 31):
        with pytest.raises(TaxNumberError):
            rules.tax_number(wrong)
    for wrong in ("", "nl", "NLD", "N1"):
        with pytest.raises(CountryError):
            rules.country(wrong)


def test_each_role_may_what_it_says_and_no_more():
    rights = {
        role: [r for r in ("read", "write", "manage") if rules.may(role, r)] for role in rules.ROLES
    }
    assert rights == {
        "owner": ["read", "write", "manage"],
        "editor": ["read", "write"],
        "viewer": ["read"],
    }
    assert not rules.may("", "read")
    assert not rules.may("owner", "retire")
    with pytest.raises(RoleError):
        rules.role("admin")
