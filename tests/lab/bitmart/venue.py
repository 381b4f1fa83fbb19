"""What the endpoints share: the exchange, the keys, the limits, and BitMart's names and numbers."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass

from tests.lab.accounts import KeyRing
from tests.lab.bitmart.errors import too_many_requests, unknown_symbol
from tests.lab.exchange import Exchange
from tests.lab.market import LabMarket
from tests.lab.orders import Order
from tests.lab.races import Races
from tests.lab.views import Views

FIRST_ORDER = 183_000_000_000_000_000
MARKETS_AT_MOST = 100
WINDOW_MS = 2000


@dataclass
class Limits:
    """In two seconds: requests of an address, and of a key to the lists of orders and trades."""

    requests_per_address: int = 60
    lists_per_key: int = 12


@dataclass
class BitmartVenue:
    exchange: Exchange
    keys: KeyRing
    limits: Limits

    def __post_init__(self) -> None:
        self.views = Views(self.exchange)
        self.races = Races(self.exchange)
        self._asked: defaultdict[str, deque[int]] = defaultdict(deque)

    def charge(self, who: str, limit: int) -> None:
        """Raises 30013 with 429."""
        now, asked = self.exchange.clock.true_ms(), self._asked[who]
        while asked and asked[0] <= now - WINDOW_MS:
            asked.popleft()
        asked.append(now)
        if len(asked) > limit:
            raise too_many_requests()

    def market(self, name: str) -> LabMarket:
        for market in self.exchange.markets.values():
            if symbol_id(market.rules.symbol) == name:
                return market
        raise unknown_symbol()

    def chosen(self, name: str | None) -> list[LabMarket]:
        return [self.market(name)] if name else list(self.exchange.markets.values())

    # Orders and trades are numbered over all markets: by the market's own number, and which market it is.

    def number(self, symbol: str, own_number: int) -> str:
        place = list(self.exchange.markets).index(symbol)
        return str(FIRST_ORDER + own_number * MARKETS_AT_MOST + place)

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


def symbol_id(symbol: str) -> str:
    return symbol.replace("/", "_")
