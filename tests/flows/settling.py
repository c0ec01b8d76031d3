"""What the tests of settlement share: suppliers with accounts, retired orders, other merchants."""

from datetime import timedelta

from diandian.flows import accruing, goodwill, payees, payment_events, refund, settling
from diandian.flows import invariants as every_invariant
from diandian.payments.gateways.sandbox.gateway import SandboxGateway
from diandian.payments.messages import Unknown
from diandian.payments.models import Refund
from diandian.settlement.models import Line
from tests.flows.money import LI, WANG

SUPPLIER = "supplier-sample-solar"
AFTER = {"days": 8}


def payee(kind="account", gateway="sandbox", *, at, supplier=SUPPLIER, **given):
    """Enter and confirm where a supplier receives money, by two people."""
    given = given or {"account": "acct_solar"}
    made = payees.propose(
        supplier_ref=supplier, kind=kind, gateway=gateway, given=given, actor_ref="ann", at=at
    )
    return payees.confirm(made.id, actor_ref="bo", at=at)


def bank_payee(at):
    return payee(
        "cn_bank",
        "",
        at=at,
        name="光伏示例有限公司",
        account="6222 0000 1111 2222",
        bank="示例银行成都分行",
        cnaps="102651000013",
    )


def merchant_file(tmp_path, settings, *, settlement, options="", sub_merchant="", shares=False):
    """Let credits be paid at another merchant of the sandbox."""
    sub = f'sub_merchant = "{sub_merchant}"\n' if sub_merchant else ""
    sub += "shares_refunds = true\n" if shares else ""
    path = tmp_path / "merchants.toml"
    path.write_text(
        f"""[[merchant]]
key = "other"
gateway = "sandbox"
mode = "test"
merchant = "platform"
{sub}settlement = "{settlement}"
suppliers = ["{SUPPLIER}"]
options = {{ store = "{settings.SANDBOX_STORE}", keys_dir = "{settings.KEYS_DIR}"{options} }}
""",
        encoding="utf-8",
    )
    settings.MERCHANTS_FILE = str(path)


def supplier_collects(tmp_path, settings, **facts):
    """Let the supplier's own account take the price; our fee is divided off."""
    merchant_file(
        tmp_path,
        settings,
        settlement="gateway_split",
        sub_merchant="solar1",
        options=', split = "fee"',
        **facts,
    )


def retired(world, mass_g=124_000, **facts):
    """Return an order that was paid and retired."""
    order = world.order(mass_g, **facts)
    world.choose(world.payment(order))
    payment_events.refresh(world.payment(order).payment_no, at=world.now)
    assert world.state(order) == "completed"
    return order


def passed_on_shared(world, settings, tmp_path):
    """Return a retired order of which the gateway passed 744 of 804 on.

    Its supplier stands for refunds.
    """
    merchant_file(tmp_path, settings, settlement="connect", shares=True)
    payee(at=world.now)
    order = retired(world)
    settle(world, **AFTER)
    assert line_of(order).state == "paid"
    return order


def line_of(order):
    return Line.objects.get(owner_ref=order.ref, kind="sale")


def settle(world, **later):
    """Accrue, and settle what is due some time later."""
    accruing.accrue(at=world.later(**later))
    return settling.settle(at=world.later(**(later or AFTER)))


def give(world, order, amount_minor=804, *, days=9):
    """Grant money back as goodwill, by two people; return the refund."""
    at = world.later(days=days)
    asked = goodwill.ask(order.id, amount_minor=amount_minor, at=at, **LI)
    goodwill.confirm(asked, at=at, **WANG)
    return Refund.objects.latest("id")


def goes_on(world, days):
    """Let the worker see to parts and refunds on some days."""
    for day in days:
        settle(world, days=day)
        refund.continue_refunds(at=world.later(days=day))


def moved(world):
    """Return what the gateway passed on, and what it took back."""
    legs = world.peer.run("SELECT amount_minor FROM leg", ())
    back = world.peer.run("SELECT amount_minor FROM reversal", ())
    return [amount for (amount,) in legs], [amount for (amount,) in back]


def house_breaches():
    return every_invariant.check()


class Lost:
    """A gateway whose answer to one kind of call gets lost, after it did it or before."""

    def __init__(self, monkeypatch, name, *, really):
        self.calls = 0
        call = getattr(SandboxGateway, name)

        def lost(gateway, context, request, *, at):
            self.calls += 1
            if really:
                call(gateway, context, request, at=at)
            return Unknown("timeout")

        monkeypatch.setattr(SandboxGateway, name, lost)


def hours(count):
    return timedelta(hours=count)
