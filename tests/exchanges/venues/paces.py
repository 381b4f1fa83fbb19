"""For tests of budgets."""

from __future__ import annotations

from exchanges.venues.pace import Pace


def reserve(pace: Pace, cost: float) -> float:
    """Books it as an order does; the seconds until it may leave."""
    wait = pace.seconds_to_wait(cost)
    pace.book(cost)
    return wait
