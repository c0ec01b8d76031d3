"""Each rule catches what it is for, and lets what is right pass."""

import ast

import pytest

from tests.house import code_rules, text_rules

pytestmark = [pytest.mark.house, pytest.mark.pure]


@pytest.mark.parametrize(
    ("rule", "bad", "good"),
    [
        (code_rules.floats, "def price(amount: float): ...", "def price(amount: int): ..."),
        (code_rules.floats, "def f() -> list[float] | None: ...", "isinstance(x, float)"),
        (code_rules.floats, "x: 'float' = y", "x: Decimal = y"),
        (code_rules.floats, "float(x)", "Decimal(x)"),
        (code_rules.floats, "rate = 0.07", 'rate = Decimal("0.07")'),
        (code_rules.floats, "models.FloatField()", "models.BigIntegerField()"),
        (code_rules.writes, "order.save()", "footprint_actions.save(scene=scene)"),
        (code_rules.writes, "Order.objects.create(a=1)", "factory.create(a=1)"),
        (code_rules.writes, "Order.objects.filter(a=1).update(b=2)", "seen.update({1: 2})"),
        (code_rules.writes, "order.entries_set.update(b=2)", "digest.update(b'x')"),
        (code_rules.writes, "Order.objects.get_or_create(a=1)", "Order.objects.get(a=1)"),
        (code_rules.writes, "Order.objects.all().delete()", "cache.delete('key')"),
        (code_rules.writes, "cursor.execute('update x set y = 1')", "cursor.execute('select 1')"),
        (code_rules.clocks, "datetime.now()", "clock.now()"),
        (code_rules.clocks, "datetime.datetime.utcnow()", "datetime.fromisoformat(x)"),
        (code_rules.clocks, "Field(default=timezone.now)", "Field(default=clock.now)"),
        (code_rules.clocks, "time.time()", "time.monotonic()"),
        (code_rules.clocks, "from django.utils.timezone import now", "from x.clock import now"),
        (code_rules.composed_texts, "_(f'Hello {name}')", "_('Hello %(name)s') % values"),
        (code_rules.composed_texts, "gettext('Hello ' + name)", "gettext('Hello')"),
        (code_rules.composed_texts, "N_('{}'.format(x))", "N_('a' 'b')"),
        (code_rules.composed_texts, "_('%s' % name)", "_(message)"),
    ],
)
def test_code_rule(rule, bad, good):
    assert rule(ast.parse(bad))
    assert not rule(ast.parse(good))


@pytest.mark.parametrize(
    ("rule", "bad", "good"),
    [
        (
            text_rules.inline_code,
            '<p class="a" style="color:red">',
            '<p class="style">style="x"</p>',
        ),
        (
            text_rules.inline_code,
            "<script>alert(1)</script>",
            '<script defer src="{{ x }}"></script>',
        ),
        (text_rules.inline_code, '<a onclick="go()">', '<a class="once">'),
        (
            text_rules.inline_code,
            '<img src="https://example.com/a.png">',
            '<img src="/static/a.png">',
        ),
        (text_rules.claims, "You are now carbon neutral.", "You retired 3 kg."),
        (text_rules.claims, "您的旅行已碳中和", "点点碳中和"),
        (text_rules.claims, "Deze reis is klimaatneutraal", "Deze reis"),
        (text_rules.somebodys_machine, "see " + "/ho" + "me/anna/x", "https://example.org/home/x"),
        (text_rules.somebodys_machine, "index https://py" + "pi.org", "a package index"),
    ],
)
def test_text_rule(rule, bad, good):
    assert rule(bad)
    assert not rule(good)


def test_length_rules():
    body = "\n    x = 1" * code_rules.MAX_FUNCTION_LINES
    tree = ast.parse(f"class A:\n  def f(self):{body}\ndef g(): ...")
    assert code_rules.long_functions(tree) == {"A.f": code_rules.MAX_FUNCTION_LINES + 1}
    assert code_rules.long_file("x\n" * 401) == 401
    assert code_rules.long_file("x\n" * 400) == 0


def test_string_keys_are_found():
    keys = ["'a.B', x", "to='C'", "Order", "settings.AUTH_USER_MODEL"]
    source = "\n".join(f"models.ForeignKey({key})" for key in keys)
    assert code_rules.string_keys(ast.parse(source)) == ["a.B", "C", "AUTH_USER_MODEL"]


def test_placeholders_are_compared_without_escapes():
    assert text_rules.placeholders("100%% of %(mass)s, %s {n}") == ["%(mass)s", "%s", "{n}"]


def test_decision_rule():
    parts = "".join(f"\n## {part}\n\nAccepted, 2026.\n" for part in text_rules.DECISION_PARTS)
    assert text_rules.decision(f"# 0001 Title\n{parts}") == []
    assert text_rules.decision("# 0001 Title\n\n## Status\n\nMaybe\n")
    assert text_rules.decision(f"# 0001 Title\n{parts}" + "line\n" * 60)
