"""``diandian-audit LOG``: audit the public log of the grams, without an account.

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
from diandian.verifier.audit.run import Audit
from diandian.verifier.audit.source import SourceError, open_source

UNCHECKED = 2


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="diandian-audit",
        description=(
            "Audit the public log of the grams: rebuild it from its public files, check its "
            "signatures, and replay every rule. Exit status: 0 nothing found, 1 something found, "
            "2 it could not be checked."
        ),
    )
    parser.add_argument(
        "log",
        nargs="+",
        help="the log's address (https://…/log), or a folder with its files; before it, those that "
        "it continues, oldest first",
    )
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
    where = " ".join(arguments.log)
    report = reports.Report(where, clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"))
    policy = heads.read_policy(arguments.policy)
    keys = heads.keys_given(arguments.key)
    keys += [key for key in (policy.logs if policy is not None else ()) if key not in keys]
    audit = Audit(
        [open_source(address) for address in arguments.log],
        states.load(arguments.state),
        report,
        keys=keys,
        policy=policy,
        is_full=arguments.full,
        is_strict=arguments.strict,
    )
    try:
        after = audit.run()
    except FileNotFoundError as error:
        raise SourceError(f"the log does not serve {error.filename or error}") from error
    if arguments.json is not None:
        try:
            arguments.json.write_bytes(report.to_json() + b"\n")
        except OSError as error:
            raise SourceError(f"the report cannot be written: {error}") from error
    if arguments.state is not None and after is not None:
        states.keep(arguments.state, after)
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
        # Names come from the log: what is no letter or sign is not sent to a terminal.
        print("".join(letter if letter.isprintable() else "?" for letter in line))
    return report.status
