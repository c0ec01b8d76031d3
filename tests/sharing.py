"""How two processes share the tests: by file, and all browser tests to one of them.

A file's tests share what its fixtures made once; the browser tests share one demo. Groups of
pytest-xdist itself are written into node ids, which pytest 9.2 no longer lets it (its issue 1386).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xdist.scheduler import LoadFileScheduling

if TYPE_CHECKING:
    from collections.abc import Iterable

BROWSER = "tests/browser/"
# What takes most of a processor's seconds: begun last, it would let the other process wait for it.
# pytest-xdist goes by the number of tests, and some of the longest files have three.
FIRST = (
    BROWSER,
    "tests/simulator/test_mutations.py",
    "tests/simulator/test_simulator.py",
    "tests/simulator/test_crowd.py",
    "tests/certificates/test_designs.py",
    "tests/office/test_desk_language.py",
    "tests/simulator/test_forgeries.py",
    "tests/office/test_recalls.py",
    "tests/doors/test_api_contract.py",
    "tests/jobs/test_desk.py",
    "tests/jobs/test_seed.py",
    "tests/flows/test_withdrawal.py",
)


def unit(node_id: str) -> str:
    """Return what the test of that node id shares with others: its file, or the browser's demo."""
    return BROWSER if node_id.startswith(BROWSER) else node_id.split("::", 1)[0]


def next_unit(waiting: Iterable[str]) -> str:
    """Return the unit to begin next: one of ``FIRST``, else the first that waits."""
    place = {name: number for number, name in enumerate(FIRST)}
    return min(waiting, key=lambda name: place.get(name, len(FIRST)))


class Sharing(LoadFileScheduling):
    """Gives a process one file after the other, the longest first."""

    def _split_scope(self, nodeid: str) -> str:
        return unit(nodeid)

    def _assign_work_unit(self, node: Any) -> None:
        self.workqueue.move_to_end(next_unit(self.workqueue), last=False)
        super()._assign_work_unit(node)
