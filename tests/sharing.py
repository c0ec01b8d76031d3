"""How two processes share the tests: by file, and all browser tests to one of them.

A file's tests share what its fixtures made once; the browser tests share one demo. Groups of
pytest-xdist itself are written into node ids, which pytest 9.2 no longer lets it (its issue 1386).
"""

from __future__ import annotations

from xdist.scheduler import LoadFileScheduling

BROWSER = "tests/browser/"


def unit(node_id: str) -> str:
    """Return what the test of that node id shares with others: its file, or the browser's demo."""
    return BROWSER if node_id.startswith(BROWSER) else node_id.split("::", 1)[0]


class Sharing(LoadFileScheduling):
    """Gives a process one file after the other."""

    def _split_scope(self, nodeid: str) -> str:
        return unit(nodeid)
