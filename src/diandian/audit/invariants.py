"""What must hold of the trail, at any moment."""

from diandian.audit.breaches import Breach
from diandian.audit.queries import verify_chain


def check() -> list[Breach]:
    """Return the first broken seal of the trail, if any."""
    broken = verify_chain()
    if broken is None:
        return []
    return [Breach("A1", f"audit:{broken}", "this entry or the one before it was changed")]
