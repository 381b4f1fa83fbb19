"""How many requests a minute: 200 per account at the trading API, 200 at the market data API's free plan.

Source: docs.alpaca.markets, "Is there a limit to the number of API calls per second?", and the headers that
each answer of the trading API has.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from tests.lab.alpaca.errors import too_many
from tests.lab.clock import Clock

MINUTE_MS = 60_000


@dataclass
class Limits:
    """Both per whole minute of the venue's clock; trading: per account; data: per key, or address without."""

    trading: int = 200
    data: int = 200


class RequestMeter:
    def __init__(self, clock: Clock, limits: Limits) -> None:
        self._clock = clock
        self._limits = limits
        self._used: defaultdict[tuple[str, str, int], int] = defaultdict(int)

    def charge(self, family: str, who: str, headers: dict[str, str]) -> None:
        """family: `trading` or `data`. Writes the headers; raises 429 above the limit."""
        now = self._clock.now_ms()
        minute = now // MINUTE_MS
        self._used[family, who, minute] += 1
        limit: int = getattr(self._limits, family)
        left = limit - self._used[family, who, minute]
        headers |= {
            "X-Ratelimit-Limit": str(limit),
            "X-Ratelimit-Remaining": str(max(left, 0)),
            "X-Ratelimit-Reset": str((minute + 1) * MINUTE_MS // 1000),
        }
        if left < 0:
            raise too_many()
