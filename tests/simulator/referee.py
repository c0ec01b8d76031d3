"""Compares each step with what the simulator knows by itself; any difference ends the history.

The referee asks: may this order have moved so, are these grams its own, and is the money that came
in equal to what went back, what is owed and what is earned?
"""

import json
from collections import Counter

from tests.simulator import ground, tonnes
from tests.simulator.book import (
    RIGHT_LASTS,
    UNPAID_LIFETIME,
    free_by_lane,
    plan,
    price_of,
    require,
)
from tests.simulator.remedies import Remedies, cost_by_project
from tests.simulator.sight import as_instant

_USES = ("retire", "cancel", "reversal")
_HOLD = ("awaiting_payment", "paid", "review")
_MOVES = {
    None: {"awaiting_payment"},
    "awaiting_payment": {"paid", "cancelled", "expired", "review", "unfulfillable"},
    "paid": {"completed", "unfulfillable", "review"},
    "review": {"paid", "unfulfillable", "cancelled"},
    "expired": {"paid", "unfulfillable"},
    "cancelled": {"unfulfillable"},
    "unfulfillable": {"refunded"},
}
ENDS = {"completed", "expired", "cancelled", "refunded"}
CLEARING, PAYABLE, PREPAID, TRANSIT, ASIDE = "1110", "2010", "2110", "2120", "2190"
VAT, EARNED = "2310", "4010"
CREDITS, REMEDY = "5010", "5140"


class Referee:
    """Keeps the sight before, so that what is for ever can be compared."""

    def __init__(self, book):
        self.book = book
        self.remedies = Remedies(book)
        self.before = None

    def judge(self, seen, bank, now):
        """Compare. Raises: BreachError."""
        self._for_ever(seen)
        self._lanes(seen)
        self._ranges(seen)
        self._orders(seen, bank, now)
        self._retirements(seen)
        self.remedies.check(self.before, seen)
        tonnes.check(self.book, seen)
        ground.check()
        self._holds(seen)
        self._money(seen, bank)
        self._log(seen)
        self.before = seen

    # -- grams ----------------------------------------------------------------------------------

    def _for_ever(self, seen):
        """R5: what was written once stays to the letter."""
        if self.before is None:
            return
        for name in ("lanes", "ranges", "retirements", "remedies"):
            now = getattr(seen, name)
            for number, row in getattr(self.before, name).items():
                require(now.get(number) == row, name, number, "is not what it was:", row)

    def _lanes(self, seen):
        """R3: the lanes of each batch tile it, as it was issued, its buffer last."""
        by_batch = {}
        for lane in sorted(seen.lanes.values(), key=lambda lane: lane.lo):
            by_batch.setdefault(lane.source_ref, []).append(lane)
        require(by_batch.keys() <= self.book.batches.keys(), "nobody issued", by_batch.keys())
        for source_ref, lanes in by_batch.items():
            batch, at_g = self.book.batches[source_ref], 0
            for lane in lanes:
                require(lane.lo == at_g < lane.hi, source_ref, "is torn at", at_g)
                at_g = lane.hi
            require(at_g == batch.total_g, source_ref, "has", at_g, "of", batch.total_g)
            buffers = [lane for lane in lanes if lane.kind == "buffer"]
            buffer_g = sum(lane.hi - lane.lo for lane in buffers)
            require(buffer_g == batch.buffer_g, source_ref, "has a buffer of", buffer_g)
            require(buffers in ([], lanes[-1:]), source_ref, "has its buffer inside")

    def _ranges(self, seen):
        """R1, R9, R12: every gram once, of a batch that may serve, for a reason that we know."""
        reached, taken = {}, {}
        old = self.before.ranges if self.before else {}
        for row in seen.ranges.values():
            lane = seen.lanes[row.lane_id]
            begins = reached.get(row.lane_id, lane.lo)
            require(row.start_g == begins, row, "does not begin at", begins)
            require(row.end_g <= lane.hi, row, "leaves its lane")
            reached[row.lane_id] = row.end_g
            if row.kind == "genesis":
                require(row.start_g == row.end_g == lane.lo, row, "is no beginning")
                continue
            require(row.end_g > row.start_g, row, "is empty")
            batch = self.book.batches[lane.source_ref]
            if row.kind == "retire":
                require(lane.kind == "sale", row, "is not from a lane for sale")
                fits = row.id in old or (batch.is_fit and not batch.is_frozen)
                require(fits, row, "was retired from a batch that may not serve")
                require(row.retirement_id in seen.retirements, row, "has no retirement")
                continue
            require(row.kind == ("reversal" if lane.kind == "buffer" else "cancel"), row)
            if row.kind == "reversal" and row.source_ref.startswith("recall:"):
                continue
            taken.setdefault(row.source_ref, []).append((lane, row))
        for source_ref, rows in taken.items():
            known = self.book.uses.get(source_ref)
            mass_g = sum(row.end_g - row.start_g for _, row in rows)
            told = (rows[0][0].source_ref, mass_g, rows[0][1].kind)
            require(known == told, "took out", told, "where", known, "was asked")

    def _retirements(self, seen):
        """R7: one retirement an order, of exactly its grams and project; X1."""
        ranges, projects = {}, {}
        for row in seen.ranges.values():
            if row.retirement_id is not None:
                number = row.retirement_id
                ranges[number] = ranges.get(number, 0) + row.end_g - row.start_g
                batch = self.book.batches[seen.lanes[row.lane_id].source_ref]
                projects.setdefault(number, set()).add(batch.project)
        done = {}
        for number, row in seen.retirements.items():
            mass_g = row.mass_g
            require(mass_g == ranges.get(number), row, "has other grams:", ranges.get(number))
            require(projects[number] == {row.project}, row, "has grams of", projects[number])
            kind, order_id = row.source_ref.split(":")[:2]
            if kind in {"recall", "pool"}:
                continue
            require(row.source_ref == f"order:{order_id}:retirement", row, "is for nobody")
            order_id = int(order_id)
            require(order_id not in done, "order", order_id, "is retired twice")
            done[order_id] = number
            order = seen.orders[order_id]
            require(order.state == "completed", order, "is retired")
            wished = (order.mass_g, order.project)
            require((mass_g, row.project) == wished, order, "retired", row)
            require(seen.certificates.get(f"order:{order_id}") == 1, order, "has no certificate")
        for order in seen.orders.values():
            is_done = order.state == "completed"
            require(is_done == (order.id in done), order, "is completed and not retired")

    def _holds(self, seen):
        """R2, R6: whoever waits holds their grams, no other does, and no lane promises too much."""
        held = {}
        for owner, lanes in seen.holds.items():
            kind, _, number = owner.partition(":")
            order = seen.orders.get(int(number)) if kind == "order" else None
            require(order is not None and order.state in _HOLD, owner, "holds grams")
            require(sum(lanes.values()) == order.mass_g, order, "holds", lanes)
            for lane_id, mass_g in lanes.items():
                batch = self.book.batches[seen.lanes[lane_id].source_ref]
                right = batch.project == order.project and seen.lanes[lane_id].kind == "sale"
                require(right and batch.is_fit, order, "holds grams of", batch.source_ref)
                held[lane_id] = held.get(lane_id, 0) + mass_g
        for order in seen.orders.values():
            if order.state in _HOLD:
                require(f"order:{order.id}" in seen.holds, order, "holds nothing")
        for row in seen.ranges.values():
            held[row.lane_id] = held.get(row.lane_id, 0) + row.end_g - row.start_g
        for lane_id, mass_g in held.items():
            lane = seen.lanes[lane_id]
            require(mass_g <= lane.hi - lane.lo, lane, "promises", mass_g)

    def placed(self, order_id, before, seen):
        """The grams of a fresh order are those that the simulator would have set aside."""
        order = seen.orders[order_id]
        expected = plan(free_by_lane(self.book, before, order.project), order.mass_g)
        held = seen.holds.get(f"order:{order_id}")
        require(held == expected, order, "holds", held, "where", expected, "was due")

    def _log(self, seen):
        """L1, L4, L5: the log only grows, names nobody, and tells every use of a gram once."""
        before = self.before.log if self.before else []
        require(seen.log[: len(before)] == before, "the log is another than before")
        require(seen.log_size == len(seen.log), "the log's head says", seen.log_size)
        told, stopped = {}, set()
        for text in seen.log:
            entry = json.loads(text)
            kind = entry["type"]
            if kind == "issue":
                require(entry["batch"] not in told, entry, "is issued twice")
                told[entry["batch"]] = []
            elif kind in _USES:
                for batch, start_g, end_g in entry["ranges"]:
                    told[batch].append((start_g, end_g, kind))
            elif kind in {"freeze", "thaw"}:
                (stopped.add if kind == "freeze" else stopped.discard)(entry["batch"])
            require(not any(guest.name in text for guest in self.book.guests.values()), entry)
        used = {name: [] for name in seen.names.values()}
        for row in seen.ranges.values():
            if row.kind in _USES:
                name = seen.names[seen.lanes[row.lane_id].source_ref]
                used[name].append((row.start_g, row.end_g, row.kind))
        require(told.keys() == used.keys(), "the log knows other batches:", told.keys())
        restored = {seen.names[source_ref] for source_ref in self.book.restored}
        for name, uses in used.items():
            if name in restored:
                require(not Counter(uses) - Counter(told[name]), "the log lacks", name)
                continue
            require(sorted(told[name]) == sorted(uses), "the log tells of", name, told[name])
        frozen = {
            seen.names[batch.source_ref]
            for batch in self.book.batches.values()
            if batch.is_frozen and batch.source_ref in seen.names
        }
        # A freeze that crashed may have been or not; the registry says which.
        require(stopped <= frozen, "the log calls frozen", stopped)

    # -- orders ---------------------------------------------------------------------------------

    def _orders(self, seen, bank, now):
        old = self.before.orders if self.before else {}
        require(old.keys() <= seen.orders.keys(), "an order is gone")
        known = {guest.key: guest for guest in self.book.guests.values()}
        for order in seen.orders.values():
            was = old.get(order.id)
            if was is None:
                guest = known[order.key]
                guest.order_id, guest.placed_at = order.id, now
                wished = (guest.project, guest.mass_g)
                require((order.project, order.mass_g) == wished, order, "was not wished for")
            self._moved(order, was.state if was else None, seen, bank, now)

    def _moved(self, order, state, seen, bank, now):
        guest = self.book.guest_of(order.id)
        taken, returned = self._money_of(order.id, seen, bank)
        if taken >= guest.total and guest.first_paid_at is None:
            guest.first_paid_at = now
        if order.state == state:
            return
        # Several moves may lie between two looks; each must have been possible.
        path = _path(state, order.state)
        require(path, order, "cannot come from", state)
        if order.state == "completed":
            self._may_complete(order, guest, taken - returned, now)
        if "expired" in path:
            require(now >= guest.placed_at + UNPAID_LIFETIME, order, "expired too early")
        if order.state in {"expired", "cancelled"}:
            require(taken == returned, order, "was given up and has money")
            payable = [number for number in self._numbers(order.id, seen) if number in bank.payable]
            require(not payable, order, "was given up and can be paid:", payable)
        if order.state == "cancelled":
            require(guest.asked & {"cancel", "decided"}, order, "was cancelled by nobody")
        if order.state == "refunded":
            require(taken and taken == returned, order, "was refunded", returned, "of", taken)

    def _may_complete(self, order, guest, net, now):
        require(net >= guest.total, order, "is completed for", net, "of", guest.total)
        is_withdrawn = "withdrew" in guest.asked or order.withdrawal == "used"
        require(not is_withdrawn, order, "is retired, and its guest withdrew")
        if guest.keeps_right and "now" not in guest.asked:
            until = guest.first_paid_at + RIGHT_LASTS
            require(now >= until, order, "was retired while its guest could withdraw")
            require(now >= as_instant(order.retire_after), order, "was retired before its time")

    # -- money ----------------------------------------------------------------------------------

    def _numbers(self, order_id, seen):
        ref = f"order:{order_id}"
        return [row.number for row in seen.payments.values() if row.owner_ref == ref]

    def _money_of(self, order_id, seen, bank):
        numbers = self._numbers(order_id, seen)
        taken = sum(bank.taken.get(number, 0) for number in numbers)
        return taken, sum(bank.returned.get(number, 0) for number in numbers)

    def _money(self, seen, bank):
        """M2, M5, M7: in = out + owed + earned, by the bank's file and the orders alone."""
        heard = back = 0
        for row in seen.payments.values():
            if row.state == "succeeded":
                require(row.number in bank.taken, row, "is paid, and the bank took nothing")
                heard += bank.taken[row.number]
        for number, (payment_no, amount, state) in seen.refunds.items():
            if state == "succeeded":
                back += amount
                require(bank.returned.get(payment_no, 0) >= amount, number, "never went back")
        earned, payable = 0, 0
        for order in seen.orders.values():
            if order.state == "completed":
                supplier, fee = price_of(order.project, order.mass_g)
                payable, earned = payable + supplier, earned + fee
                taken, returned = self._money_of(order.id, seen, bank)
                require(taken - returned >= supplier + fee, order, "was retired and refunded")
        accounts = {number: amount for number, amount in seen.accounts.items() if amount}
        require(accounts.pop(CLEARING, 0) == heard - back, "clearing is not", heard - back)
        remedied = sum(cost_by_project(seen).values())
        require(accounts.pop(REMEDY, 0) == remedied, "remedies did not cost", remedied)
        completed = tonnes.cost(seen)
        require(accounts.pop(CREDITS, 0) == completed, "completions did not cost", completed)
        owed, due = -accounts.pop(PAYABLE, 0), payable + remedied + completed
        require(owed == due, "suppliers are owed", owed, "not", due)
        fees = -accounts.pop(EARNED, 0) - accounts.pop(VAT, 0)
        require(fees == earned, "the fees are", fees, "not", earned)
        owed = -sum(accounts.pop(number, 0) for number in (PREPAID, TRANSIT, ASIDE))
        require(owed == heard - back - payable - earned, "guests are owed", owed)
        require(not accounts, "money lies elsewhere:", accounts)

    def _net(self, guest, seen, bank):
        """Return what the bank keeps for an order beyond what it should."""
        order = seen.orders[guest.order_id]
        taken, returned = self._money_of(order.id, seen, bank)
        return taken - returned - (guest.total if order.state == "completed" else 0)

    def is_open(self, guest, seen, bank):
        """Tell whether people must decide about an order."""
        state = seen.orders[guest.order_id].state
        over = state in ENDS and self._net(guest, seen, bank) != 0
        return over or state in {"review", "unfulfillable"}

    def nothing_forgotten(self, seen, bank):
        """What was paid twice or too late went back by itself; odd amounts wait for people."""
        for guest in self.book.guests.values():
            if not guest.order_id or seen.orders[guest.order_id].state not in ENDS:
                continue
            odd = self.book.odd & set(self._numbers(guest.order_id, seen))
            left = self._net(guest, seen, bank)
            require(odd or not left, guest, "is left with", left)

    def settled(self, seen, bank):
        """M6: in the end every paid order is retired or refunded, and no money is left over."""
        for order in seen.orders.values():
            require(order.state in ENDS, order, "never ends")
            taken, returned = self._money_of(order.id, seen, bank)
            kept = self.book.guest_of(order.id).total if order.state == "completed" else 0
            require(taken - returned == kept, order, "keeps", taken - returned, "of", taken)
        require(not seen.holds, "still held:", seen.holds)
        unheard = bank.taken.keys() - seen.payments.keys()
        require(not unheard, "nobody heard of", unheard)


def _path(state, to):
    """Return the shortest lawful way from a state to another, without its start."""
    ways, tried = [[state]], {state}
    while ways:
        way = ways.pop(0)
        for step in sorted(_MOVES.get(way[-1], ())):
            if step == to:
                return [*way[1:], step]
            if step not in tried:
                tried.add(step)
                ways.append([*way, step])
    return []
