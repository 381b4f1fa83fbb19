"""What an account is shown of its orders, trades and balances: each as it was some time ago.

A venue's read side follows its matching engine, and every list at its own pace. What an order or a
cancel is answered with comes from the engine itself and never lags.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

from tests.lab.accounts import ApiKey
from tests.lab.exchange import Exchange
from tests.lab.ledger import KEPT_MS, Holding
from tests.lab.market import LabMarket
from tests.lab.orders import Fill, Order


@dataclass(frozen=True, kw_only=True)
class Lag:
    """orders_ms: of an order's existence and state; trades_ms: of a trade in the list of trades;
    balances_ms: of balances. By this machine's clock, and the venue's own may be set.

    scatters_trades: each trade has a lag of its own up to trades_ms, so that a later one may show first.
    """

    orders_ms: int = 0
    trades_ms: int = 0
    balances_ms: int = 0
    scatters_trades: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.balances_ms <= KEPT_MS or min(self.orders_ms, self.trades_ms) < 0:
            raise ValueError(f"a lag is not negative, and that of balances at most {KEPT_MS} ms")

    def of_trade(self, fill: Fill) -> int:
        if not self.scatters_trades:
            return self.trades_ms
        return crc32(f"{fill.symbol} {fill.trade_id}".encode()) % (self.trades_ms + 1)


NO_LAG = Lag()


class Views:
    """Which lag holds for whom. The key None stands for all that have none of their own."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._lags: dict[str | None, Lag] = {}

    def set_lag(self, lag: Lag, key: str | None = None) -> None:
        self._lags[key] = lag

    def clear(self) -> None:
        self._lags.clear()

    def of(self, key: ApiKey) -> View:
        lag = self._lags.get(key.key) or self._lags.get(None, NO_LAG)
        return View(self._exchange, key.account, lag)


class View:
    def __init__(self, exchange: Exchange, account: str, lag: Lag) -> None:
        self._exchange = exchange
        self._account = account
        self._lag = lag
        self._now = exchange.clock.true_ms()

    def order(self, order: Order) -> Order | None:
        return order.as_of(self._now - self._lag.orders_ms) if self._lag.orders_ms else order

    def orders(self, market: LabMarket) -> list[Order]:
        shown = (self.order(order) for order in market.orders_of(self._account))
        return [order for order in shown if order is not None]

    def open_orders(self, symbol: str | None = None) -> list[Order]:
        if not self._lag.orders_ms:
            return self._exchange.open_orders(self._account, symbol)
        markets = [self._exchange.market(symbol)] if symbol else list(self._exchange.markets.values())
        shown = (self.order(order) for market in markets for order in self._lately_open(market))
        return sorted((o for o in shown if o is not None and o.is_open), key=lambda order: order.sequence)

    def _lately_open(self, market: LabMarket) -> list[Order]:
        since = self._now - self._lag.orders_ms
        return [o for o in market.orders_of(self._account) if o.is_open or o.changes[-1].at_ms > since]

    def fills(self, market: LabMarket) -> Sequence[Fill]:
        fills = market.fills_of(self._account)
        if not self._lag.trades_ms:
            return fills
        return [fill for fill in fills if fill.at_ms + self._lag.of_trade(fill) <= self._now]

    def holdings(self) -> dict[str, Holding]:
        if not self._lag.balances_ms:
            return self._exchange.ledger.holdings(self._account)
        return self._exchange.ledger.holdings_at(self._account, self._now - self._lag.balances_ms)
