"""What people and the worker do about bad batches: recalled by two, worked off, tried again."""

from diandian.flows import recall as recalls
from diandian.registry.models import Recall as Row
from diandian.registry.recalls import errors
from tests.simulator.book import TONNE, Batch, Quality, Recall, require
from tests.simulator.staff import enter, known_batch, row_of
from tests.simulator.stage import KINDS

ONE, OTHER = "operator:Wen", "operator:Jansen"
TEXTS = {"zh-Hans": "测量有误。", "en": "Measured wrongly.", "nl": "Verkeerd gemeten."}


# Many credits are plain, most originate here: what is only held elsewhere replaces nothing.
QUALITIES = (
    *(Quality(),),
    *(Quality(is_native=True),) * 4,
    Quality(vintage=2024),
    Quality(credit_class="puhui", is_native=True),
    Quality(credit_class="ccer", is_recognised=True, is_native=True),
    Quality(has_label=True, is_native=True),
    Quality(adjusted=("committed", "pending"), is_native=True),
    Quality(adjusted=("committed", "completed"), is_native=True),
    Quality(adjusted=("not_required", "not_started"), is_native=True),
)

# A recall that meets nobody is soon told.
_OF_WHAT_IS_SOLD = 0.9


def other_credits(sim, dice):
    """Credits of any kind and quality come in, all of them verified."""
    number = len(sim.book.batches) + 1
    batch = Batch(
        source_ref=f"issuance:{number}",
        project=dice.choice(sorted(KINDS)),
        tonnes=dice.randint(1, 2),
        lanes=1,
        buffer_g=dice.choice((0, 100_000)),
        is_fit=True,
        facts={},
        number=number,
        quality=dice.choice(QUALITIES),
    )
    sim.book.batches[batch.source_ref] = batch
    return lambda: enter(batch, sim)


def _sold_batch(sim, dice):
    """Return a batch behind some retirement. Raises: IndexError where there is none."""
    sold = [row.lane_id for row in sim.seen.ranges.values() if row.retirement_id is not None]
    return sim.book.batches[sim.seen.lanes[dice.choice(sold)].source_ref]


def recall(sim, dice):
    """Somebody asks for a recall of a batch, or of some of its grams; it stands still at once."""
    batch = _sold_batch(sim, dice) if dice.random() < _OF_WHAT_IS_SOLD else known_batch(sim, dice)
    kind = dice.choice(("invalid", "reversal"))
    last_g = batch.total_g - (batch.buffer_g if kind == "reversal" else 0)
    start_g = dice.choice((0, 0, 0, dice.randrange(min(last_g, TONNE))))
    end_g = dice.choice((last_g, last_g, dice.randint(start_g + 1, last_g)))
    others = sorted(KINDS.keys() - {batch.project})
    wish = Recall(
        key=f"sim-{dice.getrandbits(40)}",
        source_ref=batch.source_ref,
        start_g=start_g,
        end_g=end_g,
        kind=kind,
        sources=tuple(dice.sample(others, dice.randint(0, len(others)))),
    )
    return lambda: open_it(sim, batch, wish)


def open_it(sim, batch, wish):
    """Open a recall; whoever recalls the same grams already is in its way."""
    batch.under.add(wish.key)
    sim.book.recalls[wish.key] = wish
    try:
        recalls.open_recall(
            row_of(batch),
            kind=wish.kind,
            reason=wish.key,
            texts=TEXTS,
            opened_by=ONE,
            grams=(wish.start_g, wish.end_g),
            sources=wish.sources,
        )
    except errors.RecalledAlreadyError:
        living = [row for row in sim.look().recalls.values() if row.state != "dropped"]
        if wish.key in {row.key for row in living}:
            return  # a crash came after its commit
        meets = [
            row
            for row in living
            if row.source_ref == wish.source_ref
            and row.start_g < wish.end_g
            and wish.start_g < row.end_g
        ]
        require(meets, wish, "was told that its grams are recalled already")
        batch.under.remove(wish.key)
        del sim.book.recalls[wish.key]


def _opened(sim, dice):
    """Return a recall that waits for a second person. Raises: IndexError where none does."""
    keys = [row.key for row in sim.seen.recalls.values() if row.state == "opened"]
    return sim.book.recalls[dice.choice(keys)]


def approve(sim, dice):
    """A second person approves a recall; the one who opened it is refused."""
    wish = _opened(sim, dice)
    who = dice.choice((OTHER, OTHER, OTHER, "shell:wen"))

    def do():
        wish.is_approved = wish.is_approved or who == OTHER
        try:
            recalls.approve(Row.objects.get(reason=wish.key), approved_by=who)
        except errors.SamePersonError:
            require(who != OTHER, wish, "was not approved by another person")
        except errors.RecallSettledError:
            _require_state(sim, wish, "running")
        else:
            require(who == OTHER, wish, "was approved by who opened it")

    return do


def decline(sim, dice):
    """Nobody approves a recall; what stood still for it alone serves again."""
    wish = _opened(sim, dice)
    batch = sim.book.batches[wish.source_ref]

    def do():
        wish.is_declined = True
        try:
            recalls.drop(Row.objects.get(reason=wish.key), dropped_by=OTHER)
        except errors.RecallSettledError:
            _require_state(sim, wish, "dropped")
        batch.under.discard(wish.key)

    return do


def _require_state(sim, wish, state):
    [row] = [row for row in sim.look().recalls.values() if row.key == wish.key]
    require(row.state == state, row, "is settled")


def work_off(sim, dice):
    """The worker answers some of those who hold what was recalled."""
    limit = dice.choice((1, 2, 256))

    def do():
        before = sim.seen
        recalls.work(limit)
        sim.referee.remedies.answered(before, sim.look())

    return do


def replace_short(sim, dice):
    """The worker tries again what was left short."""

    def do():
        before = sim.seen
        recalls.retry()
        sim.referee.remedies.answered(before, sim.look(), is_retry=True)

    return do


def end_all(sim):
    """Let the second person approve whatever is open, and the worker answer everybody."""
    for wish in sim.book.recalls.values():
        if not wish.is_approved and not wish.is_declined:
            wish.is_approved = True
            recalls.approve(Row.objects.get(reason=wish.key), approved_by=OTHER)
    recalls.work_all()


# How often each comes, against the others that are seldom.
ACTS = {other_credits: 3, recall: 2, approve: 3, decline: 1, work_off: 4, replace_short: 2}
