"""Which of the example postings of the books a crowd made, by the journals alone.

*Source:* payments design, section 8: ten of money that we collect and hold, then those of fees that
gateways divide off, and of credits that we sell ourselves.
"""

from collections import Counter

from django.db import connection

# From so many payments on, none may be missing: the rarest comes once in some 2,500.
_LARGE, _EVERY_BANK = 30_000, 4
_BOOKED = "booked: "
# What each is called, and its journal: kind, debit and credit.
EXAMPLES = {
    "1 payment captured": ("capture", "1110", "2110"),
    "2 gateway fee": ("gateway_fee", "5110", "1110"),
    "3 retirement confirmed, to supplier": ("sale", "2110", "2010"),
    "3 retirement confirmed, our fee": ("sale", "2110", "4010"),
    "3 retirement confirmed, tax": ("sale", "2110", "2310"),
    "4 transfer to supplier": ("transfer", "2010", "1110"),
    "5 payout of our rest to bank": ("gateway_payout", "1010", "1110"),
    "6 refund before retirement submitted": ("refund_requested", "2110", "2120"),
    "6 refund succeeded": ("refund_settled", "2120", "1110"),
    "7 goodwill after retirement": ("refund_requested", "5130", "2120"),
    "8 paid twice": ("unallocated", "1110", "2190"),
    "8 paid twice, refunded": ("refund_requested", "2190", "2120"),
    "9 dispute opened": ("dispute_opened", "1150", "1110"),
    "9 its fee": ("dispute_fee", "5120", "1110"),
    "10 dispute won": ("dispute_won", "1110", "1150"),
    "10 dispute lost, retired": ("dispute_lost", "5120", "1150"),
    "transfer reversed after lost dispute": ("part_reversed", "1110", "5120"),
    "transfer reversed before goodwill": ("part_reversed", "1110", "5130"),
    "split: gross at supplier": ("capture", "9010", "9020"),
    "split: fee divided off": ("split_fee", "1120", "4010"),
    "split: fee credited": ("split_fee_credited", "1110", "1120"),
    "split: fee taken back": ("part_reversed", "4010", "1110"),
    "split: dispute at supplier": ("dispute_opened", "9020", "9010"),
    "split: advance for us": ("refund_settled", "2120", "2010"),
    "principal: purchase": ("purchase", "1210", "2010"),
    "principal: sale": ("sale", "2110", "4020"),
    "principal: cost": ("purchase", "5010", "1210"),
    "principal: supplier paid by bank": ("payout", "2010", "1010"),
    "principal: claim": ("part_claimed", "1130", "5130"),
    "principal: claim taken off a payout": ("payout", "2010", "1130"),
    "by bank: fee claimed": ("split_fee_claimed", "1130", "4010"),
}


def made():
    """Return how often each example was booked."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT j.kind, t.debit_code, t.credit_code, count(*) FROM ledger_transfer t"
            " JOIN ledger_journal j ON j.id = t.journal_id"
            " GROUP BY j.kind, t.debit_code, t.credit_code"
        )
        rows, found = cursor.fetchall(), Counter()
    for kind, debit, credit, count in rows:
        found[kind, debit.split(":")[1], credit.split(":")[1]] += count
    return Counter({_BOOKED + name: found[what] for name, what in EXAMPLES.items()})


def lacking(met, *, payments, gateways):
    """Return the examples that houses never booked; none where so few payments may lack one.

    ``met``: how often each was booked in all of them together, as ``made`` tells it.
    """
    if payments < _LARGE or len(gateways) < _EVERY_BANK:
        return []
    return [name for name in EXAMPLES if not met[_BOOKED + name]]
