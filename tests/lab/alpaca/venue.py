"""What the endpoints share: the exchange, the keys, the limits, the stock market's hours, and names."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from tests.lab.accounts import KeyRing
from tests.lab.alpaca.errors import invalid
from tests.lab.alpaca.hours import Hours
from tests.lab.alpaca.limits import Limits, RequestMeter
from tests.lab.alpaca.markets import asset_symbol, is_stock
from tests.lab.exchange import Exchange
from tests.lab.market import LabMarket
from tests.lab.orders import Fill, Order
from tests.lab.races import Races
from tests.lab.views import Views

ORDER, TRADE, ASSET, ACCOUNT = 0xA1FACA01, 0xA1FACA02, 0xA1FACA03, 0xA1FACA04


class AlpacaVenue:
    """day_orders: (symbol, number) of those that end when the stock market closes."""

    def __init__(self, exchange: Exchange, keys: KeyRing, limits: Limits) -> None:
        self.exchange = exchange
        self.keys = keys
        self.limits = limits
        self.views = Views(exchange)
        self.races = Races(exchange)
        self.meter = RequestMeter(exchange.clock, limits)
        self.hours = Hours()
        self.day_orders: set[tuple[str, int]] = set()

    def now_ms(self) -> int:
        return self.exchange.clock.now_ms()

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.now_ms() / 1000, UTC)

    # --- The stock market's hours

    def close_stock_market(self) -> None:
        """Orders for the day end; new ones wait for the opening."""
        self.hours.is_open = False
        for order in self.exchange.open_orders():
            if self.is_for_the_day(order):
                self.exchange.expire(order)
        for market in self.stocks():
            self.exchange.halt(market.rules.symbol)

    def open_stock_market(self) -> None:
        self.hours.is_open = True
        for market in self.stocks():
            self.exchange.resume(market.rules.symbol)

    def is_for_the_day(self, order: Order) -> bool:
        return (order.symbol, order.id) in self.day_orders

    def stocks(self) -> list[LabMarket]:
        return [market for market in self.exchange.markets.values() if is_stock(market.rules)]

    # --- Names

    def market(self, name: str) -> LabMarket:
        """By ticker or pair; the trading API takes BTCUSD for BTC/USD too."""
        for market in self.exchange.markets.values():
            asset = asset_symbol(market.rules)
            if name in (asset, asset.replace("/", "")):
                return market
        raise invalid(f'asset "{name}" not found')

    def order_uuid(self, symbol: str, number: int) -> str:
        return self._uuid(ORDER, symbol, number)

    def order_id(self, order: Order) -> str:
        return self.order_uuid(order.symbol, order.id)

    def trade_uuid(self, fill: Fill) -> str:
        return self._uuid(TRADE, fill.symbol, fill.trade_id)

    def asset_id(self, symbol: str) -> str:
        return self._uuid(ASSET, symbol, 0)

    def find_order(self, named: str, account: str) -> Order | None:
        """By its UUID; None for another's."""
        try:
            value = UUID(named).int
        except ValueError:
            return None
        markets = list(self.exchange.markets.values())
        prefix, place, number = value >> 96, (value >> 80) & 0xFFFF, value & 0xFFFFFFFFFFFF
        if prefix != ORDER or place >= len(markets):
            return None
        order = markets[place].orders.get(number)
        return order if order is not None and order.account == account else None

    def _uuid(self, prefix: int, symbol: str, number: int) -> str:
        """In the form of a random UUID; place and number can be read from it."""
        symbols = list(self.exchange.markets)
        place = symbols.index(symbol) if symbol in symbols else 0xFFFF
        return str(UUID(int=prefix << 96 | place << 80 | 0x4000_8000 << 48 | number))
