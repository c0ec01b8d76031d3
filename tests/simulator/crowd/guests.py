"""What one guest of a crowd will do, drawn once from dice of its own."""

from dataclasses import dataclass, field
from datetime import timedelta

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
    """A wish, and what the guest does about it. ``order_id`` is 0 until it was placed."""

    number: int
    project: str
    mass_g: int
    gateway: str
    end: str
    keeps_right: bool
    withdraws: bool
    decides_after: timedelta
    returns_after: timedelta
    change_minor: int
    quote: str = ""
    token: str = ""
    order_id: int = 0
    total_minor: int = 0
    asked: set = field(default_factory=set)

    @property
    def key(self):
        """Return what makes repeats of the order the same order."""
        return f"crowd-{self.number}"


def drawn(number, dice, *, projects, gateways):
    """Return a guest."""
    keeps_right = dice.random() < 0.08
    return Guest(
        number=number,
        project=dice.choice(projects),
        mass_g=1_000 * dice.randint(1, 400),
        gateway=dice.choice(gateways),
        end=dice.choices(list(ENDS), list(ENDS.values()))[0],
        keeps_right=keeps_right,
        withdraws=keeps_right and dice.random() < 0.5,
        decides_after=timedelta(seconds=dice.expovariate(1 / 45)),
        returns_after=timedelta(seconds=dice.expovariate(1 / 60)),
        change_minor=dice.choice([-1, 1, 50]),
    )
