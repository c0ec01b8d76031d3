"""The book of credits: batches of serial-numbered tonnes, and which of their grams are used.

Grams of a batch have addresses 0 .. total_g; gram g lies in serial ``first + g // 1_000_000``.
The chain key makes a second use of any gram impossible in the database itself: a range begins only
where exactly one existing range of its lane ends, and each end is continued at most once.
*Source:* design of the registry, sections 2 and 3 (R1 to R8).
"""

from diandian.registry.models.batches import (
    AdjustmentDeclaration,
    AdjustmentStatus,
    BatchState,
    CreditBatch,
    CreditClass,
    Custody,
    SerialBlock,
    UpstreamRetirement,
)
from diandian.registry.models.catalogue import (
    Programme,
    Project,
)
from diandian.registry.models.lanes import (
    LANE_STRIDE,
    Allocation,
    AllocationKind,
    Holding,
    HoldState,
    Lane,
    LaneKind,
)
from diandian.registry.models.recalls import (
    Recall,
    RecallKind,
    RecallState,
    Remedy,
    RemedyOutcome,
)
from diandian.registry.models.requests import (
    CancellationRequest,
    RequestState,
)
from diandian.registry.models.retirements import (
    Beneficiary,
    Retirement,
)
from diandian.registry.models.sites import ProjectSite
from diandian.registry.serials import GRAMS_PER_CREDIT

__all__ = [
    "GRAMS_PER_CREDIT",
    "LANE_STRIDE",
    "AdjustmentDeclaration",
    "AdjustmentStatus",
    "Allocation",
    "AllocationKind",
    "BatchState",
    "Beneficiary",
    "CancellationRequest",
    "CreditBatch",
    "CreditClass",
    "Custody",
    "HoldState",
    "Holding",
    "Lane",
    "LaneKind",
    "Programme",
    "Project",
    "ProjectSite",
    "Recall",
    "RecallKind",
    "RecallState",
    "Remedy",
    "RemedyOutcome",
    "RequestState",
    "Retirement",
    "SerialBlock",
    "UpstreamRetirement",
]
