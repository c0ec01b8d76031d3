"""Holds everything that a crowd left behind against the banks' own books, by plain SQL."""

from collections import Counter

from django.db import connection

from diandian.flows import invariants
from tests.simulator.book import require
from tests.simulator.crowd.banks import Dispute
from tests.simulator.sight import look

ENDS = {"completed", "expired", "cancelled", "refunded"}
_CLEARING, _PAYABLE, _VAT, _EARNED, _SALES, _COST = "1110", "2010", "2310", "4010", "4020", "5010"
_GROSS, _CONTRA, _EARNINGS, _SPLIT = "9010", "9020", "earnings", "gateway_split"
_OWED = ("1150", "2110", "2120", "2190")
_LOSSES, _GOODWILL = "5120", "5130"


def judge(crowd):
    """Compare. Returns how many orders ended in which way. Raises: BreachError."""
    breaches = invariants.check()
    require(not breaches, "invariants:", *breaches[:5])
    seen = look()
    books = {}
    for bank in crowd.banks.values():
        books |= bank.books(crowd.stage.now)
    _payments(seen, books)
    _disputes(books)
    gone = _gone(crowd, seen, books)
    ends = _orders(crowd, seen, books, gone)
    _money(seen, books, gone)
    require(not seen.holds, "still held:", list(seen.holds.items())[:5])
    return ends


def _payments(seen, books):
    """Every payment says what its bank says, and every payment of a bank is known."""
    rows = _rows(
        "SELECT payment_no, state, amount_minor, received_minor, refunded_minor, currency"
        " FROM payments_payment"
    )
    known = {row[0]: row[1:] for row in rows}
    for number, taken in books.items():
        require(number in known, "nobody knows the bank's payment", number)
        state, amount, received, refunded, currency = known[number]
        is_paid = taken.taken_minor > 0
        require((state == "succeeded") == is_paid, number, "is", state, "and the bank took", taken)
        if is_paid:
            came = amount if received is None else received
            require(came == taken.taken_minor, number, "brought", came, "and the bank took", taken)
            require(refunded == taken.returned_minor, number, "gave back", refunded, taken)
            require(currency == taken.currency, number, "is in", currency)
    for number, (state, *_) in known.items():
        require(number in books or state != "succeeded", number, "was never at a bank")


def _disputes(books):
    """Every dispute stands here as it stands at its bank, and is decided."""
    there = {each.ref: each for taken in books.values() for each in taken.disputes}
    rows = _rows("SELECT dispute_ref, state, amount_minor, fee_minor FROM payments_dispute")
    here = {ref: Dispute(ref, *facts) for ref, *facts in rows}
    for ref in {*there, *here}:
        require(here.get(ref) == there.get(ref), "dispute", ref, "is", here.get(ref), there[ref])
        require(there[ref].state != "open", "dispute", ref, "never ends")


def _gone(crowd, seen, books):
    """Return what went of each payment after its order was retired: goodwill and losses of ours."""
    done = {f"order:{order.id}" for order in seen.orders.values() if order.state == "completed"}
    granted, gone = crowd.afterwards.granted, {}
    for row in seen.payments.values():
        taken = books.get(row.number)
        if taken is not None and row.owner_ref in done:
            goodwill = taken.by_hand_minor + granted.get(row.number, 0)
            gone[row.number] = goodwill, taken.lost_minor
    return gone


def _orders(crowd, seen, books, gone):
    """Every order ended, retired or refunded exactly once, and its bank keeps just its price.

    Of a retired one also what went back of its price later is known: ``gone``.
    """
    kept = Counter()
    for row in seen.payments.values():
        taken = books.get(row.number)
        if taken is not None:
            kept[row.owner_ref] += taken.taken_minor - taken.returned_minor - taken.lost_minor
            kept[row.owner_ref] += sum(gone.get(row.number, ()))
    retired = Counter(int(row.source_ref.split(":")[1]) for row in seen.retirements.values())
    ends = Counter()
    known = {guest.order_id: guest for guest in crowd.guests if guest.order_id}
    require(known.keys() == seen.orders.keys(), "orders that nobody placed")
    for order in seen.orders.values():
        guest, is_done = known[order.id], order.state == "completed"
        require(order.state in ENDS, order, "never ends")
        require(order.mass_g == guest.mass_g, order, "is not what was wished for")
        price = guest.total_minor if is_done else 0
        require(kept[f"order:{order.id}"] == price, order, "keeps", kept[f"order:{order.id}"])
        require(retired[order.id] == int(is_done), order, "is retired", retired[order.id])
        made = seen.certificates.get(f"order:{order.id}", 0)
        require(made == int(is_done), order, "has certificates:", made)
        require("withdrew" not in guest.asked or not is_done, order, "was withdrawn from")
        ends[order.state] += 1
    grams = sum(row.mass_g for row in seen.retirements.values())
    wished = sum(known[order.id].mass_g for order in seen.orders.values() if order.id in retired)
    require(grams == wished, "retired", grams, "of", wished)
    return ends


def _money(seen, books, gone):
    """In = out + owed + earned, to the minor unit, by the banks' books and the prices alone.

    By who collected: we for the supplier (connect), the supplier (gateway_split: a memo, never our
    money), or we for credits of our own (principal).
    """
    modes = dict(_rows("SELECT payment_no, settlement FROM payments_payment"))
    inside = Counter()
    for number, taken in books.items():
        inside[modes[number] == _SPLIT] += taken.taken_minor - taken.returned_minor
        inside[False] -= taken.lost_minor + taken.fees_minor
    fees = sum(taken.fees_minor for taken in books.values())
    goodwill, losses = (sum(each[place] for each in gone.values()) for place in (0, 1))
    expected = Counter({_CLEARING: inside[False], _GROSS: inside[True], _CONTRA: -inside[True]})
    expected.update({_GOODWILL: goodwill, _LOSSES: losses + fees})
    for mode, supplier, fee in _sold(seen, books, modes, gone):
        if mode == "connect":
            expected.update({_PAYABLE: -supplier, _EARNINGS: -fee})
        elif mode == "principal":
            expected.update({_PAYABLE: -supplier, _COST: supplier, _EARNINGS: -supplier - fee})
    accounts = Counter(seen.accounts)
    # Fees, sales and the tax in both are one sum: how they divide is for tests of the ledger.
    earned = sum(accounts.pop(number, 0) for number in (_EARNED, _SALES, _VAT))
    accounts[_EARNINGS] = earned
    owed = sum(accounts.pop(number, 0) for number in _OWED)
    require(owed == 0, "guests are owed", owed)
    for number in {*accounts, *expected}:
        found, due = accounts[number], expected[number]
        require(found == due, "account", number, "holds", found, "not", due)


def _sold(seen, books, modes, gone):
    """Yield who collected the price of each completed order, and its parts."""
    kept = {
        row.owner_ref: modes[row.number]
        for row in seen.payments.values()
        if row.number in books
        and books[row.number].taken_minor + gone.get(row.number, (0,))[0]
        > books[row.number].returned_minor
    }
    prices = _rows(
        "SELECT o.id, q.supplier_minor, q.fee_minor FROM orders_order o"
        " JOIN orders_quote q ON q.id = o.quote_id WHERE o.state = 'completed'"
    )
    for order_id, supplier, fee in prices:
        yield kept[f"order:{order_id}"], supplier, fee


def _rows(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()
