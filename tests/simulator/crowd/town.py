"""Where a crowd plays: grams for everybody, the banks of its gateways, and the verdict."""

import json
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from unittest import mock

from django.test import override_settings

from diandian.flows import issuance
from diandian.orders.models import Order
from diandian.payments import merchants
from tests.simulator.crowd import postings, verdict
from tests.simulator.crowd.alipay_bank import AlipayBank
from tests.simulator.crowd.banks import SandboxBank
from tests.simulator.crowd.crowd import Counts, Crowd
from tests.simulator.crowd.peers import SharedClock
from tests.simulator.crowd.stripe_bank import StripeBank
from tests.simulator.crowd.wechatpay_bank import WechatpayBank
from tests.simulator.stage import PERIOD, PROJECTS

_TONNES = 90_000
# In a house that sells it has no second merchant; here one collects itself, for what no other
# gateway has there: chargebacks and refunds at its console.
_SANDBOX_ALONE = "the sandbox has one merchant of its own"
_PAYER = '[CNY]\nname = "Diandian"\naccount = "1000200030004000"\ncnaps = "102651000099"\n'


def clock_of(stage, gateway):
    return SharedClock(stage.folder / f"{gateway}.clock")


BANKS = {
    "alipay": lambda stage: AlipayBank(clock_of(stage, "alipay")),
    "sandbox": lambda stage: SandboxBank(stage.peer),
    "stripe": lambda stage: StripeBank(clock_of(stage, "stripe")),
    "wechatpay": lambda stage: WechatpayBank(clock_of(stage, "wechatpay")),
}


@dataclass(frozen=True, slots=True)
class Told:
    """What a crowd came to.

    ``ends_by_gateway``: the same ends, each with the last way to pay. ``met``: calls, broken wires,
    what people and banks did, and how often each example of a posting was booked.
    """

    counts: Counts
    ends: Counter
    ends_by_gateway: Counter
    met: Counter


def play(stage, *, payments, seed, gateways=tuple(BANKS), report=lambda _: None):
    """Let a crowd pay at a fresh stage and judge the end. Raises: BreachError."""
    stage.fresh()
    for number, code in enumerate(PROJECTS, start=1):
        _issue(stage, code, number * 1_000_000)
    banks = [BANKS[key](stage) for key in gateways]
    crowd = Crowd(stage, banks, seed=seed, projects=PROJECTS)
    with _in_business(stage, crowd):
        crowd.play(payments, report=report)
        ends, booked = verdict.judge(crowd), postings.made()
    states = dict(Order.objects.values_list("id", "state"))
    by_gateway = Counter(
        (guest.by.gateway, str(states[guest.order_id])) for guest in crowd.guests if guest.order_id
    )
    return Told(crowd.counts, ends, by_gateway, _met(crowd) + booked)


def _met(crowd):
    office = crowd.office
    return crowd.wires.met + crowd.afterwards.counts + office.counts + office.bank.counts


@contextmanager
def _in_business(stage, crowd):
    """Have accounts at every bank, in the merchants' file, over lines of the crowd's own."""
    number = len(list(stage.folder.glob("merchants-*.toml")))
    file = stage.folder / f"merchants-{number}.toml"
    tables = [table for bank in crowd.banks.values() for table in bank.merchants(stage.folder)]
    file.write_text("\n".join(map(_toml, tables)), encoding="utf-8")
    payer = stage.folder / "payer.toml"
    payer.write_text(_PAYER, encoding="utf-8")
    house = override_settings(
        GATEWAYS=list(crowd.banks),
        MERCHANTS_FILE=str(file),
        BASE_URL="https://shop.example",
        PAYER_ACCOUNTS_FILE=str(payer),
        PAYOUT_MINIMUM_MINOR=crowd.least_payout_minor,
    )
    lines = mock.patch.object(merchants, "gateway_of", crowd.wires.gateway_of)
    with house, lines, crowd.patience.kept():
        faults = [each for each in merchants.set_up_faults() if _SANDBOX_ALONE not in each]
        assert not faults, faults
        try:
            yield
        finally:
            for bank in crowd.banks.values():
                bank.close()


def _toml(table):
    """Return an entry of the merchants' file; its texts and lists are written as in JSON."""
    options = table.pop("options")
    lines = [f"{name} = {json.dumps(value)}" for name, value in table.items()]
    of_options = [f"{name} = {json.dumps(value)}" for name, value in options.items()]
    return "\n".join(["[[merchant]]", *lines, "[merchant.options]", *of_options, ""])


def _issue(stage, code, first):
    issuance.issue_batch(
        project_code=code,
        issuance=issuance.Issuance(
            serial_text=f"S-2025-{first:09d}~{first + _TONNES - 1:09d}",
            vintage_year=2025,
            period_start=PERIOD[0],
            period_end=PERIOD[1],
            custody="external",
            source_ref=f"crowd:{code}",
            verified_by="Verifier",
            verified_on=date(2026, 1, 31),
            issued_at=stage.now,
        ),
        actor_ref="operator:crowd",
    )
