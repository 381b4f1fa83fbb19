"""Keeps one budget on the loop's clock."""

from __future__ import annotations

import time

from exchanges.errors import RateLimitError
from exchanges.gateway import HTTP_TIMEOUT_SECONDS
from exchanges.pacing import Budget, PaceState, pause, reserve, seconds_until_idle

LONGEST_WAIT_SECONDS = HTTP_TIMEOUT_SECONDS  # older decisions are not worth sending


class Pace:
    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._state = PaceState()

    def reserve(self, cost: float) -> float:
        """Seconds to wait before sending. Raises RateLimitError, and books nothing, when too many.

        Who is refused waits until the budget is whole: with less, a round of many requests would be refused
        in its middle again and again, and never get through.
        """
        now = time.monotonic()
        state, wait = reserve(self._budget, self._state, now=now, cost=cost)
        if wait > LONGEST_WAIT_SECONDS:
            rest = max(wait, seconds_until_idle(self._budget, self._state, now=now))
            raise RateLimitError(
                f"Nothing was sent: the venue's rate limit is used up for another {rest:.0f} s; "
                "bots go on by themselves after that.",
                retry_after=rest,
            )
        self._state = state
        return wait

    def pause(self, seconds: float) -> None:
        """Obeys a venue's Retry-After."""
        self._state = pause(self._state, now=time.monotonic(), seconds=seconds)
