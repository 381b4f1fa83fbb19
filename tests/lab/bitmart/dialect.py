"""The routes and what each needs; every request comes in and goes out here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass

from tests.lab.accounts import KeyRing, Login
from tests.lab.bitmart import endpoints, outages
from tests.lab.bitmart.call import Call
from tests.lab.bitmart.errors import BitmartError, not_served
from tests.lab.bitmart.security import Security, authenticate
from tests.lab.bitmart.venue import BitmartVenue, Limits
from tests.lab.exchange import Exchange
from tests.lab.hosts import HOSTS
from tests.lab.orders import Fill, Order
from tests.lab.wire import WireAnswer, WireRequest

TRACE = "886fb6ae-456b-4654-b4e0-d681ac05cea1"
Endpoint = Callable[[BitmartVenue, Call], object]


@dataclass(frozen=True)
class Route:
    """is_list: of orders or trades, of which a key may ask for few."""

    endpoint: Endpoint
    security: Security = Security.NONE
    is_list: bool = False


_KEYED, _SIGNED = Security.KEYED, Security.SIGNED

ROUTES: dict[tuple[str, str], Route] = {
    ("GET", "/system/time"): Route(endpoints.system_time),
    ("GET", "/spot/v1/symbols/details"): Route(endpoints.symbols),
    ("GET", "/spot/quotation/v3/ticker"): Route(endpoints.ticker),
    ("GET", "/spot/quotation/v3/books"): Route(endpoints.books),
    ("GET", "/spot/v1/wallet"): Route(endpoints.wallet, _KEYED),
    ("POST", "/spot/v4/query/open-orders"): Route(endpoints.open_orders, _SIGNED, is_list=True),
    ("POST", "/spot/v4/query/history-orders"): Route(endpoints.history_orders, _SIGNED, is_list=True),
    ("POST", "/spot/v4/query/order"): Route(endpoints.order_by_number, _SIGNED),
    ("POST", "/spot/v4/query/client-order"): Route(endpoints.order_by_client_id, _SIGNED),
    ("POST", "/spot/v4/query/trades"): Route(endpoints.my_trades, _SIGNED, is_list=True),
    ("POST", "/spot/v4/query/order-trades"): Route(endpoints.order_trades, _SIGNED, is_list=True),
    ("POST", "/spot/v2/submit_order"): Route(endpoints.no_more_orders, _SIGNED),
    ("POST", "/spot/v3/cancel_order"): Route(endpoints.no_more_orders, _SIGNED),
}


class BitmartDialect:
    venue = "bitmart"
    hosts = HOSTS["bitmart"]
    outages = outages
    streams = None

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.keys = KeyRing()
        self.limits = Limits()
        self.bitmart = BitmartVenue(exchange, self.keys, self.limits)
        self.views, self.races = self.bitmart.views, self.bitmart.races

    def new_login(self, number: int) -> Login:
        """The memo, which its owner chose, stands where others have a passphrase."""
        key, secret = (hashlib.sha256(f"{what} {number}".encode()).hexdigest() for what in ("key", "secret"))
        return Login(key[:40], secret, f"memo{number}")

    def order_name(self, order: Order) -> str:
        return self.bitmart.number(order.symbol, order.id)

    def trade_name(self, fill: Fill) -> str:
        return self.bitmart.number(fill.symbol, fill.trade_id)

    def key_of(self, request: WireRequest) -> str | None:
        return request.headers.get("x-bm-key")

    def answer_again(self, request: WireRequest) -> WireAnswer:
        """Reading twice changes nothing."""
        return self.answer(request)

    def answer(self, request: WireRequest) -> WireAnswer:
        try:
            content = self._answer(request)
        except BitmartError as error:
            return _json(error.status, error.code, error.text, {})
        return _json(200, 1000, "OK", content)

    def _answer(self, request: WireRequest) -> object:
        venue = self.bitmart
        route = ROUTES.get((request.method, request.path))
        if route is None:
            raise not_served()
        call = Call(request)
        venue.charge(f"address {request.address}", self.limits.requests_per_address)
        call.key = authenticate(request, route.security, self.keys, self.exchange.clock)
        if call.key is not None and route.is_list:
            venue.charge(f"{request.path} {call.key.key}", self.limits.lists_per_key)
        return route.endpoint(venue, call)


def _json(status: int, code: int, text: str, content: object) -> WireAnswer:
    body = {"message": text, "code": code, "trace": TRACE, "data": content}
    return WireAnswer(
        status=status,
        headers={"Content-Type": "application/json"},
        body=json.dumps(body, separators=(",", ":")).encode(),
    )
