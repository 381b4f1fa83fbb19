"""What the endpoints share: the exchange, the keys, the limits, and each order as it was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.lab.accounts import KeyRing
from tests.lab.coinbase.errors import no_such_product
from tests.lab.coinbase.limits import Limits
from tests.lab.coinbase.names import product_id
from tests.lab.exchange import Exchange
from tests.lab.market import LabMarket
from tests.lab.orders import Order
from tests.lab.races import Races
from tests.lab.views import Views


class CoinbaseVenue:
    """configurations: of orders, by symbol and number, as they were sent."""

    def __init__(self, exchange: Exchange, keys: KeyRing, limits: Limits) -> None:
        self.exchange = exchange
        self.keys = keys
        self.limits = limits
        self.views = Views(exchange)
        self.races = Races(exchange)
        self.configurations: dict[tuple[str, int], Mapping[str, Any]] = {}

    def now_ms(self) -> int:
        return self.exchange.clock.now_ms()

    @property
    def markets(self) -> list[LabMarket]:
        return list(self.exchange.markets.values())

    def market(self, name: str) -> LabMarket:
        found = self.find_market(name)
        if found is None:
            raise no_such_product(name)
        return found

    def find_market(self, name: object) -> LabMarket | None:
        return next((market for market in self.markets if product_id(market.rules) == name), None)

    def is_pending(self, order: Order) -> bool:
        """Sent here a moment ago, and not in the book yet, as far as it is shown."""
        is_new = self.now_ms() - order.time_ms < self.limits.pending_ms
        return (
            is_new and order.is_open and not order.filled and (order.symbol, order.id) in self.configurations
        )
