"""How often one may ask: private requests per user, public ones per address, in a bucket that leaks.

Source: "REST API rate limits" of Advanced Trade: 30 and 10 a second.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.lab.clock import Clock
from tests.lab.coinbase.errors import TooManyRequestsError


@dataclass
class Limits:
    """private_per_second: of a user; public_per_second: of an address; both may come at once after a pause.

    page_size: the most rows of one answer, whatever was asked for.
    pending_ms: how long a new order is PENDING before it is shown as what it is.
    """

    private_per_second: int = 30
    public_per_second: int = 10
    page_size: int = 250
    pending_ms: int = 20


class Meter:
    """One leaking bucket for each user and each address."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._levels: dict[tuple[str, str], tuple[float, int]] = {}

    def charge(self, kind: str, whose: str, per_second: int) -> dict[str, str]:
        """The headers that tell what is left. Raises TooManyRequestsError."""
        now = self._clock.true_ms()
        level, since = self._levels.get((kind, whose), (0.0, now))
        level = max(0.0, level - (now - since) * per_second / 1000)
        if level + 1 > per_second:
            raise TooManyRequestsError
        self._levels[kind, whose] = (level + 1, now)
        return {
            "x-ratelimit-limit": str(per_second),
            "x-ratelimit-remaining": str(int(per_second - level - 1)),
            "x-ratelimit-reset": "1",
        }
