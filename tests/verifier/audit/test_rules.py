"""Each rule of the replay, broken in one way at a time; and what is no breach."""

import json

import pytest

from tests.verifier.audit.logs import LOG, TONNE, Log, audit, issue, retire, retirement, upstream
from tests.verifier.log_bodies import HASH, body

pytestmark = pytest.mark.pure


@pytest.fixture
def check(tmp_path, capsys):
    """Publish a log, audit it, and return its status and report."""

    def run(log, *options):
        folder = log.publish(tmp_path / "log")
        status = audit(folder, "--json", str(tmp_path / "report.json"), *options)
        capsys.readouterr()
        report = json.loads((tmp_path / "report.json").read_text())
        assert report["ok"] == (status == 0) == (not report["findings"])
        return status, report

    return run


def told(report):
    return [(one["rule"], one["text"], one["entries"]) for one in report["findings"]]


def rules(report):
    return sorted({one["rule"] for one in report["findings"]})


def test_ranges_in_any_order_are_fine_when_they_close_up(check):
    log = Log(issue(), upstream(1, 10))
    for number in (3, 0, 2, 1):
        log.add(retire(number, number * 10, number * 10 + 10))
    status, report = check(log)
    assert (status, report["batches"][0]["retired_g"]) == (0, 40)


def test_a_gap_below_the_top_is_found(check):
    log = Log(issue(), upstream(1, 10), retire(0, 0, 10), retire(1, 20, 30))
    assert told(check(log)[1]) == [("R1", "grams [10, 20) of B-1 were passed over", [1])]


def test_a_gap_of_one_gram_is_found(check):
    log = Log(issue(), upstream(1, 10), retire(0, 0, 10), retire(1, 11, 30))
    assert told(check(log)[1]) == [("R1", "grams [10, 11) of B-1 were passed over", [1])]


def test_a_gap_at_the_beginning_of_a_lane_is_found(check):
    log = Log(issue(), upstream(1, 10), retire(0, 10, 20))
    assert told(check(log)[1]) == [("R1", "grams [0, 10) of B-1 were passed over", [1])]


def test_a_range_of_an_unknown_batch_is_found(check):
    log = Log(issue(), upstream(1, 10), retire(0, 0, 10, "B-2"))
    assert told(check(log)[1]) == [
        ("R1", "retire names the batch B-2, not issued before", [3]),
    ]


def test_a_range_before_its_issue_is_found(check):
    status, report = check(Log(retire(0, 0, 10), issue(), upstream(1, 10)))
    assert (status, rules(report)) == (1, ["R1"])


@pytest.mark.parametrize("span", [(9 * TONNE - 5, 9 * TONNE + 5), (10 * TONNE, 10 * TONNE + 1)])
def test_a_range_across_lanes_or_beyond_them_is_found(check, span):
    log = Log(issue(), upstream(1, 10), retire(0, *span))
    text = f"retire of [{span[0]}, {span[1]}) lies outside of the batch or across two lanes"
    assert told(check(log)[1]) == [("R1", text, [3])]


def test_a_retirement_out_of_the_buffer_is_found(check):
    log = Log(issue(), upstream(1, 10), retire(0, 9 * TONNE, 9 * TONNE + 10))
    assert "lies in a lane for buffer" in told(check(log)[1])[0][1]


def test_a_reversal_takes_from_the_buffer_only(check):
    fine = Log(issue(), body("reversal"))
    status, report = check(fine)
    assert (status, report["batches"][0]["reversed_g"]) == (0, 5)
    assert report["batches"][0]["buffer_g"] == TONNE - 5
    wrong = Log(issue(), body("reversal", ranges=[["B-1", 0, 5]]))
    assert rules(check(wrong)[1]) == ["R12"]


def test_cancelled_and_retired_grams_are_told_apart(check):
    log = Log(issue(), upstream(1, 1), retire(0, 0, 10))
    log.add(body("cancel", ranges=[["B-1", 10, 30]]))
    status, report = check(log)
    found = report["batches"][0]
    assert status == 0
    assert (found["retired_g"], found["cancelled_g"], found["free_g"]) == (10, 20, 9 * TONNE - 30)


def test_a_gram_retired_and_cancelled_is_found(check):
    log = Log(issue(), upstream(1, 1), retire(0, 0, 10))
    log.add(body("cancel", ranges=[["B-1", 5, 10]]))
    first, second = "entry 3 (retirement R00000)", "entry 4 (cancel cancel:1)"
    text = f"grams [5, 10) of B-1 are used twice: {first} and {second}"
    assert told(check(log)[1])[0] == ("R1", text, [3, 4])


def test_one_entry_that_uses_a_gram_twice_is_found(check):
    log = Log(issue(), upstream(1, 1))
    log.add(body("retire", ranges=[["B-1", 0, 10], ["B-1", 5, 15]]))
    assert told(check(log)[1])[0][2] == [3, 3]


def test_many_lanes_are_followed_each(check):
    lanes = [["sale", number * TONNE, (number + 1) * TONNE] for number in range(10)]
    log = Log(issue(lanes=lanes[::-1]), upstream(1, 10))
    for number in range(30):
        start = number % 10 * TONNE + number // 10 * 7
        log.add(retire(number, start, start + 7))
    status, report = check(log)
    assert (status, report["batches"][0]["retired_g"]) == (0, 210)


@pytest.mark.parametrize(
    ("lanes", "count"),
    [
        ([["sale", 0, 9 * TONNE]], 1),
        ([["sale", 0, 11 * TONNE]], 1),
        ([["sale", 1, 10 * TONNE]], 1),
        ([["sale", 0, 5 * TONNE], ["buffer", 4 * TONNE, 10 * TONNE]], 1),
        ([["sale", 0, 5 * TONNE], ["buffer", 6 * TONNE, 10 * TONNE]], 1),
    ],
)
def test_lanes_that_do_not_tile_the_batch_are_found(check, lanes, count):
    status, report = check(Log(issue(lanes=lanes)))
    assert status == 1
    assert [one["rule"] for one in report["findings"]].count("R3") == count
    assert rules(report) == ["R3", "R6"]


def test_overlapping_serials_of_one_prefix_are_found(check):
    log = Log(issue(), issue("B-2", first=10, last=19), issue("B-3", first=20, last=29))
    log.add(issue("B-4", first=10, last=19, prefix="OTHER-"))
    assert told(check(log)[1]) == [
        ("R4", "serials 10 to 10 of SIM-2024- are in B-1 and B-2", [1, 2])
    ]


def test_serials_inside_a_longer_block_are_found_behind_a_shorter_one(check):
    lanes = [["sale", 0, 5 * TONNE]]
    log = Log(issue(last=100, lanes=[["sale", 0, 100 * TONNE]]))
    log.add(
        issue("B-2", first=11, last=15, lanes=lanes), issue("B-3", first=51, last=55, lanes=lanes)
    )
    found = told(check(log)[1])
    assert [entries for _, _, entries in found] == [[1, 2], [1, 3]]


def test_a_batch_issued_twice_is_found(check):
    assert told(check(Log(issue(), issue()))[1]) == [
        ("R4", "the batch B-1 is issued a second time", [1, 2])
    ]


def test_tonnes_not_yet_retired_outside_are_listed_and_strictly_found(check):
    log = Log(issue(), upstream(1, 1), retire(0, 0, 2 * TONNE + 1))
    status, report = check(log)
    assert (status, report["batches"][0]["awaited"]) == (0, [[2, 3]])
    status, report = check(log, "--strict")
    assert told(report) == [
        ("R10", "serials 2 to 3 carry claims and were not retired outside", [1])
    ]
    log.add(upstream(2, 3))
    assert check(log, "--strict")[1]["batches"][0]["awaited"] == []


def test_only_claims_need_a_retirement_outside(check):
    log = Log(issue(), body("cancel", ranges=[["B-1", 0, TONNE]]), issue("B-2", prefix="N-"))
    native = issue("B-3", prefix="M-", custody="native")
    log.add(native, retire(0, 0, 10, "B-3"))
    status, report = check(log, "--strict")
    assert (status, [one["awaited"] for one in report["batches"]]) == (0, [[], [], []])


def test_evidence_for_other_or_the_same_serials_is_found(check):
    log = Log(issue(), upstream(1, 4), upstream(4, 5), upstream(10, 11))
    assert told(check(log)[1]) == [
        ("R10", "serials 4 to 4 were retired outside twice", [2, 3]),
        ("R10", "serials 10 to 11 are not of this batch", [4]),
    ]


def test_a_simulated_registry_is_said(check):
    status, report = check(Log(issue(), upstream(1, 4)))
    assert (status, report["batches"][0]["simulated_tonnes"]) == (0, 4)


def test_grams_before_their_verification_are_found(check):
    log = Log(issue(ex_ante=True), upstream(1, 1), retire(0, 0, 10))
    assert rules(check(log)[1]) == ["R9"]


def test_a_retirement_under_way_may_finish_while_frozen_and_is_counted(check):
    log = Log(issue(), upstream(1, 1), body("freeze"), retire(0, 0, 10), body("thaw"))
    status, report = check(log.add(retire(1, 10, 15)))
    found = report["batches"][0]
    assert (status, found["retired_while_frozen_g"], found["is_frozen"]) == (0, 10, False)


def test_a_retirement_entered_twice_is_found(check):
    log = Log(issue(), upstream(1, 1), retire(0, 0, 10), retire(0, 10, 20))
    assert told(check(log)[1]) == [
        ("entry", "the retirement R00000 is entered more than once", [3, 4])
    ]


def test_a_retirement_entered_again_in_a_later_run_is_found(check, tmp_path):
    state = str(tmp_path / "state")
    log = Log(issue(), upstream(1, 1), retire(0, 0, 10))
    assert check(log, "--state", state)[0] == 0
    log.add(retire(1, 10, 20), retire(0, 20, 30))
    status, report = check(log, "--state", state)
    assert (status, told(report)[0][2]) == (1, [3, 5])


def test_corrections_name_a_retirement_and_count_up(check):
    fix = body("correction", retirement=retirement(0))
    log = Log(issue(), upstream(1, 1), retire(0, 0, 10), fix, {**fix, "version": 3})
    assert check(log)[0] == 0
    log.add(fix, {**fix, "version": 3}, body("correction", retirement="nobody"))
    assert told(check(log)[1]) == [
        ("entry", "a correction of R00000 to version 2, after version 3", [6]),
        ("entry", "a correction of R00000 to version 3, after version 3", [7]),
        ("R12", "it names the retirement nobody, which the log does not hold", [8]),
    ]


def test_nothing_follows_a_close(check):
    log = Log(issue())
    log.add(body("close", size=2, root=log.root.hex()))
    status, report = check(log)
    assert (status, report["closed_at"]) == (0, 2)
    assert told(check(log.add(retire(0, 0, 10)))[1]) == [
        ("entry", "an entry retire after the log was closed by entry 2", [3])
    ]


def test_a_close_names_the_entries_before_it(check):
    text = "the closing entry names another size or root than that of the entries before it"
    for size, root in ((1, Log(issue()).root.hex()), (2, HASH)):
        assert told(check(Log(issue(), body("close", size=size, root=root)))[1]) == [
            ("entry", text, [2])
        ]


def test_a_log_has_one_beginning(check):
    again = Log(issue(), body("open"))
    assert rules(check(again)[1]) == ["entry"]
    none = Log(issue())
    del none.entries[0]
    assert rules(check(none)[1]) == ["entry", "head"]
    other = Log(issue())
    other.entries[0] = Log().entries[0].replace(b"log.example/2026", b"log.example/2025")
    assert told(check(other)[1]) == [
        ("head", f"the first entry opens the log log.example/2025, not {LOG.name}", [0])
    ]


def test_an_entry_that_is_not_listed_is_found_and_the_rest_goes_on(check):
    log = Log(issue(), upstream(1, 1), b'{"type":"gift"}', b"\xff", retire(0, 0, 10))
    status, report = check(log)
    assert [one[2] for one in told(report)] == [[3], [4]]
    assert (status, report["batches"][0]["retired_g"]) == (1, 10)


def recalled(*, grams=100):
    """Return a log with two retirements of 100 g and one of another batch, and a recall."""
    log = Log(issue(), upstream(1, 9), issue("B-2", prefix="N-"), upstream(1, 9, "B-2"))
    log.add(retire(0, 0, 100), retire(1, 100, 200), retire(2, 200, 300))
    return log.add(body("freeze"), body("recall", start_g=50, end_g=50 + grams))


def remedy(number, outcome="replaced", replacement=None, short_g=0):
    return body(
        "remedy",
        retirement=retirement(number),
        outcome=outcome,
        replacement=replacement,
        short_g=short_g,
    )


def test_a_recall_that_is_made_good_in_three_ways_is_clean(check):
    log = recalled(grams=200)
    log.add(retire(9, 0, 50, "B-2", replaces=retirement(0)), remedy(0, "replaced", retirement(9)))
    log.add(body("reversal", ranges=[["B-1", 9 * TONNE, 9 * TONNE + 100]]), remedy(1, "buffer"))
    status, report = check(log)
    assert status == 0
    assert report["recalls"][0] == {
        "recall": "R-1",
        "batch": "B-1",
        "affected_g": 200,
        "replaced_g": 50,
        "buffer_g": 100,
        "short_g": 0,
        "open_g": 50,
        "open_retirements": 1,
    }
    log.add(remedy(2, "short", None, 50))
    assert check(log)[1]["recalls"][0]["short_g"] == 50


def test_several_steps_for_one_retirement_add_up(check):
    log = recalled(grams=50)
    log.add(body("reversal", ranges=[["B-1", 9 * TONNE, 9 * TONNE + 20]]))
    log.add(remedy(0, "buffer", None, 30), remedy(0, "short", None, 30))
    log.add(retire(9, 0, 10, "B-2", replaces=retirement(0)))
    log.add(retire(10, 10, 30, "B-2", replaces=retirement(0)))
    log.add(remedy(0, "replaced", retirement(9), 20), remedy(0, "replaced", retirement(10), 0))
    status, report = check(log)
    found = report["recalls"][0]
    assert (status, found["buffer_g"], found["replaced_g"], found["short_g"]) == (0, 20, 30, 0)


def test_what_was_short_may_be_replaced_later_in_a_later_run(check, tmp_path):
    state = str(tmp_path / "state")
    log = recalled().add(remedy(0, "short", None, 50))
    assert check(log, "--state", state)[0] == 0
    log.add(retire(9, 0, 50, "B-2", replaces=retirement(0)), remedy(0, "replaced", retirement(9)))
    status, report = check(log, "--state", state)
    found = report["recalls"][0]
    assert (status, found["replaced_g"], found["short_g"], found["open_g"]) == (0, 50, 0, 50)


R12 = {
    "unknown recall": lambda log: log.add({**remedy(0, "buffer"), "recall": "R-9"}),
    "recalled twice": lambda log: log.add(body("recall", start_g=0, end_g=5)),
    "beyond the batch": lambda log: log.add(body("recall", recall="R-2", end_g=11 * TONNE)),
    "thawed": lambda log: log.add(body("thaw")),
    "holds no gram": lambda log: log.add(remedy(2, "short", None, 5)),
    "no such retirement": lambda log: log.add(remedy(77, "short", None, 5)),
    "no such replacement": lambda log: log.add(remedy(0, "replaced", "R99999")),
    "replaced by nothing": lambda log: log.add(remedy(0, "replaced")),
    "more missing": lambda log: log.add(remedy(0, "short", None, 51)),
    "short though given": lambda log: log.add(remedy(0, "short", None, 49)),
    "buffer without grams": lambda log: log.add(remedy(0, "buffer", None, 50)),
    "short with a replacement": lambda log: log.add(
        retire(9, 0, 50, "B-2", replaces=retirement(0)), remedy(0, "short", retirement(9), 50)
    ),
    "short of nothing": lambda log: log.add(remedy(0, "short")),
    "too little": lambda log: log.add(
        retire(9, 0, 49, "B-2", replaces=retirement(0)), remedy(0, "replaced", retirement(9))
    ),
    "too much": lambda log: log.add(
        retire(9, 0, 51, "B-2", replaces=retirement(0)), remedy(0, "replaced", retirement(9))
    ),
    "made for another": lambda log: log.add(
        retire(9, 0, 50, "B-2", replaces=retirement(1)), remedy(0, "replaced", retirement(9))
    ),
    "given twice": lambda log: log.add(
        retire(9, 0, 50, "B-2"),
        remedy(0, "replaced", retirement(9)),
        remedy(1, "replaced", retirement(9)),
    ),
    "an empty buffer": lambda log: log.add(remedy(0, "buffer")),
    "replaces itself": lambda log: log.add(retire(9, 0, 50, "B-2", replaces=retirement(9))),
    "replaces nobody": lambda log: log.add(retire(9, 0, 50, "B-2", replaces="nobody")),
}


@pytest.mark.parametrize("case", R12)
def test_remedies_that_do_not_add_up_are_found(check, case):
    assert check(recalled())[0] == 0
    status, report = check(R12[case](recalled()))
    assert (status, rules(report)) == (1, ["R12"]), report["findings"]


def test_a_retirement_after_the_recall_that_touches_it_is_counted_too(check, tmp_path):
    state = str(tmp_path / "state")
    log = recalled(grams=10 * TONNE - 50)
    before = check(log, "--state", state)[1]["recalls"][0]["affected_g"]
    log.add(retire(3, 300, 310))
    assert check(log, "--state", state)[1]["recalls"][0]["affected_g"] == before + 10
