"""Requests per address and per user ("Rate Limit"), and active orders per user ("Create order")."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass

from tests.lab.clock import Clock
from tests.lab.coinstore.errors import too_many_visits

WINDOW_MS = 3000


@dataclass
class Limits:
    """requests_per_address, requests_per_user: in three seconds. active_orders: of a user who is no market
    maker. accept_ms: how long an order that was just placed shows as SUBMITTING, with nothing filled."""

    requests_per_address: int = 300
    requests_per_user: int = 120
    active_orders: int = 50
    accept_ms: int = 20


class RequestMeter:
    def __init__(self, clock: Clock, limits: Limits) -> None:
        self._clock = clock
        self._limits = limits
        self._seen: defaultdict[str, deque[int]] = defaultdict(deque)

    def charge_address(self, address: str) -> None:
        self._charge(f"address {address}", self._limits.requests_per_address)

    def charge_user(self, account: str) -> None:
        self._charge(f"user {account}", self._limits.requests_per_user)

    def _charge(self, who: str, limit: int) -> None:
        """Raises 429; a request that is refused counts too."""
        now, seen = self._clock.true_ms(), self._seen[who]
        while seen and seen[0] <= now - WINDOW_MS:
            seen.popleft()
        seen.append(now)
        if len(seen) > limit:
            raise too_many_visits()
