"""The faults of paying, row by row, where each is tried, and what is left out with its reason.

The numbers are those of the table in the payments design, section 6, and of the tests' names: a
test called ``test_15_...`` or ``test_18_19_...`` tries those rows in the place where its file
stands. A place is a gateway's adapter before its own peer, the house on both databases, or a
browser. Every row has tests in every place or says why it has none; ``test_fault_table.py`` keeps
it so.

``python -m tests.payments.fault_table`` prints the table.
"""

import ast
import re
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
GATEWAYS = ("alipay", "sandbox", "stripe", "wechatpay")
HOUSE, BROWSER = "house", "browser"
PLACES = (*GATEWAYS, HOUSE, BROWSER)
LAST = 48

# Why a row is not tried in a place.
OURS = "decided in the house; what an adapter says does not change it"
NO_LINE = (
    "the sandbox is a file of ours: no answer is lost on its way, its faults are forged inside"
)
MADE_INSIDE = "the sandbox keeps what it was given; the house's tests let it say otherwise"
NO_PAGE = "no page takes part"
WORDS = "the page's words are tested with the pages, without a browser"


@dataclass(frozen=True)
class Row:
    """One fault. ``also``: tests made for more than this row, by place. ``left_out``: reasons."""

    number: int
    fault: str
    also: dict = field(default_factory=dict)
    left_out: dict = field(default_factory=dict)
    is_pure: bool = False


def _no(reason, *places):
    return dict.fromkeys(places, reason)


_OURS = _no(OURS, *GATEWAYS)
_UNSEEN = _no(NO_PAGE, BROWSER)

ROWS = (
    Row(
        1,
        "the same notice again, also twenty at once",
        {BROWSER: ["browser/test_trouble.py::test_a_notice_sent_twice_counts_once"]},
    ),
    Row(2, "two different notices of one payment", left_out=_UNSEEN),
    Row(
        3,
        "the notice is faster than the guest's return",
        {
            BROWSER: [
                "browser/test_paying.py::test_a_code_on_a_desktop_is_paid_by_a_phone_and_shows_it_by_itself"
            ]
        },
        left_out=_OURS,
    ),
    Row(4, "the notice is faster than our own commit", left_out=_OURS | _UNSEEN),
    Row(
        5,
        "no notice ever comes",
        {BROWSER: ["browser/test_trouble.py::test_silent_payment_is_found_by_asking"]},
        left_out=_OURS,
    ),
    Row(
        6,
        "the guest never returns",
        {
            BROWSER: [
                "browser/test_paying.py::test_the_tab_is_closed_and_the_link_opens_the_order_anywhere"
            ]
        },
        left_out=_OURS,
    ),
    Row(7, "bad news after success", left_out=_UNSEEN),
    Row(
        8,
        "declined, declined again, then paid after all",
        {
            BROWSER: ["browser/test_trouble.py::test_declined_then_paid"],
        },
        left_out=_no(
            "a declined card is no event there: the payment waits on", "alipay", "wechatpay"
        ),
    ),
    Row(
        9,
        "forged, altered or senseless notices",
        left_out=_UNSEEN,
    ),
    Row(
        10,
        "a probe with a wrong signature",
        left_out=_UNSEEN | _no("only WeChat Pay sends probes", "stripe", "sandbox"),
    ),
    Row(
        11,
        "paid after the grams were released, grams still there",
        {BROWSER: ["browser/test_paying.py::test_paid_late_arrives_by_itself_in_each_language"]},
    ),
    Row(12, "paid after the release, grams gone", left_out=_OURS | _no(WORDS, BROWSER)),
    Row(
        13,
        "another amount than was asked for",
        left_out=_UNSEEN | _no(MADE_INSIDE, "sandbox"),
    ),
    Row(
        14,
        "another currency, or a currency without two decimals",
        left_out=_UNSEEN | _no(MADE_INSIDE, "sandbox"),
    ),
    Row(15, "another merchant, app, or live for test", left_out=_UNSEEN),
    Row(16, "an old notice is sent again", left_out=_UNSEEN),
    Row(17, "clocks that differ", left_out=_UNSEEN),
    Row(
        18,
        "creation without an answer, and it was created",
        left_out=_UNSEEN | _no(NO_LINE, "sandbox"),
    ),
    Row(
        19,
        "creation without an answer, and nothing was created",
        left_out=_UNSEEN | _no(NO_LINE, "sandbox"),
    ),
    Row(
        20,
        "paid twice, in two tabs or by two ways",
        {BROWSER: ["browser/test_paying.py::test_two_tabs_by_two_ways_pay_once"]},
        left_out=_OURS,
    ),
    Row(
        21,
        "a double click, or two workers at once",
        {BROWSER: ["browser/test_trouble.py::test_double_click_makes_one_order"]},
    ),
    Row(
        22,
        "closing says nothing, or that it was paid",
        {BROWSER: ["browser/test_paying.py::test_a_cancelled_order_says_so_and_its_code_is_dead"]},
    ),
    Row(23, "unknown to the gateway while the way to pay lives", left_out=_UNSEEN),
    Row(24, "past its deadline and still waiting there", left_out=_UNSEEN),
    Row(25, "a crash between payment and retirement", left_out=_OURS | _UNSEEN),
    Row(
        26,
        "a crash between the registry's yes and our commit",
        {
            HOUSE: [
                # The registry is a room of the house: its yes and the order's are one commit.
                "flows/test_crashes.py::test_a_crash_at_every_statement_of_a_purchase",
                "flows/test_payment_ends.py::test_25_a_crash_inside_the_commit_leaves_nothing_half_done",
                "registry/test_actions.py::test_retiring_twice_is_retiring_once",
            ]
        },
        left_out=_OURS | _UNSEEN,
    ),
    Row(
        27,
        "the registry refuses, or cannot for days",
        {
            HOUSE: [
                "flows/test_fulfil.py::test_a_paid_order_waits_while_its_batch_is_frozen",
                "flows/test_fulfil.py::test_failures_wait_longer_each_time_up_to_an_hour",
                "flows/test_review.py::test_an_order_that_keeps_failing_waits_longer_then_goes_to_people",
                "flows/test_review.py::test_28_a_parked_order_is_refunded",
            ]
        },
        left_out=_OURS | _no(WORDS, BROWSER),
    ),
    Row(28, "a refund before the retirement", left_out=_OURS | _UNSEEN),
    Row(29, "a refund after the retirement", left_out=_OURS | _UNSEEN),
    Row(30, "a refund without an answer", left_out=_UNSEEN),
    Row(31, "two refunds at once, too many, too much, too close", left_out=_UNSEEN),
    Row(
        32,
        "a refund that was accepted fails later, or finds no way home",
        left_out=_UNSEEN,
    ),
    Row(33, "a refund made in the gateway's console", left_out=_UNSEEN),
    Row(
        34,
        "a chargeback before and after the retirement, won, lost",
        left_out=_UNSEEN
        | _no("it has none: a payer complains there and is paid back by refund", "wechatpay")
        | _no("what payers dispute there shows in its statement, no question tells it", "alipay"),
    ),
    Row(35, "a refund after the supplier was paid", left_out=_UNSEEN),
    Row(36, "a split too early, too large, twice, or refused in part", left_out=_UNSEEN),
    Row(37, "a split or transfer without an answer", left_out=_UNSEEN | _no(NO_LINE, "sandbox")),
    Row(
        38,
        "a statement and our books differ",
        {
            HOUSE: [
                "flows/test_reconcile.py::test_each_class_keeps_its_day_open",
                "flows/test_reconcile.py::test_a_payment_that_we_lack_is_asked_about_and_applied",
                "flows/test_reconcile.py::test_what_is_near_midnight_waits_for_the_next_statement",
            ]
        },
        left_out=_UNSEEN,
    ),
    Row(
        39,
        "a statement that is cut off, forged, late, or oddly written",
        {
            HOUSE: [
                "flows/test_statements_refused.py::test_a_refused_statement_is_seen_and_fetched_again",
                "flows/test_statements_refused.py::test_a_file_that_is_cut_off_or_forged_is_not_read",
            ]
        },
        left_out=_UNSEEN,
    ),
    Row(
        40,
        "keys that are replaced",
        left_out=_UNSEEN | _no("its one key is its own and never changes", "sandbox"),
    ),
    Row(
        41,
        "a storm of errors, slow, broken off, or no JSON",
        left_out=_no(NO_LINE, "sandbox") | _no(WORDS, BROWSER),
    ),
    Row(42, "a library or parser that throws", left_out=_UNSEEN),
    Row(43, "the hold ends while the guest types", left_out=_OURS | _UNSEEN),
    Row(
        44,
        "five hundred guests and the last ten kilograms",
        {
            HOUSE: [
                "concurrency/test_registry.py::test_500_people_race_for_the_last_10_kg",
                "web/test_guest_journey.py::test_sold_out_between_page_and_button",
            ]
        },
        left_out=_OURS | _no(WORDS, BROWSER),
    ),
    Row(45, "an account changed after a payout was locked", left_out=_OURS | _UNSEEN),
    Row(46, "a payout handed over twice", left_out=_OURS | _UNSEEN),
    Row(
        47,
        "fee and supplier's part are the total, for any order",
        {HOUSE: ["payments/test_split.py::test_the_parts_are_the_whole"]},
        left_out=_OURS | _UNSEEN,
        is_pure=True,
    ),
    Row(
        48,
        "a free order (we refuse it: everything sold has a price), or one below the least",
        left_out=_no(WORDS, BROWSER),
    ),
)


@dataclass(frozen=True)
class Test:
    """A test of the suite. ``on``: databases it runs on, none where it needs none."""

    name: str
    rows: tuple
    places: tuple
    on: tuple


_ROWS = re.compile(r"test_((?:\d\d_)+)")
_OF_GATEWAY = re.compile(r"payments/(?:gateways/)?test_(alipay|sandbox|stripe|wechatpay)(?:_|\.)")
_CONTRACT = "payments/gateways/test_contract.py"


@cache
def tests():
    """Return every test of the suite, as its files stand."""
    return tuple(
        found
        for path in sorted(TESTS.rglob("test_*.py"))
        for found in _tests_of(path.relative_to(TESTS).as_posix(), ast.parse(path.read_text()))
    )


def _tests_of(file, tree):
    everywhere = " ".join(
        ast.unparse(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and "pytestmark" in ast.unparse(node.targets[0])
    )
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            marks = " ".join((everywhere, *map(ast.unparse, node.decorator_list)))
            found = _ROWS.match(node.name)
            rows = tuple(map(int, found[1].strip("_").split("_"))) if found else ()
            yield Test(f"{file}::{node.name}", rows, _places(file), _databases(marks))


def _places(file):
    if file == _CONTRACT:
        return GATEWAYS
    if found := _OF_GATEWAY.match(file):
        return (found[1],)
    return (BROWSER if file.startswith("browser/") else HOUSE,)


def _databases(marks):
    if "mark.postgres" in marks:
        return ("PostgreSQL",)
    # Marked so, a test runs in both rounds; without the mark in the first alone.
    return ("SQLite", "PostgreSQL") if "mark.django_db" in marks else ()


def of_cell(row, place):
    """Return the tests of a row in a place: those named by it and those it names."""
    by_name = {each.name: each for each in tests()}
    named = [each for each in tests() if row.number in each.rows and place in each.places]
    return named + [by_name[name] for name in row.also.get(place, ()) if name in by_name]


def faults():
    """Say what is wrong with the table; nothing when every row is tried or says why not."""
    known = {each.name for each in tests()}
    if [row.number for row in ROWS] != list(range(1, LAST + 1)):
        yield "the rows are not 1 to 48"
    for each in tests():
        if any(not 1 <= number <= LAST for number in each.rows):
            yield f"{each.name} names a row that there is not"
    for row in ROWS:
        lost = [name for names in row.also.values() for name in names if name not in known]
        yield from (f"row {row.number} names a test that there is not: {name}" for name in lost)
        for place in PLACES:
            yield from _faults_of_cell(row, place, of_cell(row, place))


def _faults_of_cell(row, place, found):
    if found and place in row.left_out:
        yield f"row {row.number} is tried in {place}, and the table says that it is not"
    if not found and place not in row.left_out:
        yield f"row {row.number} ({row.fault}) is not tried in {place}, and no reason is given"
    if place == HOUSE and found and not row.is_pure:
        on = {database for each in found for database in each.on}
        yield from (
            f"row {row.number} is not tried on {database}"
            for database in ("SQLite", "PostgreSQL")
            if database not in on
        )


def lines():
    """Return the table for people: tests in each place, and the reasons below."""
    heads = "".join(f"{place:>11}" for place in PLACES)
    yield f"{'row':>3}  {'fault':<82}{heads}"
    for row in ROWS:
        counts = [len(of_cell(row, place)) for place in PLACES]
        cells = "".join(f"{count or '-':>11}" for count in counts)
        yield f"{row.number:>3}  {row.fault:<82}{cells}"
    cells = [(row, place, of_cell(row, place)) for row in ROWS for place in PLACES]
    distinct = {each.name for _, _, found in cells for each in found}
    both = sum(bool(of_cell(row, HOUSE)) and not row.is_pure for row in ROWS)
    yield ""
    yield f"{len(ROWS)} rows, {len(distinct)} tests; {both} of them on SQLite and PostgreSQL"
    yield "not tried, and why:"
    reasons = {}
    for row in ROWS:
        for place, reason in row.left_out.items():
            reasons.setdefault(reason, {}).setdefault(place, []).append(row.number)
    for reason, where in reasons.items():
        told = "; ".join(f"{place} {_short(numbers)}" for place, numbers in sorted(where.items()))
        yield f"  {reason}: {told}"


def _short(numbers):
    """Return numbers with neighbours as from-to."""
    runs = []
    for number in sorted(numbers):
        if runs and runs[-1][1] == number - 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(f"{low}-{high}" if low < high else f"{low}" for low, high in runs)


if __name__ == "__main__":
    sys.stdout.write("\n".join((*lines(), *(f"WRONG {fault}" for fault in faults()), "")))
