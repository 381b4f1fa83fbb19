"""The clocks of the engine: one that runs while the machine sleeps, and the database's own."""

from __future__ import annotations

import time
from datetime import UTC, datetime

# A suspended machine's leases run out all the same; where there is no such clock, the next best.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def uptime() -> float:
    """Seconds on a clock that never steps and does not stop while the machine is suspended."""
    return time.clock_gettime(_CLOCK)


def utc_now() -> datetime:
    return datetime.now(UTC)
