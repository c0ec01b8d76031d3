"""One audit, from the heads to the verdict."""

from collections.abc import Sequence

from diandian.verifier.audit import head as heads
from diandian.verifier.audit import report as reports
from diandian.verifier.audit import verdict
from diandian.verifier.audit.book import Book
from diandian.verifier.audit.findings import Findings
from diandian.verifier.audit.locate import Questions, Read
from diandian.verifier.audit.replay import Replay
from diandian.verifier.audit.source import SMALL_BYTES, Source, SourceError
from diandian.verifier.audit.state import Seen, State
from diandian.verifier.audit.tree import Tree, diagnose, grow, rewritten
from diandian.verifier.notes import Checkpoint, NoteError, Verifier
from diandian.verifier.policy import Policy, open_head


class Audit:
    """One run over a log and those that it continues, oldest first, into a report.

    ``is_full`` reads every entry again instead of what is new. ``is_strict``: see ``verdict``.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        state: State,
        report: reports.Report,
        *,
        keys: Sequence[Verifier] = (),
        policy: Policy | None = None,
        is_full: bool = False,
        is_strict: bool = False,
    ) -> None:
        if len(state.logs) > len(sources):
            names = ", ".join(seen.origin for seen in state.logs)
            raise SourceError(f"the last run saw {names}: give them all, oldest first")
        self.report = report
        self._sources = sources
        self._before = state
        self._given = keys
        self._policy = policy
        self._is_strict = is_strict
        self._book = Book() if is_full else state.book
        # The book already goes this far: the number of the log that it speaks of last.
        self._reached = -1 if is_full else len(state.logs) - 1
        self._replay = Replay(self._book)
        self._findings = Findings()
        self._read: list[Read] = []
        self._seen: list[Seen] = []

    def run(self) -> State | None:
        """Check everything; return what the next run may rest on, if that is proven.

        Raises: SourceError, FileNotFoundError.
        """
        is_true = all(self._log(number) for number in range(len(self._sources)))
        if len(self._read) == len(self._sources):
            self._judge()
        for found in (self._book.findings, self._findings):
            self.report.findings += [one for one in found if one not in self.report.findings]
            self.report.findings_not_listed += found.more
        if not is_true or any(one.rule in {"head", "tree"} for one in self._findings):
            return None
        return State(logs=self._seen, book=self._book, checked_at=self.report.checked_at)

    def _log(self, number: int) -> bool:
        """Check one log; tell whether its entries are those under its head."""
        source = self._sources[number]
        known = self._before.logs
        seen = known[number] if number < len(known) else Seen()
        keys = heads.trusted_keys(source, self._given, seen, self._before.book, self.report.remarks)
        data = source.read(heads.CHECKPOINT, SMALL_BYTES)
        head = self._open(data, keys)
        if head is None:
            return False
        problems = heads.succession(head, seen)
        self._findings.extend(problems)
        if problems:
            return False
        if self._read:
            past = self._seen[-1]
            self.report.continues.append(reports.Past(past.origin, past.size, past.root.hex()))
        self._seen.append(
            Seen(
                origin=head.origin,
                size=head.size,
                root=head.root,
                note=data.decode(),
                keys=seen.keys or [key.vkey() for key in keys if key.name == head.origin],
            )
        )
        return self._entries(number, source, head, seen)

    def _open(self, data: bytes, keys: Sequence[Verifier]) -> Checkpoint | None:
        try:
            head, signed = open_head(data, keys, self._policy)
        except NoteError as error:
            self._findings.add("head", str(error))
            return None
        report = self.report
        report.origin, report.size, report.root = head.origin, head.size, head.root.hex()
        report.signatures = [
            reports.Signature(item.name, item.verifier.key_id.hex(), item.timestamp_s)
            for item in signed
        ]
        if self._policy is None:
            report.quorum = "not checked, as no policy was given"
            return head
        problem = self._policy.problem(signed)
        report.quorum = problem or f"enough for the quorum {self._policy.quorum}"
        if problem:
            self._findings.add("quorum", problem)
        return head

    def _entries(self, number: int, source: Source, head: Checkpoint, seen: Seen) -> bool:
        """Read the entries under a head; tell whether they are those."""
        earlier = Tree(seen.roots, seen.edge)
        is_known = number <= self._reached
        tree = Tree(seen.roots, seen.edge) if is_known else Tree()
        if number < self._reached:
            if head.size != seen.size:
                self._findings.add(
                    "head", f"the log {head.origin} grew, though another continues it"
                )
                return False
        else:
            if not is_known:
                self._begin(number)
            self._findings.extend(grow(source, tree, head.size, self._replay, earlier))
            if head.size and self._book.origin != head.origin:
                opened = self._book.origin or "of no name"
                text = f"the first entry opens the log {opened}, not {head.origin}"
                self._findings.add("head", text, 0)
        self.report.new_entries += head.size - seen.size
        self._read.append(Read(head.origin, source, tree))
        self._seen[-1].roots, self._seen[-1].edge = bytes(tree.roots), b"".join(tree.edge)
        is_whole = tree.size == head.size
        if is_whole and tree.root() == head.root:
            return True
        self._findings.extend(rewritten(source, earlier, head.size) if earlier.size else [])
        if is_whole:
            self._findings.extend(diagnose(source, head, tree))
        return False

    def _begin(self, number: int) -> None:
        if number == 0:
            self._replay.begin(None)
            return
        past = self._seen[number - 1]
        self._replay.begin({"origin": past.origin, "size": past.size, "root": past.root.hex()})

    def _judge(self) -> None:
        replay, book = self._replay, self._book
        for index, name in replay.unknown_names():
            text = f"it names the retirement {name}, which the log does not hold"
            book.findings.add("R12", text, index)
        for batch in book.batches.values():
            for lane in batch.lanes:
                lane.used.settle()
        questions = Questions(book, replay.tags.doubtful())
        if questions:
            questions.answer(self._read)
        book.tags = replay.tags.all.tobytes()
        self._findings.extend(verdict.findings(book, is_strict=self._is_strict))
        self._findings.extend(heads.honoured(book, self._seen[-1].note))
        self.report.closed_at, self.report.counts = book.closed_at, book.counts
        self.report.batches = [verdict.sums(batch) for batch in book.batches.values()]
        self.report.recalls = [verdict.balance(one) for one in book.recalls.values()]
