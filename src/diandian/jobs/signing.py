"""Keeps a candidate for the log signer's office running beside the worker's other tasks."""

from diandian.jobs.turning import Turning
from diandian.store.leadership import Leadership
from diandian.transparency.heads.signer import Signer

# Any number that nothing else in the database locks by.
_OFFICE = 3_688
_EVERY_SECONDS = 1.0


class Signing(Turning):
    """Signs, each second in which there is news, until asked to stop.

    Two at once do no harm, they only hinder each other: so one has the office.
    """

    trouble = "the public log was not signed; its entries wait"

    def __init__(self) -> None:
        super().__init__("log signer")
        self._signer = Signer()
        self._leadership = Leadership(_OFFICE)

    def turn(self) -> float:
        """Sign what is new, if the office is ours."""
        if self._leadership.take():
            self._signer.turn()
        return _EVERY_SECONDS

    def leave(self) -> None:
        """Let another sign."""
        self._leadership.give_up()
