import unicodedata

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from diandian.certificates import names
from diandian.certificates.names import clean_display_name
from diandian.kernel.errors import InputError
from diandian.leaderboards.models import Standing


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("", ""),
        (" \u3000\t\n", ""),
        ("  林\u3000 晚 ", "林 晚"),
        ("𠮷野家", "𠮷野家"),
        ("Zoë Ĳsbrand van 't Hof", "Zoë Ĳsbrand van 't Hof"),
        ("e\u0301", "é"),
        ("Nguyễn Thị Minh Khai", "Nguyễn Thị Minh Khai"),
        ("Łukasz Żółć", "Łukasz Żółć"),
        ("Ян", "Ян"),
        ("박지민", "박지민"),
        ("\u202eevil\u202c", "evil"),
        ("a\u200b\u2066b\ufeff", "ab"),
        ("\x00a\x07b", "ab"),
        ("葛\U000e0100城", "葛城"),
        ("x" + "\u034f" * 1500, "x"),
        ("<b>#panic(1)</b> $x$", "<b>#panic(1)</b> $x$"),
        ("林" * 24, "林" * 24),
    ],
)
def test_names_are_printed_as_their_owners_write_them(text, printed):
    assert clean_display_name(text) == printed


@pytest.mark.parametrize(
    ("text", "error", "shown"),
    [
        ("x" * 25, names.NameTooLongError, "25 characters"),
        ("x" * 200, names.NameTooLongError, "200 characters"),
        ("x" * 100_000, names.NameTooLongError, "holds 24"),
        ("Bob 😀", names.NameEmojiError, "😀"),
        ("👨‍👩‍👧", names.NameEmojiError, "👨 👩 👧"),
        ("1\ufe0f\u20e3", names.NameEmojiError, "\u20e3"),
        ("محمد", names.NameScriptError, "Arabic script"),
        ("สมชาย", names.NameScriptError, "Thai script"),
        ("Z\u0301\u0302\u0303\u0304\u0305", names.NameCharactersError, "cannot print"),
        ("x\u0301\u0323\u0327" * 24, names.NameCharactersError, "cannot print"),
        ("\ue000", names.NameCharactersError, "U+E000"),
        ("\ud800", names.NameCharactersError, "U+D800"),
    ],
)
def test_what_cannot_be_printed_is_refused_in_plain_words(text, error, shown):
    with translation.override("en"), pytest.raises(error) as caught:
        clean_display_name(text)
    assert shown in caught.value.text()
    assert "Nothing was saved" in caught.value.text()
    assert caught.value.field == "display_name"


@given(st.text(max_size=60))
def test_every_text_is_cleaned_or_refused_and_never_an_accident(text):
    try:
        name = clean_display_name(text)
    except InputError as error:
        assert error.text()  # noqa: PT017 - either outcome is right
        return
    assert clean_display_name(name) == name
    assert len(name) <= Standing._meta.get_field("display_name").max_length
    assert name == unicodedata.normalize("NFC", name).strip()
    assert all(c.isprintable() or c == " " for c in name)


def test_legal_names_may_be_longer_and_are_cleaned_alike():
    legal = "Chengdu Tianfu Low-Carbon Building and Construction Society"
    limit = names.MAX_LEGAL_CHARACTERS
    assert clean_display_name(f" {legal}\u200b ", limit=limit) == legal
    with pytest.raises(names.NameTooLongError):
        clean_display_name(legal)
    with pytest.raises(names.NameTooLongError):
        clean_display_name("x" * (limit + 1), limit=limit)
