"""The lines of a crowd: each loses a question or an answer, and at times the wire itself breaks."""

from collections import Counter
from datetime import timedelta

from diandian.kernel.clock import now
from diandian.payments.errors import UnknownGatewayError
from diandian.payments.gateway import gateways
from tests.simulator.stage import LostError

_CHANGES = ("create_payment", "close_payment", "refund", "split", "reverse_split")
_QUESTIONS = ("query_payment", "query_refund", "query_split", "query_reversal", "fetch_statement")
_CALLS = (*_CHANGES, *_QUESTIONS)
# Many of them are made in one act, which loses one question or answer: here each has a chance.
_OF_SETTLING = ("split", "reverse_split", "query_split", "query_reversal", "fetch_statement")
_BREAKS, _LOSSES, _STORMS, _AIMED = 0.1, 0.05, 0.0001, 0.7
_STORM_LASTS = timedelta(seconds=45)


class Wires:
    """All lines. ``fault``: of the next call, "before" or "after" the bank did it.

    ``met``: how often which fault of a wire was on order, and how many calls there were.
    """

    def __init__(self, banks, dice, patience):
        self.fault, self.is_calm = "", False
        self.met = Counter()
        self._dice, self._patience = dice, patience
        self._wires = {bank.gateway: _Wire(self, bank) for bank in banks}

    def gateway_of(self, key):
        """Stand in for ``merchants.gateway_of``."""
        if key not in self._wires:
            raise UnknownGatewayError
        return self._wires[key]

    def breaks(self, bank, call, storm_until):
        """Perhaps break the wire to a bank; return whether, and until when its storm lasts."""
        if self.is_calm or not bank.has_wire:
            return False, None
        if storm_until is None and self._dice.random() < _STORMS:
            storm_until = now() + _STORM_LASTS
            self.met[f"{bank.gateway} storm"] += 1
        is_storm = storm_until is not None and now() < storm_until
        if not is_storm and self._dice.random() >= _BREAKS:
            return False, None
        # Of calls that change something, mostly that very question, not one on the way to it.
        is_aimed = call in _CHANGES and self._dice.random() < _AIMED
        kind = bank.break_wire(self._dice, call=call, is_aimed=is_aimed, is_storm=is_storm)
        self._patience.is_short = kind.startswith("timeout")
        self.met[f"{bank.gateway} {kind}"] += 1
        return True, storm_until if is_storm else None

    def loses(self):
        """Return what is lost of one question among many, "" for nothing."""
        if self.is_calm or self._dice.random() >= _LOSSES:
            return ""
        return self._dice.choice(("before", "after"))

    def mend(self, bank):
        """Have a wire whole again, whether its fault was met or not."""
        self._patience.is_short = False
        bank.mend_wire()


class _Wire:
    """The line to one bank, through its real adapter."""

    def __init__(self, wires, bank):
        self._wires, self._bank = wires, bank
        self._adapter = gateways()[bank.gateway]
        self._storm_until = None

    def __getattr__(self, name):
        real = getattr(self._adapter, name)
        if name not in _CALLS:
            return real

        def call(*args, **kwargs):
            wires = self._wires
            fault, wires.fault = wires.fault, ""
            wires.met[f"{self._bank.gateway} calls"] += 1
            if name in _OF_SETTLING:
                wires.met[f"{self._bank.gateway} {name}"] += 1
                fault = fault or wires.loses()
            if fault == "before":
                raise LostError
            self._bank.follow(now())
            is_broken, self._storm_until = wires.breaks(self._bank, name, self._storm_until)
            if name == "refund":
                self._bank.refunds.append(args[1].refund_no)
            try:
                answer = real(*args, **kwargs)
            finally:
                if is_broken:
                    wires.mend(self._bank)
            if fault == "after":
                raise LostError
            return answer

        return call
