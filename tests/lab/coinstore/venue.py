"""What the endpoints share: the exchange, the keys, the limits, and Coinstore's names and numbers."""

from __future__ import annotations

from dataclasses import dataclass

from tests.lab.accounts import KeyRing
from tests.lab.coinstore.errors import unknown_symbol
from tests.lab.coinstore.limits import Limits, RequestMeter
from tests.lab.exchange import Exchange
from tests.lab.market import LabMarket
from tests.lab.orders import Fill, Order, Side
from tests.lab.races import Races
from tests.lab.views import Views

FIRST_ORDER = 1_722_000_000_000_000
FIRST_MATCH = 3_900_000
FIRST_CURRENCY = 30
MARKETS_AT_MOST = 100


@dataclass
class CoinstoreVenue:
    exchange: Exchange
    keys: KeyRing
    limits: Limits

    def __post_init__(self) -> None:
        self.views = Views(self.exchange)
        self.races = Races(self.exchange)
        self.meter = RequestMeter(self.exchange.clock, self.limits)
        self.exchange.accepts_crossing_makers = True  # what is placed is looked at later
        self._taken_in_ms: dict[tuple[str, int], int] = {}

    def now_ms(self) -> int:
        return self.exchange.clock.now_ms()

    def take_in(self, order: Order) -> None:
        """What comes over the wire waits at the gate for a moment."""
        self._taken_in_ms[order.symbol, order.id] = self.exchange.clock.true_ms()

    def is_fresh(self, order: Order) -> bool:
        since = self._taken_in_ms.get((order.symbol, order.id), 0)
        return self.exchange.clock.true_ms() - since < self.limits.accept_ms

    def market(self, name: str | None) -> LabMarket:
        """Symbols are written in either case."""
        for market in self.exchange.markets.values():
            if symbol_id(market) == (name or "").upper():
                return market
        raise unknown_symbol()

    def instrument_id(self, market: LabMarket) -> int:
        return list(self.exchange.markets.values()).index(market) + 1

    def currency_id(self, name: str) -> int:
        listed = {c for m in self.exchange.markets.values() for c in (m.rules.base, m.rules.quote)}
        return FIRST_CURRENCY + sorted(listed | {name}).index(name)

    # Orders are numbered over all markets: by the market's own number, and which market it is.

    def order_id(self, symbol: str, own_number: int) -> int:
        return FIRST_ORDER + own_number * MARKETS_AT_MOST + list(self.exchange.markets).index(symbol)

    def order(self, number: int, account: str) -> Order | None:
        """The account's own only."""
        own_number, place = divmod(number - FIRST_ORDER, MARKETS_AT_MOST)
        markets = list(self.exchange.markets.values())
        found = markets[place].orders.get(own_number) if place < len(markets) else None
        return found if found is not None and found.account == account else None

    def order_by_client_id(self, client_id: str, account: str) -> Order | None:
        """The newest of that id."""
        found = [market.by_client_id(account, client_id) for market in self.exchange.markets.values()]
        return max((order for order in found if order), key=lambda order: order.time_ms, default=None)

    def match_id(self, fill: Fill) -> int:
        """Of one side of a trade; both sides share the trade's own number."""
        return FIRST_MATCH + 2 * fill.trade_id + (fill.side is Side.SELL)


def symbol_id(market: LabMarket) -> str:
    return market.rules.base + market.rules.quote
