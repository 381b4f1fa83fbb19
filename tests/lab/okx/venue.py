"""What the endpoints share: the exchange, the keys, the limits and OKX's names for markets and orders."""

from __future__ import annotations

from tests.lab.accounts import ApiKey, KeyRing
from tests.lab.exchange import Exchange
from tests.lab.market import LabMarket
from tests.lab.okx.call import CLIENT_ID_PATTERN, Call, Fields
from tests.lab.okx.errors import no_instrument, no_order_named, unauthorized
from tests.lab.okx.limits import Limits, Meter
from tests.lab.okx.payloads import instrument_id, number_in_market, order_number
from tests.lab.orders import Order
from tests.lab.races import Races
from tests.lab.views import Views


class OkxVenue:
    def __init__(self, exchange: Exchange, keys: KeyRing, limits: Limits) -> None:
        self.exchange = exchange
        self.keys = keys
        self.views = Views(exchange)
        self.races = Races(exchange)
        self.meter = Meter(exchange.clock, limits)

    def now_ms(self) -> int:
        return self.exchange.clock.now_ms()

    def market(self, fields: Fields) -> LabMarket:
        """The one that the mandatory `instId` names."""
        return self.named(fields.required("instId"))

    def named(self, name: str) -> LabMarket:
        market = self.exchange.markets.get(name.replace("-", "/"))
        if market is None or instrument_id(market.rules.symbol) != name:
            raise no_instrument()
        return market

    def index_of(self, symbol: str) -> int:
        """Its place in the list of markets."""
        return list(self.exchange.markets).index(symbol)

    def find(self, market: LabMarket, fields: Fields, key: ApiKey) -> Order | None:
        """By ordId, which counts where both are sent, or by clOrdId."""
        order_id = fields.text("ordId")
        client_id = fields.matching("clOrdId", CLIENT_ID_PATTERN)
        if order_id is not None:
            order = market.orders.get(number_in_market(order_id))
            if order is None or order.account != key.account or str(order_number(order)) != order_id:
                return None
            return order
        if client_id is None:
            raise no_order_named()
        return market.by_client_id(key.account, client_id)


def owner(call: Call) -> ApiKey:
    if call.key is None:
        raise unauthorized("50103", 'Request header "OK-ACCESS-KEY" cannot be empty.')
    return call.key
