"""What the endpoints share: the exchange, the keys, the counters and Kraken's names for the markets."""

from __future__ import annotations

from tests.lab.accounts import KeyRing
from tests.lab.exchange import Exchange
from tests.lab.kraken.call import Call
from tests.lab.kraken.errors import unknown_pair
from tests.lab.kraken.limits import Counters, Limits
from tests.lab.kraken.names import find_market
from tests.lab.kraken.security import Gatekeeper
from tests.lab.kraken.tokens import Tokens
from tests.lab.market import LabMarket
from tests.lab.races import Races
from tests.lab.views import View, Views


class KrakenVenue:
    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.keys = KeyRing()
        self.limits = Limits()
        self.views = Views(exchange)
        self.races = Races(exchange)
        self.counters = Counters(exchange.clock, self.limits)
        self.gatekeeper = Gatekeeper(self.keys, self.limits)
        self.tokens = Tokens(exchange.clock)

    def now_ms(self) -> int:
        return self.exchange.clock.now_ms()

    def market(self, call: Call) -> LabMarket:
        return self.named(call.pair())

    def named(self, name: str) -> LabMarket:
        market = find_market(self.exchange, name)
        if market is None:
            raise unknown_pair()
        return market

    def view(self, call: Call) -> View:
        return self.views.of(call.owner)
