"""What one guest of a crowd will do, drawn once from dice of its own."""

from dataclasses import dataclass, field
from datetime import timedelta

from diandian.flows import ways
from diandian.flows.checkout import PayBy
from diandian.kernel.money import Money
from tests.simulator.crowd import afterwards
from tests.simulator.crowd.afterwards import Plan

_CHANGES_WAY = 0.08
_ADDRESS, _PAYER = "203.0.113.7", "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"
# How a guest ends at the bank, and how often in a hundred.
ENDS = {
    "paid": 58,
    "twice": 8,
    "silent": 8,
    "late": 4,
    "declined": 8,
    "leaves": 7,
    "after all": 4,
    "otherwise": 2,
    "cancels": 1,
}


@dataclass(slots=True)
class Guest:
    """A wish, and what the guest does about it. ``order_id`` is 0 until it was placed.

    ``taste``: which of the ways on offer is chosen. ``by``: that way, once the price is known.
    ``tries_left``: how often one comes back to a page on which nothing can be paid now. ``plan``:
    what becomes of the money later.
    """

    number: int
    project: str
    mass_g: int
    taste: int
    end: str
    keeps_right: bool
    withdraws: bool
    decides_after: timedelta
    returns_after: timedelta
    change_minor: int
    changes_way: bool
    tries_left: int
    plan: Plan | None
    by: PayBy | None = None
    quote: str = ""
    token: str = ""
    order_id: int = 0
    total_minor: int = 0
    fee_minor: int = 0
    asked: set = field(default_factory=set)

    def choose(self, *, other=False):
        """Return a way to pay that takes the amount: the guest's own, or the next one."""
        amount, fee = Money(self.total_minor, "CNY"), Money(self.fee_minor, "CNY")
        by_gateway = {}
        for way in ways.offered(ways.Due(self.supplier_ref, amount, fee), None).ways:
            by_gateway.setdefault(way.gateway, []).append(way)
        which, taste = divmod(self.taste, len(by_gateway))
        found = list(by_gateway.values())[(taste + other) % len(by_gateway)]
        way = found[which % len(found)]
        payer = _PAYER if way.needs_payer else ""
        return PayBy(way.gateway, way.flow, client_ip=_ADDRESS, payer=payer)

    @property
    def supplier_ref(self):
        """Return whose credits are wished for."""
        return f"supplier-{self.project}"

    @property
    def key(self):
        """Return what makes repeats of the order the same order."""
        return f"crowd-{self.number}"


def drawn(number, dice, *, projects, least_kg=1):
    """Return a guest who wishes for at least so much."""
    keeps_right = dice.random() < 0.08
    return Guest(
        number=number,
        project=dice.choice(projects),
        mass_g=1_000 * dice.randint(least_kg, 400),
        taste=dice.randrange(1_000),
        end=dice.choices(list(ENDS), list(ENDS.values()))[0],
        keeps_right=keeps_right,
        withdraws=keeps_right and dice.random() < 0.5,
        decides_after=timedelta(seconds=dice.expovariate(1 / 45)),
        returns_after=timedelta(seconds=dice.expovariate(1 / 60)),
        change_minor=dice.choice([-1, 1, 50]),
        changes_way=dice.random() < _CHANGES_WAY,
        tries_left=dice.randint(0, 6),
        plan=afterwards.drawn(dice),
    )
