"""Signs how far the log has grown: files first, then the head's row, witnesses, publication last.

Before anything is signed, what is published, what the high-water file says and what witnesses saw
is compared with the database: a restored backup must not sign another past (L3). Two signers at
once come to one head: the database takes only the first (L2).
*Source:* design of the registry, section 5; decision 0051.
"""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from diandian.kernel.clock import now
from diandian.transparency import keys, queries, witnesses
from diandian.transparency.files import DamagedFilesError, LogFiles, folder_of
from diandian.transparency.heads import actions, high_water, trouble
from diandian.transparency.heads.high_water import HighWaterError, Mark
from diandian.transparency.heads.trouble import RefusedError
from diandian.transparency.models import LogCheckpoint, LogHead
from diandian.transparency.witnesses import Witness, WitnessConflictError, WitnessSilentError
from diandian.verifier import notes
from diandian.verifier.merkle import (
    EMPTY_ROOT,
    consistency_proof,
    root_at,
)
from diandian.verifier.notes import Checkpoint, NoteError, open_note, sign
from diandian.verifier.policy import PolicyError
from diandian.verifier.tiles import TILE_WIDTH, HashReader, TileError

log = logging.getLogger(__name__)

_ASK_AGAIN_SECONDS = 30


@dataclass
class _Seen:
    """What a witness has seen of a log, as far as we know."""

    size: int | None = None
    ask_again_at: float = float("-inf")


@dataclass
class HeadSigner:
    """Looks after the heads of one log. ``number``: its number in the addresses."""

    number: int
    files: LogFiles = field(init=False)
    _seen: dict[str, _Seen] = field(default_factory=dict)
    _has_looked: bool = False
    _marked: int = 0

    def __post_init__(self) -> None:
        self.files = LogFiles(folder_of(self.number))

    def turn(self, head: LogHead, at: datetime) -> bool:
        """Sign, publish and have witnessed what is new. False when nothing was.

        Raises: RefusedError, SigningKeyMissingError.
        """
        # Until a look found nothing wrong, also where nothing is new.
        if head.refusal or not self._has_looked:
            self.look(head, at)
        try:
            published = self.files.published()
            # Another signer may just have published more than was there when the caller looked.
            head.refresh_from_db()
            last = queries.last_checkpoint(head)
            is_signed = last is not None and last.size == head.size
            is_published = last is not None and published == last.full_note
            if not (is_signed and is_published):
                last = self._bring_up_to_date(head, last, published, at)
            if last is None:
                return False
            is_witnessed = self._have_witnessed(head, last)
            if published != last.full_note and queries.last_checkpoint(head) == last:
                self.files.publish(last.full_note)
            self._keep_mark(head, last)
        except (DamagedFilesError, TileError, NoteError) as error:
            raise RefusedError(trouble.DAMAGED, str(error)) from error
        return is_witnessed or not (is_signed and is_published)

    def look(self, head: LogHead, at: datetime) -> None:
        """Compare all that is known from outside with the entries; sign nothing.

        What a witness said once counts until it says otherwise. Raises: RefusedError,
        SigningKeyMissingError.
        """
        self._has_looked = False
        try:
            published = self.files.published()
            # Read after the files: whoever signs meanwhile signs what is committed.
            head.refresh_from_db()
            if published is not None:
                self._compare_published(head, self._shown(head, published))
            if queries.keys_of(head):
                self._compare_mark(head)
                self._ask_first(head, at)
        except (DamagedFilesError, TileError, NoteError) as error:
            raise RefusedError(trouble.DAMAGED, str(error)) from error
        if head.refusal == trouble.BEHIND_WITNESS and not self._all_have_answered():
            raise RefusedError(trouble.BEHIND_WITNESS, "it does not answer now")
        self._has_looked = True

    # -- what was published -------------------------------------------------------------------

    def _bring_up_to_date(
        self, head: LogHead, last: LogCheckpoint | None, published: str | None, at: datetime
    ) -> LogCheckpoint | None:
        """Return a stored head over all entries, its files written; None when another was first."""
        if not queries.keys_of(head):
            first = keys.vkey_of(head.origin, keys.first_key())
            actions.register_key(head, first, at=at)
        self._compare_mark(head)
        built = 0
        if published is not None:
            shown = self._shown(head, published)
            last = self._compared(head, last, shown, published, at)
            built = shown.size
        self._ask_first(head, at)
        if built < head.size:
            full = built // TILE_WIDTH * TILE_WIDTH
            self.files.grow(built, head.size, queries.bodies(head, full, head.size))
        try:
            reader = HashReader(self.files.read, head.size)
            if last is not None and root_at(last.size, reader.hash_at).hex() != last.root:
                raise RefusedError(trouble.DAMAGED, f"the first {last.size} have another root")
            if last is not None and last.size == head.size:
                return last
            return self._signed(head, last, root_at(head.size, reader.hash_at), at)
        except FileNotFoundError as error:
            raise DamagedFilesError(str(error.filename)) from error

    def _shown(self, head: LogHead, published: str) -> Checkpoint:
        own = keys.verifiers(queries.keys_of(head)) or [keys.first_verifier(head.origin)]
        text, _ = open_note(published, own)
        shown = Checkpoint.parse(text)
        if shown.origin != head.origin:
            raise RefusedError(trouble.DIFFERS_FROM_PUBLISHED, f"it is of {shown.origin}")
        return shown

    def _compared(
        self,
        head: LogHead,
        last: LogCheckpoint | None,
        shown: Checkpoint,
        published: str,
        at: datetime,
    ) -> LogCheckpoint | None:
        """Compare what is published with the entries; return the newest head that is known (L3)."""
        row = self._compare_published(head, shown)
        if row is not None or (last is not None and shown.size < last.size):
            return last
        # The entries are all there, only the row of their head is lost: it counts as signed.
        return actions.keep_checkpoint(
            head,
            size=shown.size,
            previous_size=last.size if last is not None else 0,
            root=shown.root,
            note=published,
            at=at,
        )

    def _compare_published(self, head: LogHead, shown: Checkpoint) -> LogCheckpoint | None:
        if shown.size > head.size:
            raise RefusedError(trouble.BEHIND_PUBLISHED, f"{head.size} of {shown.size}")
        row, root = _at(head, shown.size)
        if root != shown.root:
            raise RefusedError(trouble.DIFFERS_FROM_PUBLISHED, f"at {shown.size} entries")
        return row

    # -- what was signed, as the file says that does not come back with a backup ---------------

    def _compare_mark(self, head: LogHead) -> None:
        try:
            mark = high_water.read(head.origin, keys.verifiers(queries.keys_of(head))[0])
        except HighWaterError as error:
            raise RefusedError(trouble.DIFFERS_FROM_HIGH_WATER, str(error)) from error
        if mark is None:
            return
        if mark.size > head.size:
            raise RefusedError(trouble.BEHIND_HIGH_WATER, f"{head.size} of {mark.size}")
        if _at(head, mark.size)[1] != mark.root:
            raise RefusedError(trouble.DIFFERS_FROM_HIGH_WATER, f"at {mark.size} entries")

    def _keep_mark(self, head: LogHead, last: LogCheckpoint) -> None:
        """Write down how far was published; once for each head."""
        if self._marked == last.size or high_water.path() is None:
            return
        first = keys.verifiers(queries.keys_of(head))[0]
        high_water.raise_to(head.origin, first, Mark(last.size, bytes.fromhex(last.root)))
        self._marked = last.size

    def _signed(
        self, head: LogHead, last: LogCheckpoint | None, root: bytes, at: datetime
    ) -> LogCheckpoint | None:
        text = Checkpoint(head.origin, head.size, root).text()
        signers = _signers(head, at)
        return actions.keep_checkpoint(
            head,
            size=head.size,
            previous_size=last.size if last is not None else 0,
            root=root,
            note=sign(text, signers),
            at=at,
        )

    # -- what witnesses saw -------------------------------------------------------------------

    def _ask_first(self, head: LogHead, at: datetime) -> None:
        """Ask each witness how far it has seen this log, with the head of no entries (L3)."""
        waiting = [each for each in _witnesses() if self._of(each).size is None]
        if not waiting:
            return
        signers = _signers(head, at)
        empty = sign(Checkpoint(head.origin, 0, EMPTY_ROOT).text(), signers)
        for witness in self._due(waiting):
            seen = self._of(witness)
            try:
                witnesses.ask(witness, 0, [], empty)
                seen.size = 0
            except WitnessConflictError as error:
                seen.size = error.size
                if error.size is not None and error.size > head.size:
                    seen.size = None
                    raise RefusedError(trouble.BEHIND_WITNESS, str(error)) from error
            except WitnessSilentError as error:
                self._later(witness, error)

    def _all_have_answered(self) -> bool:
        return all(self._of(each).size is not None for each in _witnesses())

    def _have_witnessed(self, head: LogHead, row: LogCheckpoint) -> bool:
        """Collect the signatures that are missing on a head. True when there are new ones."""
        missing = [each for each in _witnesses() if not _has_signed(each, row)]
        fresh: list[str] = []
        for witness in self._due(missing):
            try:
                fresh += self._cosigned(head, row, witness)
            except WitnessSilentError as error:
                self._later(witness, error)
        if fresh:
            actions.add_cosignatures(row, fresh)
        return bool(fresh)

    def _cosigned(self, head: LogHead, row: LogCheckpoint, witness: Witness) -> list[str]:
        """Ask one witness; where it has seen another size than we thought, once more from there.

        Raises: RefusedError, WitnessSilentError.
        """
        seen = self._of(witness)
        for _ in range(2):
            old_size = seen.size or 0
            reader = HashReader(self.files.read, row.size)
            proof = consistency_proof(old_size, row.size, reader.hash_at)
            try:
                lines = witnesses.ask(witness, old_size, proof, row.note)
            except WitnessConflictError as error:
                if error.size is None or error.size == old_size:
                    raise RefusedError(trouble.DIFFERS_FROM_WITNESS, str(error)) from error
                if error.size > head.size:
                    raise RefusedError(trouble.BEHIND_WITNESS, str(error)) from error
                seen.size = error.size
                if error.size > row.size:
                    return []
            else:
                seen.size = row.size
                return lines
        raise WitnessSilentError(f"{witness.name} changes its size while it is asked")

    def _of(self, witness: Witness) -> _Seen:
        return self._seen.setdefault(witness.name, _Seen())

    def _due(self, found: list[Witness]) -> Iterator[Witness]:
        for witness in found:
            if self._of(witness).ask_again_at <= time.monotonic():
                yield witness

    def _later(self, witness: Witness, error: Exception) -> None:
        log.warning("a witness did not answer and is asked again later: %s", error)
        self._of(witness).ask_again_at = time.monotonic() + _ASK_AGAIN_SECONDS


def _witnesses() -> list[Witness]:
    """Return whom to ask; an unreadable file asks nobody, and says so."""
    try:
        return witnesses.witnesses()
    except (OSError, PolicyError) as error:
        log.error("the file of witnesses cannot be read, so nobody is asked: %s", error)  # noqa: TRY400
        return []


def _has_signed(witness: Witness, row: LogCheckpoint) -> bool:
    try:
        open_note(row.full_note, [witness.verifier])
    except NoteError:
        return False
    return True


def _signers(head: LogHead, at: datetime) -> list[notes.Signer]:
    """Return who signs now. Raises: SigningKeyMissingError.

    Of a log that just got its first key from another signer, after our turn had begun: that one.
    """
    return keys.signers(head.origin, queries.keys_of(head, at=at) or queries.keys_of(head)[:1])


def _at(head: LogHead, size: int) -> tuple[LogCheckpoint | None, bytes]:
    """Return the signed head of a size, if it is stored, and the root of the first entries."""
    row = queries.checkpoint_at(head, size)
    return row, bytes.fromhex(row.root) if row is not None else queries.root_at(head, size)


class Signer:
    """Looks after all logs of this installation: the open one, and closed ones to their end."""

    def __init__(self) -> None:
        self._heads: dict[str, HeadSigner] = {}

    def turn(self, *, at: datetime | None = None) -> int:
        """Give each log its turn. Returns for how many something was done.

        What may not be signed is told once, in the program's log and on the status page.
        """
        at = at or now()
        return sum(self._turn_of(number, head, at) for number, head in queries.numbered_heads())

    def _turn_of(self, number: int, head: LogHead, at: datetime) -> bool:
        signer = self._heads.setdefault(head.origin, HeadSigner(number))
        try:
            done = signer.turn(head, at)
        except RefusedError as error:
            if actions.set_refusal(head, error.code):
                log.error("the public log %s is not signed: %s", head.origin, error)  # noqa: TRY400
            return False
        if head.refusal and actions.set_refusal(head, ""):
            log.info("the public log %s is signed again", head.origin)
        return done
