"""In the shell anybody may type any name: what takes two people is never ended there.

A name at the desk is one that somebody signed in with. So each second step is the desk's alone.
"""

import ast
from importlib import import_module
from pathlib import Path

import pytest

import diandian

pytestmark = [pytest.mark.pure, pytest.mark.house]
ROOT = Path(diandian.__file__).parent
# What a second person does, wherever it is written.
SECOND_STEPS = {
    "diandian.flows.recall": {"approve"},
    "diandian.flows.payees": {"confirm"},
    "diandian.flows.payouts": {"approve"},
    "diandian.flows.goodwill": {"confirm"},
    "diandian.flows.abnormal": {"confirm_otherwise"},
    "diandian.flows.cancellations": {"confirm"},
    "diandian.flows.gateway_payouts": {"confirm", "undo"},
    "diandian.flows.differences": {"sign"},
    "diandian.registry.recalls.actions": {"approve"},
    "diandian.registry.requests.actions": {"decide_cancellation"},
    "diandian.settlement.payees.actions": {"confirm"},
    "diandian.settlement.batches.actions": {"approve"},
    "diandian.reconciliation.actions": {"sign"},
    "diandian.reconciliation.payouts.actions": {"decide", "decide_undo"},
    "diandian.payments.requests.actions": {"decide"},
}


def commands():
    return sorted(ROOT.glob("*/management/**/*.py"))


def named_in(source):
    """Yield the module and name of all that a program takes from a module that it imports."""
    tree = ast.parse(source)
    modules = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for each in node.names:
                yield node.module, each.name
                modules[each.asname or each.name] = f"{node.module}.{each.name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield modules.get(node.value.id, ""), node.attr


def second_steps_in(source):
    return {
        f"{module}.{name}"
        for module, name in named_in(source)
        if name in SECOND_STEPS.get(module, ())
    }


def test_every_second_step_is_still_called_so():
    for module, names in SECOND_STEPS.items():
        for name in names:
            assert callable(getattr(import_module(module), name)), (module, name)


def test_no_command_ends_what_takes_two_people():
    assert len(commands()) > 20
    found = {path.name: second_steps_in(path.read_text(encoding="utf-8")) for path in commands()}
    assert {name: steps for name, steps in found.items() if steps} == {}


@pytest.mark.parametrize(
    "source",
    [
        "from diandian.flows import payees\npayees.confirm(1, actor_ref='x')",
        "from diandian.flows import payouts as out\nout.approve(batch)",
        "from diandian.flows.goodwill import confirm",
    ],
)
def test_one_that_did_would_be_found(source):
    assert second_steps_in(source)
