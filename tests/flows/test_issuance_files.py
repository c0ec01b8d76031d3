"""A file of issuances: looked at first, entered whole or not at all, and twice as once."""

import csv
import io
import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diandian.audit.models import AuditEntry, OutboxEvent
from diandian.flows import issuance_files, log_check
from diandian.flows.issuance_tables import COLUMNS, WHY, read, template
from diandian.registry import queries
from diandian.registry.errors import FileGoneError, FileRefusedError
from diandian.registry.invariants import check
from diandian.registry.models import CreditBatch, UpstreamRetirement
from diandian.transparency.models import LogEntry
from tests.registry.builders import TONNE, make_batch, make_programme, make_project, make_site
from tests.workbooks import book

pytestmark = pytest.mark.django_db
SAMPLES = Path(__file__).parents[1] / "registry" / "samples"
CSV = (SAMPLES / "issuances.csv").read_bytes()
ROW = {
    "project": "grove",
    "serials": "CDCER-SAMPLE-B25-000001~000010",
    "quantity": "10",
    "vintage_year": "2025",
    "period_start": "2025-01-01",
    "period_end": "2025-12-31",
    "verified_by": "Sample verifier",
    "verified_on": "2026-02-01",
}


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.DATA_DIR = tmp_path


@pytest.fixture(autouse=True)
def grove(db):
    programme = make_programme(code="CDCER", serial_parser="cdcer")
    return make_project("grove", programme=programme)


def table(*rows):
    out = io.StringIO()
    columns = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(out, columns)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def look(data):
    return issuance_files.look_at(data)


def enter(data):
    return issuance_files.enter(data, actor_ref="operator:li")


def counts():
    tables = (CreditBatch, UpstreamRetirement, AuditEntry, OutboxEvent, LogEntry)
    return [rows.objects.count() for rows in tables]


def told(outcome):
    return [(each.row, each.column, each.error.code) for each in outcome.problems]


# --- the way of a good file ---------------------------------------------------------------------


def test_looking_says_everything_and_enters_nothing():
    before = counts()
    outcome = look(CSV)
    assert [row.state for row in outcome.rows] == ["new", "new", "new"]
    assert [row.total_g // TONNE for row in outcome.rows] == [120, 100, 2000]
    assert [row.sells for row in outcome.rows] == [True, True, False]
    assert (outcome.total_g, outcome.for_sale_g) == (2220 * TONNE, 208 * TONNE)
    assert {row.batch for row in outcome.rows} == {""}
    assert counts() == before


def test_entering_enters_all_of_it(grove):
    outcome = enter(CSV)
    assert outcome.problems == ()
    first, second, planned = CreditBatch.objects.order_by("id")
    assert [row.batch for row in outcome.rows] == [
        each.public_id for each in (first, second, planned)
    ]
    assert (first.buffer_g, first.verified_g, first.credit_class) == (
        12 * TONNE,
        120 * TONNE,
        "puhui",
    )
    assert (planned.state, planned.is_ex_ante) == ("draft", True)
    assert UpstreamRetirement.objects.get().evidence_sha256 == "ab" * 32
    assert queries.available_g(grove.id) == 208 * TONNE
    assert check() == log_check.check() == []


def test_entering_twice_changes_nothing():
    enter(CSV)
    before = counts()
    again = enter(CSV)
    assert [row.state for row in again.rows] == ["known", "known", "known"]
    assert (again.known, again.total_g) == (3, 0)
    assert counts() == before


def test_the_same_serials_written_otherwise_are_the_same_issuance():
    enter(table(ROW))
    again = enter(table(ROW | {"serials": " cdcer-sample-b25-000001~000010"}))
    assert [row.state for row in again.rows] == ["known"]


def test_json_and_a_workbook_say_the_same_as_the_table():
    as_csv = [row.issuance for row in read(CSV).rows]
    as_json = [row.issuance for row in read((SAMPLES / "issuances.json").read_bytes()).rows]
    as_book = [row.issuance for row in read(workbook(CSV)).rows]
    assert as_csv == as_json == as_book
    assert None not in as_csv


def workbook(data):
    """The same cells as a spreadsheet keeps them: days are counted from 1899-12-30."""
    lines = list(csv.reader(io.StringIO(data.decode())))
    rows = []
    for number, cells in enumerate(lines, start=1):
        kept = []
        for at, cell in enumerate(cells):
            text = cell.replace(",", "") if lines[0][at] == "quantity" else cell
            if (
                number > 1
                and cell
                and lines[0][at] in {"period_start", "period_end", "verified_on"}
            ):
                text = str((date.fromisoformat(cell) - date(1899, 12, 30)).days)
            kept.append(
                f'<c r="{chr(65 + at)}{number}" t="inlineStr"><is><t>{text}</t></is></c>'
                if not text.isdigit()
                else f'<c r="{chr(65 + at)}{number}"><v>{text}</v></c>'
            )
        rows.append(f'<row r="{number}">{"".join(kept)}</row>')
    return book("".join(rows))


def test_the_template_is_a_file_that_can_be_read():
    text = template()
    assert text.startswith("\ufeffproject,serials,quantity")
    [row] = read(text.encode()).rows
    assert row.problems == ()
    assert len(COLUMNS) <= 40


def test_columns_may_have_their_chinese_names():
    words = {"project": "项目", "serials": "编号", "quantity": "数量", "vintage_year": "年份"}
    row = {words.get(name, name): value for name, value in ROW.items()}
    assert read(table(row)).rows == read(table(ROW)).rows


# --- what is refused ----------------------------------------------------------------------------


def test_one_bad_row_keeps_all_out():
    outcome = enter(
        table(ROW, ROW | {"serials": "CDCER-SAMPLE-B25-000011~000020", "quantity": "9"})
    )
    assert told(outcome) == [(3, "quantity", "issuance")]
    assert [row.state for row in outcome.rows] == ["new", "refused"]
    assert {row.batch for row in outcome.rows} == {""}
    assert CreditBatch.objects.count() == 0


def test_an_overlap_names_the_other_batch(grove):
    other = make_batch(grove, serial_text="CDCER-SAMPLE-B25-000005~000006")
    [problem] = look(table(ROW)).problems
    assert (problem.row, problem.column) == (2, "serials")
    assert f"{other.public_id} (CDCER-SAMPLE-B25-000005~000006)" in problem.error.text()


def test_an_overlap_inside_the_file_names_the_other_row():
    [problem] = look(table(ROW, ROW | {"serials": "CDCER-SAMPLE-B25-000010~000019"})).problems
    assert problem.row == 3
    assert "#2 (CDCER-SAMPLE-B25-000001~000010)" in problem.error.text()


def test_the_same_source_with_other_facts_is_refused():
    enter(table(ROW | {"source_ref": "file 7"}))
    changed = ROW | {"source_ref": "file 7", "verified_by": "Somebody else"}
    assert told(enter(table(changed))) == [(2, "source_ref", "issued_differently")]


@pytest.mark.parametrize(
    ("change", "column", "code"),
    [
        ({"project": "elsewhere"}, "project", "not_found"),
        ({"serials": "XX-1~10"}, "serials", "serial_format"),
        ({"vintage_year": "2024"}, "vintage_year", "issuance"),
        ({"period_end": "2024-12-31"}, "period_end", "issuance"),
        ({"buffer_tonnes": "10"}, "buffer_tonnes", "issuance"),
        ({"verified_on": "2025-06-01"}, "verified_on", "issuance"),
        ({"verified_tonnes": "9"}, "verified_tonnes", "not_verified_so_much"),
        ({"ccp_reference": "a list"}, "ccp_reference", "issuance"),
        ({"recognition_evidence": "notice 12"}, "recognition_evidence", "issuance"),
        ({"adjustment_status": "completed"}, "adjustment_status", "issuance"),
        ({"site": "north"}, "site", "issuance"),
        (
            {
                "retired_first": "5",
                "retired_last": "11",
                "retired_reference": "R",
                "retired_at": "2026-03-01",
                "retired_sha256": "ab" * 32,
            },
            "retired_first",
            "evidence",
        ),
    ],
)
def test_a_refusal_says_in_which_column(change, column, code):
    outcome = look(table(ROW | change))
    assert told(outcome) == [(2, column, code)]
    assert CreditBatch.objects.count() == 0


@pytest.mark.parametrize(
    ("change", "column", "why"),
    [
        ({"quantity": ""}, "quantity", "needed"),
        ({"quantity": "10.0"}, "quantity", "whole"),
        ({"quantity": "-10"}, "quantity", "whole"),
        ({"quantity": "9" * 11}, "quantity", "whole"),
        ({"quantity": "1,0"}, "quantity", "whole"),
        ({"period_start": "01/02/2025"}, "period_start", "day"),
        ({"period_start": "2025-02-30"}, "period_start", "day"),
        ({"verified_on": "2999-01-01"}, "verified_on", "future"),
        ({"ex_ante": "perhaps"}, "ex_ante", "flag"),
        ({"credit_class": "gold"}, "credit_class", "choice"),
        ({"evidence_sha256": "abc"}, "evidence_sha256", "digest"),
        ({"verified_by": "=cmd|' /C calc'!A1"}, "verified_by", "formula"),
        ({"verified_by": "@SUM(1)"}, "verified_by", "formula"),
        ({"verified_by": "Li\x1b[2J"}, "verified_by", "sign"),
        ({"verified_by": "x" * 121}, "verified_by", "long"),
        ({"buffer_tonne": "5"}, "buffer_tonne", "column"),
        ({"retired_first": "1"}, "retired_first", "alone"),
        ({"retired_url": "javascript:alert(1)"}, "retired_url", "url"),
        ({"retired_at": "soon"}, "retired_at", "instant"),
    ],
)
def test_a_cell_that_cannot_be_read_is_named(change, column, why):
    problems = read(table(ROW | change)).rows[0].problems
    assert (2, column, WHY[why]) in [
        (each.row, each.column, each.error.params["why"]) for each in problems
    ]
    assert all(each.error.text().isprintable() for each in problems)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "it is empty"),
        (b"project,serials\n", "its first row must name the columns of the template"),
        (table(ROW).splitlines()[0] + b"\n", "it is empty"),
        (table(*[ROW] * 501), "it has more than 500 rows; please split it"),
        (table(ROW).replace(b"verified_by", b"project"), "two columns bear the same name"),
        (b"x" * 2_000_001, "it is larger than 2 MB"),
        (b"{", WHY["json"]),
        (b'{"issuances": 1}', WHY["json"]),
        (b'{"issuances": [1]}', WHY["json"]),
        (b'{"issuances": [{"project": [1]}]}', WHY["json"]),
        (b"[" * 100_000, WHY["json"]),
        (b"[]", "it is empty"),
        (b"PK\x03\x04 not a zip", "it is damaged, or not a workbook"),
    ],
)
def test_what_is_no_file_of_issuances_is_refused_whole(data, why):
    with pytest.raises(FileRefusedError) as refusal:
        look(data)
    assert refusal.value.params["why"] == why


@given(data=st.binary(max_size=200))
def test_whatever_is_sent_is_read_or_refused(data):
    for sent in (data, b"{" + data, b"[" + data, table(ROW) + data):
        try:
            read(sent)
        except FileRefusedError:
            continue


@given(cells=st.dictionaries(st.sampled_from(COLUMNS), st.text(max_size=30), max_size=8))
def test_whatever_stands_in_cells_is_read_or_named(cells):
    [row] = read(json.dumps([ROW | cells]).encode()).rows
    assert (row.issuance is None) is bool(row.problems)


# --- the file that waits for the button ---------------------------------------------------------


def test_a_file_that_was_looked_at_is_entered_by_its_digest():
    digest = look(CSV).digest
    issuance_files.keep(CSV, digest)
    outcome = issuance_files.enter_kept(digest, actor_ref="operator:li")
    assert len(outcome.new) == 3
    with pytest.raises(FileGoneError):
        issuance_files.enter_kept(digest, actor_ref="operator:li")


@pytest.mark.parametrize("digest", ["", "../../etc/passwd", "AB" * 32, "ab" * 32])
def test_no_other_file_is_entered(digest):
    with pytest.raises(FileGoneError):
        issuance_files.enter_kept(digest, actor_ref="operator:li")


def test_a_file_that_was_altered_meanwhile_is_not_entered(tmp_path):
    digest = look(CSV).digest
    issuance_files.keep(CSV, digest)
    (tmp_path / "issuances" / digest).write_bytes(CSV + b"\n")
    with pytest.raises(FileGoneError):
        issuance_files.enter_kept(digest, actor_ref="operator:li")


def test_a_site_is_named_by_its_code(grove):
    make_site(grove)
    row = ROW | {"site": "north-slope", "verified_tonnes": "10", "verification_ref": "report 1"}
    assert enter(table(row)).problems == ()
    assert CreditBatch.objects.get().site.code == "north-slope"
