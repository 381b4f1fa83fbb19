"""What the endpoints share: the exchange, the keys, the limits and Binance's names for the markets."""

from __future__ import annotations

from tests.lab.accounts import KeyRing
from tests.lab.binance.call import Call
from tests.lab.binance.errors import bad_symbol
from tests.lab.binance.limits import Limits, OrderMeter, WeightMeter
from tests.lab.binance.payloads import symbol_id
from tests.lab.exchange import Exchange
from tests.lab.market import LabMarket
from tests.lab.races import Races
from tests.lab.views import Views


class BinanceVenue:
    def __init__(self, exchange: Exchange, keys: KeyRing, limits: Limits) -> None:
        self.exchange = exchange
        self.keys = keys
        self.limits = limits
        self.views = Views(exchange)
        self.races = Races(exchange)
        self.weights = WeightMeter(exchange.clock, limits)
        self.order_counts = OrderMeter(exchange, limits)

    def now_ms(self) -> int:
        return self.exchange.clock.now_ms()

    def market(self, call: Call) -> LabMarket:
        """The one that the mandatory `symbol` names."""
        return self._named(call.symbol())

    def chosen(self, call: Call) -> list[LabMarket]:
        """Those of `symbol` or `symbols`; all when neither was sent."""
        names = call.symbols()
        return (
            list(self.exchange.markets.values()) if names is None else [self._named(name) for name in names]
        )

    def _named(self, name: str) -> LabMarket:
        for market in self.exchange.markets.values():
            if symbol_id(market.rules) == name:
                return market
        raise bad_symbol()
