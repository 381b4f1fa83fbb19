"""Counters that grow with each call and decay with time.

Source: "Spot REST Rate Limits" and "Spot Trading Limits", tier Intermediate; of public calls Kraken only says
that one a second for each address and pair is well.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from tests.lab.clock import Clock
from tests.lab.kraken.errors import KrakenError
from tests.lab.orders import Order

# Seconds that an order lived, and what its cancel costs then.
CANCEL_COSTS = ((5, 8), (10, 6), (15, 5), (45, 4), (90, 2), (300, 1))


@dataclass
class Limits:
    """calls, calls_decay: the most of a key's counter, and what it loses each second; public_…: of an address
    and pair; orders_…: of an account and pair.

    nonce_window: by how much a nonce may be older than the newest of its key.
    """

    calls: float = 20
    calls_decay: float = 0.5
    public: float = 15
    public_decay: float = 1
    orders: float = 125
    orders_decay: float = 2.34
    nonce_window: int = 0


class Counters:
    def __init__(self, clock: Clock, limits: Limits) -> None:
        self._clock = clock
        self._limits = limits
        self._levels: dict[Hashable, tuple[float, int]] = {}

    def count_public(self, address: str, what: str) -> None:
        limits = self._limits
        self._count((address, what), 1, limits.public, limits.public_decay, "EAPI:Rate limit exceeded")

    def count_private(self, key: str, cost: float) -> None:
        limits = self._limits
        self._count(key, cost, limits.calls, limits.calls_decay, "EAPI:Rate limit exceeded")

    def count_order(self, account: str, symbol: str) -> None:
        self._count_trading(account, symbol, 1)

    def count_cancel(self, order: Order) -> None:
        """The younger the order, the dearer."""
        age_seconds = (self._clock.now_ms() - order.time_ms) / 1000
        cost = next((cost for below, cost in CANCEL_COSTS if age_seconds < below), 0)
        self._count_trading(order.account, order.symbol, cost)

    def level(self, name: Hashable, decay: float) -> float:
        level, since = self._levels.get(name, (0.0, 0))
        return max(0.0, level - (self._clock.true_ms() - since) / 1000 * decay)

    def _count_trading(self, account: str, symbol: str, cost: float) -> None:
        limits = self._limits
        self._count((account, symbol), cost, limits.orders, limits.orders_decay, "EOrder:Rate limit exceeded")

    def _count(self, name: Hashable, cost: float, most: float, decay: float, error: str) -> None:
        level = self.level(name, decay) + cost
        if level > most:
            raise KrakenError(error)
        self._levels[name] = (level, self._clock.true_ms())
