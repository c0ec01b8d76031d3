"""Checks what a certificate says of the public log: its entry, and the proof that it stands there.

The proof is made after the certificate was signed, so it comes beside it. *Source:* decision 0027;
design of the registry, section 6: leaf, inclusion, the log's signature, quorum, grams.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from diandian.verifier import entries, proof
from diandian.verifier.checks import Check
from diandian.verifier.merkle import ProofError
from diandian.verifier.notes import NoteError, Verifier
from diandian.verifier.policy import Policy

Record = Mapping[str, Any]
KEY, PROOF_KEY = "log", "log proof"
OLDER = "this certificate names no entry of the public log: it was signed before there was one"


def _disagreement(record: Record, entry: Mapping[str, Any]) -> str:
    """Return how the entry and the record differ, or ""."""
    if entry["type"] != "retire" or entry["retirement"] != record["retirement"]:
        return "the entry is of another retirement"
    ranges = [[part["batch"], part["start_g"], part["end_g"]] for part in record["ranges"]]
    if entry["ranges"] != ranges:
        return "the entry holds other grams"
    if sum(end_g - start_g for _, start_g, end_g in entry["ranges"]) != record["mass_g"]:
        return "the entry holds another number of grams"
    if entry["commit"] != record["subject_commit"]:
        return "the entry seals another subject"
    return "" if entry["sample"] == record["sample"] else "only one of the two is a sample"


def _entry_problem(record: Record) -> str:
    log = record["log"]
    if log.keys() != {"origin", "index", "entry"}:
        return "it names more or less than a log, an index and an entry"
    if type(log["origin"]) is not str or type(log["index"]) is not int or log["index"] < 0:
        return "the name of the log or the index is none"
    entries.require(log["entry"])
    return _disagreement(record, log["entry"])


def _entry(record: Record) -> Check:
    try:
        problem = _entry_problem(record)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        problem = f"cannot be read ({type(error).__name__}: {error})"
    return Check(KEY, not problem, problem)


def _proof(record: Record, text: str, keys: Sequence[Verifier], policy: Policy | None) -> Check:
    log = record["log"]
    try:
        shown = proof.check(text, entries.encode(log["entry"]), keys, quorum=policy)
    except (ProofError, NoteError) as error:
        return Check(PROOF_KEY, ok=False, detail=str(error))
    if (shown.checkpoint.origin, shown.index) != (log["origin"], log["index"]):
        detail = (
            f"it is for entry {shown.index} of {shown.checkpoint.origin}, the certificate names "
            f"entry {log['index']} of {log['origin']}"
        )
        return Check(PROOF_KEY, ok=False, detail=detail)
    cosigned = [item.name for item in shown.signed if item.verifier not in keys]
    seen = f"witnessed by {', '.join(cosigned)}" if cosigned else "witnesses were not asked for"
    detail = f"entry {shown.index} of {shown.checkpoint.size} in {log['origin']}; {seen}"
    return Check(PROOF_KEY, ok=True, detail=detail)


def checks(
    record: Record,
    proof_text: str | None = None,
    keys: Sequence[Verifier] = (),
    policy: Policy | None = None,
) -> list[Check]:
    """Return what holds of a certificate's place in the log; nothing malformed raises.

    ``keys``: those of the log, under its name. ``policy``: whose cosignatures are needed.
    """
    if record.get("log") is None:
        if proof_text is None:
            return [Check(KEY, ok=True, detail=OLDER)]
        return [Check(KEY, ok=False, detail="a proof was given, but the certificate has no entry")]
    found = [_entry(record)]
    if proof_text is not None and found[0].ok:
        found.append(_proof(record, proof_text, keys, policy))
    return found
