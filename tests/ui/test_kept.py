"""A form is drawn once; each guest's own texts come into its blanks, escaped, and into no other."""

import pytest
from django.template import Context, Template
from django.utils import translation
from django.utils.safestring import SafeString

from diandian.ui import kept
from diandian.ui.kept import Form, Kept, blank

pytestmark = pytest.mark.pure

SOURCE = (
    "<h1>{{ kind }}</h1><p title='{{ name }}'>{{ name }}, {{ mass_g|mass_exact }}</p>"
    "{% blocktranslate with total=total|money %}Pay {{ total }}{% endblocktranslate %}"
    "{% translate 'Back' %}"
)
BLANKS = {"name": blank("name"), "mass_g": blank("mass"), "total": blank("total")}


@pytest.fixture
def drawn(monkeypatch):
    """Return the contexts that the template was drawn with."""
    contexts = []

    class Drawn:
        def render(self, context):
            contexts.append(context)
            return Template(SOURCE).render(Context(context))

    monkeypatch.setattr(kept, "get_template", lambda _name: Drawn())
    return contexts


def texts(name):
    return {"name": name, "mass": "12 kg", "total": "¥8.04"}


def test_each_gets_their_own_texts_and_the_form_is_drawn_once(drawn):
    form = Form("x.html")
    with translation.override("en"):
        first = form.fill("trip", lambda: {"kind": "A", **BLANKS}, texts("林晚"))
        second = form.fill("trip", lambda: {"kind": "never asked", **BLANKS}, texts("Noor"))
    assert first == "<h1>A</h1><p title='林晚'>林晚, 12 kg</p>Pay ¥8.04Back"
    assert second == first.replace("林晚", "Noor")
    assert len(drawn) == 1


def test_another_key_and_another_language_are_other_drawings(drawn):
    form = Form("x.html")
    with translation.override("en"):
        form.fill("trip", lambda: {"kind": "A", **BLANKS}, texts("x"))
        assert form.fill("day", lambda: {"kind": "B", **BLANKS}, texts("x")).startswith("<h1>B")
    with translation.override("zh-hans"):
        assert "返回" in form.fill("trip", lambda: {"kind": "A", **BLANKS}, texts("x"))
    assert len(drawn) == 3


def test_texts_are_escaped_unless_they_are_safe_and_never_read_as_blanks(drawn):
    form = Form("x.html")
    odd = f"<b>\"'&{blank('mass')}"
    with translation.override("en"):
        page = form.fill("trip", lambda: {"kind": "A", **BLANKS}, texts(str(odd)))
        safe = form.fill("trip", lambda: {"kind": "A", **BLANKS}, texts(SafeString("<i>x</i>")))
    assert "<b>" not in page
    assert page.count("&lt;b&gt;&quot;&#x27;&amp;") == 2
    assert page.count("12 kg") == 1
    assert "<i>x</i>, 12 kg" in safe


def test_a_blank_without_a_text_is_a_defect_and_a_text_that_is_not_printed_is_none(drawn):
    form, more = Form("x.html"), texts("x") | {"not_printed": "§"}
    with translation.override("en"):
        assert "§" not in form.fill("trip", lambda: {"kind": "A", **BLANKS}, more)
        with pytest.raises(KeyError):
            form.fill("trip", dict, {"name": "x"})


def test_a_kept_part_is_drawn_once_for_each_key(drawn):
    part = Kept("x.html")
    context = {"kind": "A", "name": "x", "mass_g": 12_000, "total": None}
    with translation.override("en"):
        assert part.draw(1, lambda: context) == part.draw(1, dict)
        part.draw(2, lambda: context)
    assert len(drawn) == 2
