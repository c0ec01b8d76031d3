"""The product's own server with a gateway that takes its time: how long, the environment says."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

from diandian.__main__ import main
from diandian.payments.gateways.sandbox.gateway import SandboxGateway

SECONDS = int(os.environ.get("BENCH_SILENT_SECONDS", "30"))
_query = SandboxGateway.query_payment


def _slow(self: SandboxGateway, *given: Any, **named: Any) -> Any:  # noqa: ANN401
    time.sleep(SECONDS)
    return _query(self, *given, **named)


if __name__ == "__main__":
    # Workers are forked from this process, and so have it too.
    SandboxGateway.query_payment = _slow  # type: ignore[method-assign]
    sys.exit(main())
