"""How often OKX may be asked: so many requests in two seconds, for each endpoint its own number."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum

from tests.lab.clock import Clock
from tests.lab.okx.errors import OkxError, too_frequent

WINDOW_MS = 2000


class Per(StrEnum):
    """Who shares a budget."""

    ADDRESS = "address"
    ACCOUNT = "account"
    MARKET = "account and market"


@dataclass
class Limits:
    """Requests in two seconds, by the endpoint's last words; those with many orders count each of them.

    account_orders: new orders of one account at all endpoints.
    """

    order: int = 60
    batch_orders: int = 300
    cancel_order: int = 60
    cancel_batch_orders: int = 300
    orders_pending: int = 60
    orders_history: int = 40
    orders_history_archive: int = 20
    fills: int = 60
    fills_history: int = 10
    balance: int = 10
    config: int = 5
    currencies: int = 12
    instruments: int = 20
    time: int = 10
    books: int = 40
    ticker: int = 20
    tickers: int = 20
    trades: int = 100
    history_trades: int = 20
    account_orders: int = 1000


class Meter:
    """Counts in whole windows of the venue's clock."""

    def __init__(self, clock: Clock, limits: Limits) -> None:
        self._clock = clock
        self._limits = limits
        self._window = 0
        self._used: defaultdict[tuple[str, str], int] = defaultdict(int)

    def charge(self, endpoint: str, who: str, cost: int = 1) -> None:
        """endpoint: a field of Limits. Raises 50011."""
        if self._spend(endpoint, who, cost):
            raise too_frequent()

    def charge_orders(self, account: str, count: int) -> None:
        """Raises 50061."""
        if self._spend("account_orders", account, count):
            raise OkxError("50061", "You've reached the maximum order rate limit for this account.")

    def _spend(self, endpoint: str, who: str, cost: int) -> bool:
        """Whether that was too much."""
        window = self._clock.now_ms() // WINDOW_MS
        if window != self._window:
            self._used.clear()
            self._window = window
        self._used[endpoint, who] += cost
        limit: int = getattr(self._limits, endpoint)
        return self._used[endpoint, who] > limit
