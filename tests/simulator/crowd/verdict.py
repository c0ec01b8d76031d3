"""Holds everything that a crowd left behind against the banks' own books, by plain SQL."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

from django.db import connection

from diandian.flows import invariants
from tests.simulator.book import require
from tests.simulator.crowd import settled
from tests.simulator.crowd.banks import Dispute
from tests.simulator.sight import look

# A statement of today is not there yet; those of the days before may be explained by it.
_OPEN_DAYS = timedelta(days=5)
ENDS = {"completed", "expired", "cancelled", "refunded"}
_BANK, _CLEARING, _COST, _KEPT = "1010", "1110", "5010", "5110"
_GROSS, _CONTRA, _LOSSES, _GOODWILL = "9010", "9020", "5120", "5130"
_EARNINGS, _OWED_TO_SUPPLIERS, _SPLIT = "earnings", "owed to suppliers", "gateway_split"
# What is compared as one sum: our fees, sales and the tax in both; what suppliers are owed, less
# what they owe; and what must be nothing in the end.
_SUMS = {
    _EARNINGS: ("4010", "4020", "2310"),
    _OWED_TO_SUPPLIERS: ("2010", "1130"),
    "owed to guests": ("1150", "2110", "2120", "2190"),
    "on its way": ("1120", "1210"),
}


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
    sales, moved = _sold(crowd, seen, books, gone), Counter()
    if crowd.settles:
        sales, moved = settled.judge(crowd, sales, books, _by_code())
        _days(crowd)
    else:
        sales = [replace(sale, by_bank=sale.mode == "connect") for sale in sales]
    _money(crowd, seen, books, sales, moved)
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


def _days(crowd):
    """Every day of a gateway agreed in the end, and nobody had to sign anything."""
    require(not crowd.office.signed, "no statement agreed:", *crowd.office.signed[:5])
    since = crowd.stage.now - _OPEN_DAYS
    open_days = _rows(
        "SELECT gateway, account, day, problem FROM reconciliation_gatewayday"
        " WHERE state <> 'closed'"
    )
    late = [row for row in open_days if str(row[2]) < since.date().isoformat()]
    require(not late, "days that never close:", *late[:5])


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


def _money(crowd, seen, books, sales, moved):
    """In = out + owed + earned, to the minor unit, by the banks' books and the prices alone.

    By who collected: we for the supplier (connect), the supplier (gateway_split: a memo, never our
    money), or we for credits of our own (principal). ``moved``: what banks passed on, by payment.
    """
    modes = dict(_rows("SELECT payment_no, settlement FROM payments_payment"))
    expected = Counter()
    for number, taken in books.items():
        here = taken.taken_minor - taken.returned_minor - taken.lost_minor
        if modes[number] == _SPLIT:
            expected.update({_GROSS: here, _CONTRA: -here, _CLEARING: moved[number]})
            continue
        fees, kept = taken.fees_minor, taken.kept_minor if crowd.settles else 0
        expected.update({_CLEARING: here - fees - kept - moved[number], _LOSSES: fees, _KEPT: kept})
    came = sum(bank.paid_out_minor(crowd.stage.now) for bank in crowd.banks.values())
    went = sum(crowd.office.bank.paid.values())
    expected.update({_BANK: came - went, _CLEARING: -came})
    for sale in sales:
        expected.update(_booked(sale, is_settled=crowd.settles))
    owed = sum(settled.owed_by_bank(sales).values())
    expected[_OWED_TO_SUPPLIERS] = went - owed
    accounts = Counter(seen.accounts)
    # Fees, sales and the tax in both are one sum: how they divide is for tests of the ledger.
    for name, numbers in _SUMS.items():
        accounts[name] = sum(accounts.pop(number, 0) for number in numbers)
    for number in {*accounts, *expected}:
        found, due = accounts[number], expected[number]
        require(found == due, "account", number, "holds", found, "not", due)


def _booked(sale, *, is_settled):
    """Return what a sale and what went back of it later earn and cost, in minor units."""
    split, grants, losses = sale.mode == _SPLIT, sale.granted_minor, sale.lost_minor
    earned = sale.fee_minor
    if split:
        earned = sale.moved_minor if is_settled else 0
    costs = sale.supplier_minor if sale.mode == "principal" else 0
    if split:
        is_ours = not sale.is_shared
        return {_EARNINGS: -earned, _GOODWILL: is_ours * grants, _LOSSES: is_ours * losses}
    return {
        _EARNINGS: -earned - costs,
        _COST: costs,
        _GOODWILL: grants + sale.by_hand_minor - sale.shared_grants_minor,
        _LOSSES: losses - sale.shared_losses_minor,
    }


def _sold(crowd, seen, books, gone):
    """Return the completed orders, each with the payment that is its price."""
    rows = _rows("SELECT payment_no, gateway, settlement FROM payments_payment")
    agreed = {number: facts for number, *facts in rows}
    shared = crowd.shares_refunds()
    kept = {
        row.owner_ref: row.number
        for row in seen.payments.values()
        if row.number in books
        and books[row.number].taken_minor + gone.get(row.number, (0,))[0]
        > books[row.number].returned_minor
    }
    prices = _rows(
        "SELECT o.id, p.supplier_ref, q.supplier_minor, q.fee_minor FROM orders_order o"
        " JOIN registry_project p ON p.id = o.project_id"
        " JOIN orders_quote q ON q.id = o.quote_id WHERE o.state = 'completed'"
    )
    sales = []
    for order_id, supplier_ref, supplier, fee in prices:
        number = kept[f"order:{order_id}"]
        gateway, mode = agreed[number]
        sales.append(
            settled.Sale(
                payment_no=number,
                gateway=gateway,
                mode=mode,
                supplier_ref=supplier_ref,
                supplier_minor=supplier,
                fee_minor=fee,
                granted_minor=crowd.afterwards.granted.get(number, 0),
                by_hand_minor=books[number].by_hand_minor,
                lost_minor=books[number].lost_minor,
                in_vain_minor=crowd.afterwards.in_vain.get(number, 0),
                is_shared=(gateway, supplier_ref) in shared,
            )
        )
    return sales


def _by_code():
    """Return the balance of every account, debits less credits, by its code."""
    balances = Counter()
    for debit, credit, amount in _rows(
        "SELECT debit_code, credit_code, sum(amount_minor) FROM ledger_transfer"
        " GROUP BY debit_code, credit_code"
    ):
        balances.update({debit: int(amount)})
        balances.update({credit: -int(amount)})
    return balances


def _rows(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()
