"""What suppliers are owed and how they get it; opaque references to orders and payments."""

from diandian.settlement.models.parts import (
    MOVING,
    UNPAID,
    Batch,
    BatchFile,
    BatchState,
    Line,
    LineKind,
    LineState,
    Rail,
    RestState,
    Return,
    ReturnWay,
    Split,
    SplitState,
)
from diandian.settlement.models.payees import Payee, PayeeKind, PayeeState

__all__ = [
    "MOVING",
    "UNPAID",
    "Batch",
    "BatchFile",
    "BatchState",
    "Line",
    "LineKind",
    "LineState",
    "Payee",
    "PayeeKind",
    "PayeeState",
    "Rail",
    "RestState",
    "Return",
    "ReturnWay",
    "Split",
    "SplitState",
]
