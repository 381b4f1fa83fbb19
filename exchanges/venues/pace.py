"""Keeps one budget on the loop's clock."""

from __future__ import annotations

import time

from exchanges.errors import RateLimitError
from exchanges.gateway import HTTP_TIMEOUT_SECONDS
from exchanges.pacing import Budget, PaceState, pause, reserve

LONGEST_WAIT_SECONDS = HTTP_TIMEOUT_SECONDS  # older decisions are not worth sending


class Pace:
    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._state = PaceState()

    def reserve(self, cost: float) -> float:
        """Seconds to wait before sending. Raises RateLimitError, and books nothing, when too many."""
        state, wait = reserve(self._budget, self._state, now=time.monotonic(), cost=cost)
        if wait > LONGEST_WAIT_SECONDS:
            raise RateLimitError(
                f"Nothing was sent: the venue's rate limit is used up for another {wait:.0f} s; "
                "bots go on by themselves after that.",
                retry_after=wait,
            )
        self._state = state
        return wait

    def pause(self, seconds: float) -> None:
        """Obeys a venue's Retry-After."""
        self._state = pause(self._state, now=time.monotonic(), seconds=seconds)
