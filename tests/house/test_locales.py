"""Every text of the product is translated, with its placeholders."""

import re

import polib
import pytest

from tests.house import text_rules
from tests.house.tree import PACKAGE
from tools import messages

pytestmark = pytest.mark.house

TRANSLATED = ["zh_Hans", "nl"]


@pytest.fixture(scope="module")
def texts():
    return messages.collect()


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_text_is_missing(language, texts):
    catalogue = polib.pofile(str(messages.catalogue_path(language)))
    done = {
        messages.Text(entry.msgid, entry.msgid_plural or "", entry.msgctxt or "")
        for entry in catalogue
        if entry.translated() and not entry.obsolete
    }
    assert sorted(text.msgid for text in texts if text not in done) == []


def test_no_text_stands_alone_and_with_a_plural(texts):
    # The compiled form has room for one of the two: the other is lost without a word.
    keys = [(text.msgid, text.context) for text in texts]
    assert sorted(key for key in set(keys) if keys.count(key) > 1) == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_placeholders_match(language):
    wrong = []
    for entry in polib.pofile(str(messages.catalogue_path(language))).translated_entries():
        wanted = text_rules.placeholders(entry.msgid_plural or entry.msgid)
        forms = list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]
        for form in forms:
            given = text_rules.placeholders(form)
            # A singular may say "one" in place of the number.
            lacking = set(wanted) - set(given) if not entry.msgid_plural else set()
            if lacking or set(given) - set(wanted):
                wrong.append(f"{entry.msgid!r}: {form!r}")
    assert not wrong


def test_every_language_of_the_settings_has_a_folder():
    from django.conf import settings
    from django.utils.translation import to_locale

    folders = {path.name for path in (PACKAGE / "locale").iterdir() if path.is_dir()}
    assert {to_locale(code) for code, _ in settings.LANGUAGES} == folders


def test_collector_reads_python_and_templates():
    python = (
        "from x import y\nmessage = N_('One ' 'text')\nngettext('a dot', 'dots', n)\ngettext(x)"
    )
    found = [text for text, _ in messages.texts_in(python)]
    assert found == [messages.Text("One text"), messages.Text("a dot", plural="dots")]
    template = (
        "{% translate 'Pay' %}"
        "{% blocktranslate count n=x %}1{% plural %}{{ n }}{% endblocktranslate %}"
    )
    found = [text for text, _ in messages.texts_in(template, template=True)]
    assert found == [messages.Text("Pay"), messages.Text("1", plural="%(n)s")]


def test_refresh_keeps_translations_and_remembers_dropped_ones():
    catalogue = polib.POFile()
    catalogue.append(polib.POEntry(msgid="Pay", msgstr="支付"))
    catalogue.append(polib.POEntry(msgid="Gone", msgstr="没有了"))
    texts = {messages.Text("Pay"): messages.Found({"a.py"}), messages.Text("New"): messages.Found()}
    messages.refresh(catalogue, texts, "zh_Hans")
    assert {entry.msgid: (entry.msgstr, bool(entry.obsolete)) for entry in catalogue} == {
        "Pay": ("支付", False),
        "New": ("", False),
        "Gone": ("没有了", True),
    }
    assert [entry.msgid for entry in messages.missing(catalogue)] == ["New"]


# Between two Chinese characters, or beside one: marks of the Latin half-width are slips.
HALF_WIDTH = re.compile(r"[\u4e00-\u9fff”）][,;:!?]|[,;:!?][\u4e00-\u9fff“]|[「」]")


def test_chinese_texts_use_chinese_marks():
    catalogue = polib.pofile(str(messages.catalogue_path("zh_Hans")))
    used = [entry for entry in catalogue if not entry.obsolete]
    texts = [text for entry in used for text in (entry.msgstr, *entry.msgstr_plural.values())]
    assert [text for text in texts if HALF_WIDTH.search(text)] == []
    assert HALF_WIDTH.search("第 1 版,未关闭"), "the rule sees what it is for"
