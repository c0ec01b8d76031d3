"""The trial of a set-up looks at suppliers' accounts where a gateway passes their parts on."""

import pytest

from diandian.flows import gateways
from diandian.payments import merchants
from diandian.payments.gateways.sandbox.gateway import SandboxGateway
from diandian.payments.messages import Finding
from tests.flows.settling import merchant_file, payee

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("settlement", "told"), [("connect", ["acct_solar"]), ("principal", None)])
def test_accounts_are_looked_at_where_parts_are_passed_on(
    world, settings, tmp_path, monkeypatch, settlement, told
):
    def look(_, context, accounts, *, at):
        return [Finding("receivers", is_fine=True, text=",".join(accounts))]

    monkeypatch.setattr(SandboxGateway, "check_receivers", look, raising=False)
    merchant_file(tmp_path, settings, settlement=settlement)
    payee(at=world.now)
    merchant = next(each for each in merchants.every() if each.key == "other")
    found = gateways.try_out(merchant, at=world.now)
    looked = [each.text.split(",") for each in found if each.subject == "receivers"]
    assert looked == ([] if told is None else [told])


def test_a_look_that_breaks_is_a_finding(world, settings, tmp_path, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError

    monkeypatch.setattr(SandboxGateway, "check_receivers", broken, raising=False)
    merchant_file(tmp_path, settings, settlement="connect")
    merchant = next(each for each in merchants.every() if each.key == "other")
    [found] = gateways.try_out(merchant, at=world.now)
    assert not found.is_fine
