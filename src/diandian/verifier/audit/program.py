"""``diandian-audit WHERE``: audit the public log of the grams, without an account.

Exit codes: 0 nothing found; 1 something found; 2 it could not be checked.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from diandian.kernel import clock
from diandian.verifier.audit import head as heads
from diandian.verifier.audit import report as reports
from diandian.verifier.audit import state as states
from diandian.verifier.audit import verdict
from diandian.verifier.audit.findings import Findings
from diandian.verifier.audit.locate import Questions
from diandian.verifier.audit.replay import Replay
from diandian.verifier.audit.source import SMALL_BYTES, Source, SourceError, open_source
from diandian.verifier.audit.tree import Tree, diagnose, grow, rewritten
from diandian.verifier.notes import Checkpoint, NoteError, Verifier
from diandian.verifier.policy import Policy, open_head

UNCHECKED = 2


class Audit:
    """One run. ``is_full`` reads everything again instead of what is new."""

    def __init__(
        self,
        source: Source,
        state: states.State,
        report: reports.Report,
        *,
        policy: Policy | None = None,
        is_full: bool = False,
        is_strict: bool = False,
    ) -> None:
        self.report = report
        self._source = source
        self._before = state
        self._policy = policy
        self._is_strict = is_strict
        start = states.State(keys=state.keys) if is_full else state
        self._tree = Tree(start.roots, start.edge)
        self._replay = Replay(start.book)
        self._findings = Findings()
        # What the next run may rest on; None while nothing is proven.
        self.after: states.State | None = None

    def run(self, keys: Sequence[Verifier]) -> None:
        """Check everything, into the report. Raises: SourceError, FileNotFoundError."""
        opened = self._open(keys)
        if opened is not None:
            note, head = opened
            self._findings.extend(heads.succession(head, self._before))
            if not self._findings:
                self._check(note, head, keys)
        book = self._replay.book
        for found in (book.findings, self._findings):
            self.report.findings += [one for one in found if one not in self.report.findings]
            self.report.findings_not_listed += found.more

    def _open(self, keys: Sequence[Verifier]) -> tuple[str, Checkpoint] | None:
        data = self._source.read(heads.CHECKPOINT, SMALL_BYTES)
        try:
            head, signed = open_head(data, keys, self._policy)
        except NoteError as error:
            self._findings.add("head", str(error))
            return None
        self.report.origin, self.report.size, self.report.root = (
            head.origin,
            head.size,
            head.root.hex(),
        )
        self.report.signatures = [
            reports.Signature(item.name, item.verifier.key_id.hex(), item.timestamp_s)
            for item in signed
        ]
        if self._policy is None:
            self.report.quorum = "not checked, as no policy was given"
            return data.decode(), head
        problem = self._policy.problem(signed)
        self.report.quorum = problem or f"enough for the quorum {self._policy.quorum}"
        if problem:
            self._findings.add("quorum", problem)
        return data.decode(), head

    def _check(self, note: str, head: Checkpoint, keys: Sequence[Verifier]) -> None:
        before, book = self._before, self._replay.book
        old = Tree(before.roots, before.edge)
        self.report.new_entries = head.size - before.size
        self._findings.extend(grow(self._source, self._tree, head.size, self._replay, old))
        is_whole = self._tree.size == head.size
        is_true = is_whole and self._tree.root() == head.root
        if not is_true:
            self._findings.extend(rewritten(self._source, old, head.size) if old.size else [])
            if is_whole:
                self._findings.extend(diagnose(self._source, head, self._tree))
        if book.origin != head.origin and head.size:
            text = f"the first entry opens the log {book.origin or 'of no name'}, not {head.origin}"
            self._findings.add("head", text, 0)
        self._judge(note)
        if is_true and not any(found.rule in {"head", "tree"} for found in self._findings):
            self.after = states.State(
                note=note,
                root=head.root,
                keys=self._before.keys or [key.vkey() for key in keys],
                roots=bytes(self._tree.roots),
                edge=b"".join(self._tree.edge),
                book=book,
                checked_at=self.report.checked_at,
            )

    def _judge(self, note: str) -> None:
        replay, book = self._replay, self._replay.book
        for index, name in replay.unknown_names():
            text = f"it names the retirement {name}, which the log does not hold"
            book.findings.add("R12", text, index)
        for batch in book.batches.values():
            for lane in batch.lanes:
                lane.used.settle()
        questions = Questions(book, replay.tags.doubtful())
        if questions:
            self._look_up(questions)
        book.tags = replay.tags.all.tobytes()
        self._findings.extend(verdict.findings(book, is_strict=self._is_strict))
        self._findings.extend(heads.honoured(book, note))
        self.report.closed_at, self.report.counts = book.closed_at, book.counts
        self.report.batches = [verdict.sums(batch) for batch in book.batches.values()]
        self.report.recalls = [verdict.balance(one) for one in book.recalls.values()]

    def _look_up(self, questions: Questions) -> None:
        try:
            questions.answer(self._source, self._tree)
        except FileNotFoundError as error:
            raise SourceError(f"the log does not serve {error}") from error


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="diandian-audit",
        description=(
            "Audit the public log of the grams: rebuild it from its public files, check its "
            "signatures, and replay every rule. Exit status: 0 nothing found, 1 something found, "
            "2 it could not be checked."
        ),
    )
    parser.add_argument("log", help="the log's address (https://…/log), or a folder with its files")
    parser.add_argument(
        "--key",
        action="append",
        default=[],
        help="the log's public key (name+hash+key), or a file of such; may be repeated",
    )
    parser.add_argument("--policy", type=Path, help="whose cosignatures are needed (tlog-policy)")
    parser.add_argument("--state", type=Path, help="where this run is kept for the next one")
    parser.add_argument("--json", type=Path, help="write the report for programs to this file")
    parser.add_argument(
        "--full", action="store_true", help="read every entry again, not only what is new"
    )
    parser.add_argument(
        "--strict",
        action="store_true",
        help="tonnes that carry claims and are not yet retired outside are findings too",
    )
    return parser.parse_args(argv)


def _audit(arguments: argparse.Namespace) -> reports.Report:
    report = reports.Report(arguments.log, clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"))
    source = open_source(arguments.log)
    policy = heads.read_policy(arguments.policy)
    state = states.load(arguments.state)
    given = heads.keys_given(arguments.key)
    given += [key for key in (policy.logs if policy is not None else ()) if key not in given]
    keys = heads.trusted_keys(source, given, state, report.remarks)
    audit = Audit(
        source,
        state,
        report,
        policy=policy,
        is_full=arguments.full,
        is_strict=arguments.strict,
    )
    try:
        audit.run(keys)
    except FileNotFoundError as error:
        raise SourceError(f"the log does not serve {error.filename or error}") from error
    if arguments.json is not None:
        try:
            arguments.json.write_bytes(report.to_json() + b"\n")
        except OSError as error:
            raise SourceError(f"the report cannot be written: {error}") from error
    if arguments.state is not None and audit.after is not None:
        states.save(arguments.state, audit.after)
    return report


def main(argv: Sequence[str] | None = None) -> int:
    """Audit once, print the report and return the exit status."""
    arguments = _arguments(argv)
    try:
        report = _audit(arguments)
    except SourceError as error:
        print(f"could not check: {error}", file=sys.stderr)
        return UNCHECKED
    for line in reports.lines(report):
        print(line)
    return report.status
